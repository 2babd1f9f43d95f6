"""ProMoT (Wang et al., 2024): fine-tuning in two stages, with less specialisation."""

from pathlib import Path

from harness.suite import Paper, Suite
from suites.promot.claims import CLAIMS
from suites.promot.controls import CONTROLS
from suites.promot.deviations import DEVIATIONS
from suites.promot.display import FIGURES, TABLES
from suites.promot.experiments import experiments
from suites.promot.rehearsal import REHEARSAL

_FOLDER = Path(__file__).parent

SUITE = Suite(
    paper=Paper.read(_FOLDER / "paper.toml"),
    experiments=experiments,
    claims=CLAIMS,
    deviations=DEVIATIONS,
    folder=_FOLDER,
    controls=CONTROLS,
    tables=TABLES,
    figures=FIGURES,
    bindings={"gemma": "gemma-3-270m", "model": "mt5-xxl"},
    rehearsal=REHEARSAL,
)
"""The declaration that the harness finds."""
