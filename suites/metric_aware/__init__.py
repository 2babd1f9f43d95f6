"""Metric-aware inference (Lukasik et al., 2024): the answer that the metric asks for."""

from pathlib import Path

from harness.suite import Paper, Suite
from suites.metric_aware.cells import FRESH
from suites.metric_aware.claims import RULES
from suites.metric_aware.claims_training import TRAINING_RULES
from suites.metric_aware.controls import CONTROLS
from suites.metric_aware.display import FIGURES, TABLES
from suites.metric_aware.experiments import experiments
from suites.metric_aware.rehearsal import REHEARSAL

_FOLDER = Path(__file__).parent
_PAPER = Paper.read(_FOLDER / "paper.toml")

SUITE = Suite(
    paper=_PAPER,
    experiments=experiments,
    claims=_PAPER.claims({**RULES, **TRAINING_RULES}),
    gating=("M2c", "M3b", "M4b", "M4c", "M8a", "R1c", "R2a"),
    deviations=_PAPER.deviations,
    folder=_FOLDER,
    controls=CONTROLS,
    tables=TABLES,
    figures=FIGURES,
    first_seed=FRESH,
    bindings={
        "gemma": "gemma-3-270m",
        "flan-base": "flan-t5-base",
        "flan-large": "flan-t5-large",
        "flan-xl": "flan-t5-xl",
        "encoder": "all-minilm-l6-v2",
    },
    rehearsal=REHEARSAL,
)
"""The declaration that the harness finds."""
