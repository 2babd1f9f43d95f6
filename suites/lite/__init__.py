"""LITE (Ji et al., 2024): late interactions whose scorer is learnt."""

from pathlib import Path

from harness.suite import OwnUnits, Paper, Suite
from suites.lite.claims import RULES
from suites.lite.controls import CONTROLS
from suites.lite.display import FIGURES, TABLES
from suites.lite.experiments import experiments
from suites.lite.rankers import FIRST
from suites.lite.rehearsal import REHEARSAL

_FOLDER = Path(__file__).parent
_PAPER = Paper.read(_FOLDER / "paper.toml")

SUITE = Suite(
    paper=_PAPER,
    experiments=experiments,
    claims=_PAPER.claims(RULES),
    gating=("C1", "C2", "C3", "C4", "C5a", "C7a", "C7b", "C8", "C9d", "C10"),
    deviations=_PAPER.deviations,
    folder=_FOLDER,
    controls=CONTROLS,
    tables=TABLES,
    figures=FIGURES,
    own_units=(OwnUnits(experiment="tables", why="a unit is a start of the fit: dot products have more"),),
    first_seed=FIRST,
    bindings={"encoder": "all-minilm-l6-v2"},
    rehearsal=REHEARSAL,
)
"""The declaration that the harness finds."""
