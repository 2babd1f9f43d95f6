"""LSP and IL-Bench (Wang et al., 2025): programs of instructions, learnt from labelled texts."""

from pathlib import Path

from harness.suite import OwnUnits, Paper, Suite
from suites.il_bench.claims import CLAIMS
from suites.il_bench.controls import CONTROLS
from suites.il_bench.deviations import DEVIATIONS
from suites.il_bench.display import TABLES
from suites.il_bench.experiments import experiments
from suites.il_bench.figures import EXHIBITS, FIGURES
from suites.il_bench.rehearsal import REHEARSAL

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
    bindings={"gemma": "gemma-3-270m", "model": "instruct-model"},
    own_units=(
        OwnUnits(part="program", why="a unit is a module of the method's own program"),
        OwnUnits(part="growth", why="a unit is an expansion, and some methods make fewer"),
    ),
    rehearsal=REHEARSAL,
)
"""The declaration that the harness finds."""
