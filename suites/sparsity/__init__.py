"""The Lazy Neuron Phenomenon (Li et al., 2023): trained transformers are sparsely active."""

from pathlib import Path

from harness.suite import Paper, Suite
from suites.sparsity.claims import RULES
from suites.sparsity.controls import CONTROLS
from suites.sparsity.experiments import FRESH, experiments
from suites.sparsity.figures import FIGURES
from suites.sparsity.rehearsal import REHEARSAL
from suites.sparsity.tables import TABLES

_FOLDER = Path(__file__).parent
_PAPER = Paper.read(_FOLDER / "paper.toml")

SUITE = Suite(
    paper=_PAPER,
    experiments=experiments,
    claims=_PAPER.claims(RULES),
    gating=(
        "C1a",
        "C1c",
        "C2a",
        "C2c",
        "C4",
        "C5b",
        "C6",
        "C7",
        "C8",
        "C9",
        "C10",
        "C11",
        "C15",
        "C19",
        "C20",
    ),
    deviations=_PAPER.deviations,
    folder=_FOLDER,
    controls=CONTROLS,
    tables=TABLES,
    figures=FIGURES,
    first_seed=FRESH,
    bindings={"t5-base": "t5-base", "opt": "opt-125m", "imagenet": "imagenet-1k", "c4": "c4-en"},
    rehearsal=REHEARSAL,
)
"""The declaration that the harness finds."""
