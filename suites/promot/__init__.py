"""ProMoT (Wang et al., 2024): fine-tuning in two stages, with less specialisation.

In the order of the paper:

* ``paper.toml``: what it says and reports, and where we differ.
* ``arms.py``: both stages, fine-tuning, prompt tuning and the ablations, at the scale of a profile.
* ``experiments.py``, ``texts.py``: entailment and translation on a small model, text tasks on released ones.
* ``cells.py``: target scores, and what is left of the other tasks.
* ``claims.py``: the rule of each claim; ``controls.py``: what must break it.
* ``display.py``: tables and figures; ``rehearsal.py``: the large profiles at toy size.
"""

from pathlib import Path

from harness.suite import Suite
from suites.promot.claims import RULES
from suites.promot.controls import CONTROLS
from suites.promot.display import FIGURES, TABLES
from suites.promot.experiments import FIRST, experiments
from suites.promot.rehearsal import REHEARSAL

SUITE = Suite.read(
    Path(__file__).parent,
    RULES,
    experiments=experiments,
    gating=("C1", "C2", "C4", "C5", "C6", "C10", "C14"),
    controls=CONTROLS,
    tables=TABLES,
    figures=FIGURES,
    first_seed=FIRST,
    bindings={"gemma": "gemma-3-270m", "model": "mt5-xxl"},
    rehearsal=REHEARSAL,
)
"""The declaration that the harness finds."""
