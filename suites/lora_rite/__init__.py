"""LoRA-RITE (Yen et al., 2025): an optimizer that does not see how LoRA's product is split."""

from pathlib import Path

from harness.suite import Paper, Suite
from suites.lora_rite import claims, claims_tuning
from suites.lora_rite.arms import FIRST
from suites.lora_rite.controls import CONTROLS
from suites.lora_rite.display import FIGURES, TABLES
from suites.lora_rite.experiments import experiments
from suites.lora_rite.rehearsal import REHEARSAL

_FOLDER = Path(__file__).parent
_PAPER = Paper.read(_FOLDER / "paper.toml")

SUITE = Suite(
    paper=_PAPER,
    experiments=experiments,
    claims=_PAPER.claims({**claims.RULES, **claims_tuning.RULES}),
    gating=("C4c", "C5", "C6", "C8", "C11b", "E1b", "E2"),
    deviations=_PAPER.deviations,
    folder=_FOLDER,
    controls=CONTROLS,
    tables=TABLES,
    figures=FIGURES,
    first_seed=FIRST,
    bindings={
        "gemma": "gemma-3-270m",
        "gemma-2b": "gemma-2b",
        "gemma-7b": "gemma-7b",
        "gemma2-2b": "gemma2-2b",
        "mt5": "mt5-xxl",
        "encoder": "all-minilm-l6-v2",
    },
    rehearsal=REHEARSAL,
)
"""The declaration that the harness finds."""
