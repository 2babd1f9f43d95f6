"""LITE (Ji et al., 2024): late interactions whose scorer is learnt."""

from pathlib import Path

from harness.suite import OwnUnits, Paper, Suite
from suites.lite.claims import CLAIMS
from suites.lite.controls import CONTROLS
from suites.lite.deviations import DEVIATIONS
from suites.lite.display import FIGURES, TABLES
from suites.lite.experiments import experiments
from suites.lite.rehearsal import REHEARSAL

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
    bindings={"encoder": "all-minilm-l6-v2"},
    own_units=(OwnUnits(experiment="tables", why="a unit is a start of the fit: dot products have more"),),
    rehearsal=REHEARSAL,
)
"""The declaration that the harness finds."""
