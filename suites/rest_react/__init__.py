"""ReST meets ReAct (Aksitov et al., 2023): a search agent that learns from its own trajectories."""

from pathlib import Path

from harness.suite import OwnUnits, Paper, Suite
from suites.rest_react.claims import CLAIMS
from suites.rest_react.controls import CONTROLS
from suites.rest_react.deviations import DEVIATIONS
from suites.rest_react.display import TABLES
from suites.rest_react.experiments import experiments
from suites.rest_react.figures import EXHIBITS, FIGURES
from suites.rest_react.rehearsal import REHEARSAL

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
    sample_views=EXHIBITS,
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
    own_units=(
        OwnUnits(part="agents", why="a unit is an agent that the method made"),
        OwnUnits(part="data", why="a unit is a training set that the method made"),
    ),
    rehearsal=REHEARSAL,
)
"""The declaration that the harness finds."""
