"""The Lazy Neuron Phenomenon (Li et al., 2023): trained transformers are sparsely active."""

from pathlib import Path

from harness.suite import Paper, Suite
from suites.sparsity.claims import CLAIMS
from suites.sparsity.controls import CONTROLS
from suites.sparsity.deviations import DEVIATIONS
from suites.sparsity.display import TABLES
from suites.sparsity.experiments import experiments
from suites.sparsity.figures import FIGURES
from suites.sparsity.rehearsal import REHEARSAL

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
    bindings={"t5-base": "t5-base", "opt": "opt-125m", "imagenet": "imagenet-1k", "c4": "c4-en"},
    rehearsal=REHEARSAL,
)
"""The declaration that the harness finds."""
