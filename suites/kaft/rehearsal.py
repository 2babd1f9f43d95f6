"""The large profiles at toy size."""

from __future__ import annotations

from harness.suite import Rehearsal
from methods.common.stand_ins import COMMON, CONTINENTS, SURNAMES, Rows, TinyModel

REHEARSAL = Rehearsal(
    stand_ins={
        **COMMON,
        "gemma-3-270m": TinyModel("gemma3", loud=CONTINENTS),
        "kaft-t5": TinyModel("t5-v1.1", loud=SURNAMES[:2]),
        "qasc": Rows("qasc"),
        "squad-v2": Rows("squad", {"train": 60, "validation": 40}),
        "t-rex": Rows("trex"),
        "triviaqa-wikipedia": Rows("triviaqa", {"train": 160, "validation": 60}),
    },
    sizes={
        "FactReading.batch": 8,
        "FactReading.unknown": 8,
        "Knowledge.recalled_most": 20,
        "Method.batch": 4,
        "Method.steps": 2,
        "OpenData.test": 16,
        "OpenData.train": 160,
        "OpenKnowledge.batch": 8,
        "OpenReading.batch": 8,
        "PretrainedWorld.batch": 16,
        "PretrainedWorld.hidden": 16,
        "PretrainedWorld.layers": 1,
        "PretrainedWorld.novel": 4,
        "PretrainedWorld.objects": 4,
        "PretrainedWorld.pool": 2000,
        "PretrainedWorld.steps": 250,
        "PretrainedWorld.subjects": 12,
        "WorldReading.batch": 16,
        "WorldReading.draws": 1,
        "WorldReading.examples": 4,
    },
)
