"""The large profiles at toy size."""

from __future__ import annotations

from harness.suite import Rehearsal
from methods.common.stand_ins import COMMON, DIGITS, Rows, TinyModel

REHEARSAL = Rehearsal(
    stand_ins={
        **COMMON,
        "gemma-3-270m": TinyModel("gemma3", loud=DIGITS),
        "amazon-reviews-us": Rows("amazon_reviews"),
        "flan-t5-base": TinyModel("t5-v1.1", loud=DIGITS),
        "flan-t5-large": TinyModel("t5-v1.1", seed=1, loud=DIGITS),
        "flan-t5-xl": TinyModel("t5-v1.1", seed=2, loud=DIGITS),
        "sts-2015": Rows("sts", {"test": 40}),
        "sts-b": Rows("sts"),
    },
    sizes={
        "PromptedGrades.batch": 8,
        "PromptedGrades.draws": 1,
        "PromptedGrades.held": 8,
        "PromptedGrades.test": 12,
        "Property.count": 4,
        "SampledAnswers.batch": 8,
        "SampledAnswers.count": 4,
        "SampledAnswers.test": 8,
        "SampledAnswers.tokens": 4,
    },
)
