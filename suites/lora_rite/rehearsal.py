"""The large profiles at toy size."""

from __future__ import annotations

from harness.suite import Rehearsal
from methods.common.stand_ins import COMMON, Rows, TinyModel

REHEARSAL = Rehearsal(
    stand_ins={
        **COMMON,
        "gemma-2b": TinyModel("gemma-mqa"),
        "gemma-7b": TinyModel("gemma"),
        "gemma2-2b": TinyModel("gemma2"),
        "super-natural-instructions": Rows("instructions"),
    },
    sizes={
        "Factored.random": 1,
        "LinearLosses.steps": 20,
        "LinearRegression.steps": 5,
        "PublicTask.accumulate": 2,
        "PublicTask.batch": 4,
        "PublicTask.held_out": 6,
        "PublicTask.limit": 6,
        "PublicTask.longest": 64,
        "PublicTask.steps": 2,
        "StepCost.layers": 2,
        "TakeSteps.repeats": 1,
        "TinyTransformer.steps": 3,
        "Train.repeats": 1,
        "TrainingCost.length": 16,
        "TrainingCost.rows": 2,
        "Unbalanced.steps": 5,
    },
)
