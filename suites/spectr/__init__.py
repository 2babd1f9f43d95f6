"""SpecTr (Sun et al., 2023): speculative decoding with several drafts, by optimal transport.

In the order of the paper:

* ``paper.toml``: what it says and reports, and where we differ.
* ``experiments.py``: selections on small distributions, chains, pairs of models, their laws and their times.
* ``cells.py``: names of methods, and where block efficiency, time and laws are measured.
* ``claims.py``: the rule of each claim; ``controls.py``: what must break it.
* ``display.py``: tables and figures; ``rehearsal.py``: the large profiles at toy size.
"""

from pathlib import Path

from harness.suite import Suite
from suites.spectr.claims import RULES
from suites.spectr.controls import CONTROLS
from suites.spectr.display import FIGURES, TABLES
from suites.spectr.experiments import FIRST, experiments
from suites.spectr.rehearsal import REHEARSAL

SUITE = Suite.read(
    Path(__file__).parent,
    RULES,
    experiments=experiments,
    controls=CONTROLS,
    tables=TABLES,
    figures=FIGURES,
    first_seed=FIRST,
    bindings={"target": "spectr-target", "draft": "spectr-draft", "gemma": "gemma-3-270m"},
    rehearsal=REHEARSAL,
)
"""The declaration that the harness finds."""
