"""KAFT (Li et al., 2023): finetuning that makes a language model obey relevant contexts only."""

from pathlib import Path

from harness.suite import Paper, Suite
from suites.kaft.claims import CLAIMS
from suites.kaft.controls import CONTROLS
from suites.kaft.deviations import DEVIATIONS
from suites.kaft.display import FIGURES, TABLES
from suites.kaft.experiments import experiments
from suites.kaft.rehearsal import REHEARSAL

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
    bindings={"model": "kaft-t5", "gemma": "gemma-3-270m"},
    rehearsal=REHEARSAL,
)
"""The declaration that the harness finds."""
