"""KAFT (Li et al., 2023): finetuning that makes a language model obey relevant contexts only."""

from pathlib import Path

from harness.suite import Paper, Suite
from suites.kaft.arms import UNSEEN
from suites.kaft.claims import RULES
from suites.kaft.controls import CONTROLS
from suites.kaft.display import FIGURES, TABLES
from suites.kaft.experiments import experiments
from suites.kaft.rehearsal import REHEARSAL

_FOLDER = Path(__file__).parent
_PAPER = Paper.read(_FOLDER / "paper.toml")

SUITE = Suite(
    paper=_PAPER,
    experiments=experiments,
    claims=_PAPER.claims(RULES),
    gating=("C1b", "C1c", "C2b", "C4", "C5", "C6b", "C8", "C9", "C12"),
    deviations=_PAPER.deviations,
    folder=_FOLDER,
    controls=CONTROLS,
    tables=TABLES,
    figures=FIGURES,
    first_seed=UNSEEN,
    bindings={"model": "kaft-t5", "gemma": "gemma-3-270m"},
    rehearsal=REHEARSAL,
)
"""The declaration that the harness finds."""
