"""LoRA-RITE (Yen et al., 2025): an optimizer that does not see how LoRA's product is split.

In the order of the paper:

* ``paper.toml``: what it says and reports, and where we differ.
* ``arms.py``: LoRA-RITE and the other optimizers, with their grids of rates.
* ``experiments.py``, ``gemma.py``, ``public.py``: equivalent factors, strings, a released model, public data.
* ``cells.py``: what is varied, and where it is measured.
* ``claims.py``: invariance, theory, cost; ``claims_tuning.py``: fine-tuning; ``controls.py``: controls.
* ``display.py``: tables and figures; ``rehearsal.py``: the large profiles at toy size.
"""

from pathlib import Path

from harness.suite import Suite
from suites.lora_rite import claims, claims_tuning
from suites.lora_rite.arms import FIRST
from suites.lora_rite.controls import CONTROLS
from suites.lora_rite.display import FIGURES, TABLES
from suites.lora_rite.experiments import experiments
from suites.lora_rite.rehearsal import REHEARSAL

SUITE = Suite.read(
    Path(__file__).parent,
    {**claims.RULES, **claims_tuning.RULES},
    experiments=experiments,
    gating=("C4c", "C5a", "C6", "C8a", "C11b", "E1b", "E2"),
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
