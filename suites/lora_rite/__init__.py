"""LoRA-RITE (Yen et al., 2025): an optimizer that does not see how LoRA's product is split."""

from pathlib import Path

from harness.suite import Paper, Suite
from suites.lora_rite.claims import CLAIMS
from suites.lora_rite.controls import CONTROLS
from suites.lora_rite.deviations import DEVIATIONS
from suites.lora_rite.display import FIGURES, TABLES
from suites.lora_rite.experiments import experiments
from suites.lora_rite.rehearsal import REHEARSAL

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
