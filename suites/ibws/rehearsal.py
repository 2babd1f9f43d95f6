"""The large profiles at toy size."""

from __future__ import annotations

from harness.suite import Rehearsal
from methods.common.stand_ins import COMMON, TinyModel

REHEARSAL = Rehearsal(
    stand_ins={**COMMON, "roberta-base": TinyModel("roberta")},
    sizes={
        "EncoderRanker.batch": 8,
        "EncoderRanker.epochs": 1,
        "EncoderRanker.longest": 24,
        "Items.folds": 5,
        "Items.count": 40,
        "LanguageModelAnnotator.batch": 8,
        "PerfectJudgeTask.sizes": 2,
        "RankingTask.test": 10,
        "Redrawn.draws": 2,
    },
)
