"""ReST meets ReAct (Aksitov et al., 2023): a search agent that learns from its own trajectories."""

from pathlib import Path

from harness.suite import OwnUnits, Paper, Suite
from suites.rest_react.claims import RULES
from suites.rest_react.controls import CONTROLS
from suites.rest_react.experiments import FIRST, experiments
from suites.rest_react.figures import FIGURES, SAMPLE_VIEWS
from suites.rest_react.rehearsal import REHEARSAL
from suites.rest_react.tables import TABLES

_FOLDER = Path(__file__).parent
_PAPER = Paper.read(_FOLDER / "paper.toml")

SUITE = Suite(
    paper=_PAPER,
    experiments=experiments,
    claims=_PAPER.claims(RULES),
    gating=("C1", "C3", "C7", "C8", "C9", "C10", "C13"),
    deviations=_PAPER.deviations,
    folder=_FOLDER,
    controls=CONTROLS,
    tables=TABLES,
    figures=FIGURES,
    sample_views=SAMPLE_VIEWS,
    own_units=(
        OwnUnits(part="agents", why="a unit is an agent that the method made"),
        OwnUnits(part="data", why="a unit is a training set that the method made"),
    ),
    first_seed=FIRST,
    bindings={
        "gemma": "gemma-3-270m",
        "agent": "search-agent",
        "student-l": "search-student-l",
        "student-s": "search-student-s",
        "student-xs": "search-student-xs",
        "bamboogle": "bamboogle",
        "bamtwoogle": "bamtwoogle",
        "passages": "search-passages",
    },
    rehearsal=REHEARSAL,
)
"""The declaration that the harness finds."""
