"""Baby Bear (Han et al., 2024): iterated best-worst scaling against cheaper rating scales."""

from pathlib import Path

from harness.suite import Paper, Suite
from suites.ibws.claims import RULES
from suites.ibws.controls import CONTROLS
from suites.ibws.experiments import FIRST, experiments
from suites.ibws.figures import FIGURES
from suites.ibws.rehearsal import REHEARSAL
from suites.ibws.tables import TABLES

_FOLDER = Path(__file__).parent
_PAPER = Paper.read(_FOLDER / "paper.toml")

SUITE = Suite(
    paper=_PAPER,
    experiments=experiments,
    claims=_PAPER.claims(RULES),
    deviations=_PAPER.deviations,
    folder=_FOLDER,
    controls=CONTROLS,
    tables=TABLES,
    figures=FIGURES,
    first_seed=FIRST,
    bindings={"roberta": "roberta-base", "encoder": "all-minilm-l6-v2", "annotator": "gemma-3-270m"},
    rehearsal=REHEARSAL,
)
"""The declaration that the harness finds."""
