"""The large profiles at toy size."""

from __future__ import annotations

from harness.suite import Rehearsal
from methods.common.stand_ins import COMMON, TinyModel

REHEARSAL = Rehearsal(
    stand_ins={**COMMON, "instruct-model": TinyModel("qwen2", loud=("<|im_end|>",))},
    servers=dict.fromkeys(("stronger", "weaker"), "methods.common.stand_ins.server:serving"),
    sizes={
        "Method.batch": 4,
        "Method.expansions": 2,
        "Method.proposals": 2,
        "Method.shots": 4,
        "Method.rules": 3,
        "Opro.each": 2,
        "RuleFollowing.counts": 2,
        "RuleFollowing.inputs": 3,
        "RuleFollowing.lists": 1,
        "SynTreeTask.budget": 2,
        "SynTreeTask.test": 3,
        "SynTreeTask.train": 8,
        "SynTreeTask.validation": 6,
    },
)
