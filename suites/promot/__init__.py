"""ProMoT (Wang et al., 2024): fine-tuning in two stages, with less specialisation."""

from pathlib import Path

from harness.suite import Paper, Suite
from suites.promot.claims import RULES
from suites.promot.controls import CONTROLS
from suites.promot.display import FIGURES, TABLES
from suites.promot.experiments import FIRST, experiments
from suites.promot.rehearsal import REHEARSAL

_FOLDER = Path(__file__).parent
_PAPER = Paper.read(_FOLDER / "paper.toml")

SUITE = Suite(
    paper=_PAPER,
    experiments=experiments,
    claims=_PAPER.claims(RULES),
    gating=("C1", "C2", "C4", "C5", "C6", "C10", "C14"),
    deviations=_PAPER.deviations,
    folder=_FOLDER,
    controls=CONTROLS,
    tables=TABLES,
    figures=FIGURES,
    first_seed=FIRST,
    bindings={"gemma": "gemma-3-270m", "model": "mt5-xxl"},
    rehearsal=REHEARSAL,
)
"""The declaration that the harness finds."""
