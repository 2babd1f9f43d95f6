"""KAFT (Li et al., 2023): finetuning that makes a language model obey relevant contexts only.

In the order of the paper:

* ``paper.toml``: what it says and reports, and where we differ.
* ``arms.py``: KAFT, its ablations and its baselines, each a mixture of contexts to finetune on.
* ``experiments.py``, ``paper.py``: the worlds, facts and public sets on which they are compared.
* ``cells.py``: controllability, robustness and what else is measured there.
* ``claims.py``: the rule of each claim; ``controls.py``: what must break it.
* ``display.py``: the paper's tables and figures.
"""

from pathlib import Path

from harness.suite import Suite
from suites.kaft.arms import UNSEEN
from suites.kaft.claims import RULES
from suites.kaft.controls import CONTROLS
from suites.kaft.display import FIGURES, TABLES
from suites.kaft.experiments import experiments
from suites.kaft.rehearsal import REHEARSAL

SUITE = Suite.read(
    Path(__file__).parent,
    RULES,
    experiments=experiments,
    gating=("C1b", "C1c", "C2b", "C4", "C5", "C6b", "C8", "C9", "C12"),
    controls=CONTROLS,
    tables=TABLES,
    figures=FIGURES,
    first_seed=UNSEEN,
    bindings={"model": "kaft-t5", "gemma": "gemma-3-270m"},
    rehearsal=REHEARSAL,
)
"""The declaration that the harness finds."""
