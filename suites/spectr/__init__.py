"""SpecTr (Sun et al., 2023): speculative decoding with several drafts, by optimal transport."""

from pathlib import Path

from harness.suite import Paper, Suite
from suites.spectr.claims import RULES
from suites.spectr.controls import CONTROLS
from suites.spectr.display import FIGURES, TABLES
from suites.spectr.experiments import FIRST, experiments
from suites.spectr.rehearsal import REHEARSAL

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
    bindings={"target": "spectr-target", "draft": "spectr-draft", "gemma": "gemma-3-270m"},
    rehearsal=REHEARSAL,
)
"""The declaration that the harness finds."""
