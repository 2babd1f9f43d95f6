"""The Lazy Neuron Phenomenon (Li et al., 2023): trained transformers are sparsely active.

In the order of the paper:

* ``paper.toml``: what it says and reports, and where we differ.
* ``experiments.py``, ``plan.py``: text, images and sizes, and how long each is trained under a profile.
* ``cells.py``: percentages of entries that are not zero, and what else is measured.
* ``claims.py``: the rule of each claim; ``controls.py``: what must break it.
* ``tables.py``, ``figures.py``: the report's; ``rehearsal.py``: the large profiles at toy size.
"""

from pathlib import Path

from harness.suite import Suite
from suites.sparsity.claims import RULES
from suites.sparsity.controls import CONTROLS
from suites.sparsity.experiments import FRESH, experiments
from suites.sparsity.figures import FIGURES
from suites.sparsity.rehearsal import REHEARSAL
from suites.sparsity.tables import TABLES

SUITE = Suite.read(
    Path(__file__).parent,
    RULES,
    experiments=experiments,
    gating=("C1a", "C1c", "C2a", "C2c", "C4", "C5b", "C6", "C7", "C8", "C9", "C10", "C11"),
    controls=CONTROLS,
    tables=TABLES,
    figures=FIGURES,
    first_seed=FRESH,
    bindings={"t5-base": "t5-base", "opt": "opt-125m", "imagenet": "imagenet-1k", "c4": "c4-en"},
    rehearsal=REHEARSAL,
)
"""The declaration that the harness finds."""
