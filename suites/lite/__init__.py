"""LITE (Ji et al., 2024): late interactions whose scorer is learnt.

In the order of the paper:

* ``paper.toml``: what it says and reports, and where we differ.
* ``rankers.py``, ``large.py``: LITE, MaxSim and the other rankers; those whose encoder is trained, too.
* ``experiments.py``: ranking, the order of words, functions to fit, an exact table, and latency.
* ``cells.py``: where scorers are measured.
* ``claims.py``: the rule of each claim; ``controls.py``: what must break it.
* ``display.py``: tables and figures; ``rehearsal.py``: the large profiles at toy size.
"""

from pathlib import Path

from harness.suite import OwnUnits, Suite
from suites.lite.claims import RULES
from suites.lite.controls import CONTROLS
from suites.lite.display import FIGURES, TABLES
from suites.lite.experiments import experiments
from suites.lite.rankers import FIRST
from suites.lite.rehearsal import REHEARSAL

SUITE = Suite.read(
    Path(__file__).parent,
    RULES,
    experiments=experiments,
    gating=("C1", "C2", "C3", "C4", "C5a", "C7a", "C7b", "C8", "C9d", "C10"),
    controls=CONTROLS,
    tables=TABLES,
    figures=FIGURES,
    own_units=(OwnUnits(experiment="tables", why="a unit is a start of the fit: dot products have more"),),
    first_seed=FIRST,
    bindings={"encoder": "all-minilm-l6-v2"},
    rehearsal=REHEARSAL,
)
"""The declaration that the harness finds."""
