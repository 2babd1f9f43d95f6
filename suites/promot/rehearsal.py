"""The large profiles at toy size."""

from __future__ import annotations

from harness.suite import Rehearsal
from methods.common.stand_ins import COMMON, Rows, TinyModel

REHEARSAL = Rehearsal(
    stand_ins={
        **COMMON,
        "cb": Rows("cb"),
        "mt5-xl": TinyModel("mt5", seed=1),
        "rte": Rows("rte"),
        "t5-v1-1-xxl": TinyModel("t5-v1.1"),
        "wic": Rows("wic"),
        "wikilingua-en": Rows("wikilingua"),
        "wmt16-en-de": Rows("wmt_de"),
        "wmt16-en-ro": Rows("wmt_ro"),
    },
    sizes={
        "LoraFirst.adapter_every": 1,
        "LoraFirst.adapter_steps": 2,
        "Method.batch": 4,
        "Method.every": 1,
        "Method.length": 4,
        "Method.prompt_every": 1,
        "Method.prompt_steps": 2,
        "Method.steps": 2,
        "TextWorld.batch": 4,
        "TextWorld.items": 2,
        "TextWorld.limit": 256,
        "TextWorld.new_tokens": 4,
        "TextWorld.test": 4,
        "TextWorld.train": 16,
        "TextWorld.validation": 4,
    },
)
