"""Baby Bear (Han et al., 2024): iterated best-worst scaling against cheaper rating scales."""

from pathlib import Path

from harness.suite import Paper, Suite
from suites.ibws.claims import CLAIMS
from suites.ibws.controls import CONTROLS
from suites.ibws.deviations import DEVIATIONS
from suites.ibws.experiments import experiments
from suites.ibws.figures import FIGURES
from suites.ibws.rehearsal import REHEARSAL
from suites.ibws.tables import TABLES

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
    bindings={"roberta": "roberta-base", "encoder": "all-minilm-l6-v2", "annotator": "gemma-3-270m"},
    rehearsal=REHEARSAL,
)
"""The declaration that the harness finds."""
