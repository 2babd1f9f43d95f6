"""LSP and IL-Bench (Wang et al., 2025): programs of instructions, learnt from labelled texts."""

from pathlib import Path

from harness.suite import OwnUnits, Paper, Suite
from suites.il_bench.claims import RULES
from suites.il_bench.controls import CONTROLS
from suites.il_bench.experiments import experiments
from suites.il_bench.figures import FIGURES, SAMPLE_VIEWS
from suites.il_bench.rehearsal import REHEARSAL
from suites.il_bench.tables import TABLES
from suites.il_bench.trees import FIRST

_FOLDER = Path(__file__).parent
_PAPER = Paper.read(_FOLDER / "paper.toml")

SUITE = Suite(
    paper=_PAPER,
    experiments=experiments,
    claims=_PAPER.claims(RULES),
    gating=("C1b", "C1c", "C3c", "C6", "C7a", "C7b", "C8b", "C8c"),
    deviations=_PAPER.deviations,
    folder=_FOLDER,
    controls=CONTROLS,
    tables=TABLES,
    figures=FIGURES,
    sample_views=SAMPLE_VIEWS,
    first_seed=FIRST,
    bindings={"gemma": "gemma-3-270m", "model": "instruct-model"},
    own_units=(
        OwnUnits(part="program", why="a unit is a module of the method's own program"),
        OwnUnits(part="growth", why="a unit is an expansion, and some methods make fewer"),
    ),
    rehearsal=REHEARSAL,
)
"""The declaration that the harness finds."""
