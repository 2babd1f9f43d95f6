"""SpecTr (Sun et al., 2023): speculative decoding with several drafts, by optimal transport."""

from pathlib import Path

from harness.suite import Paper, Suite
from suites.spectr.claims import CLAIMS
from suites.spectr.controls import CONTROLS
from suites.spectr.deviations import DEVIATIONS
from suites.spectr.display import FIGURES, TABLES
from suites.spectr.experiments import experiments
from suites.spectr.rehearsal import REHEARSAL

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
    bindings={"target": "spectr-target", "draft": "spectr-draft", "gemma": "gemma-3-270m"},
    rehearsal=REHEARSAL,
)
"""The declaration that the harness finds."""
