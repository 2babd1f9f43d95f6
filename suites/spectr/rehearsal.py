"""The large profiles at toy size."""

from __future__ import annotations

from harness.suite import Rehearsal
from methods.common.stand_ins import COMMON, TinyModel

REHEARSAL = Rehearsal(
    stand_ins={**COMMON, "spectr-target": TinyModel("llama", seed=1), "spectr-draft": TinyModel("llama")},
    sizes={
        "Chain.prompts": 6,
        "Chain.tokens": 6,
        "Continue.prompts": 6,
        "Continue.tokens": 8,
        "Pairs.random": 2,
        "SelectOnce.repeats": 1,
        "TinyChains.most": 2,
        "TinyChains.worlds": 1,
        "TrainedDraft.length": 16,
        "TrainedDraft.windows": 8,
    },
)
