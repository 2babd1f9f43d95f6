"""Lion (Chen et al., 2023) in two experiments of LoRA-RITE: one hook, and a base class for each of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.method import param
from methods.lora_rite.finetune import BaseFineTune
from methods.lora_rite.hook import OptimizerHook
from methods.lora_rite.regression import BaseFitLinear

if TYPE_CHECKING:
    from methods.lora_rite.pairs import Pair
    from own_optimizer.lion import Lion


class _WithLion(OptimizerHook):
    def optimizer_for(self, pairs: list[Pair], rate: float) -> Lion:
        from own_optimizer.lion import Lion

        return Lion([factor for pair in pairs for factor in (pair.a, pair.b)], lr=rate)


@dataclass(frozen=True)
class LionRegression(_WithLion, BaseFitLinear):
    """Lion in the linear regression."""

    rate: float = param(0.01, source="ours", doc="largest learning rate")


@dataclass(frozen=True)
class LionFineTune(_WithLion, BaseFineTune):
    """Lion in fine-tuning."""

    rate: float = param(1e-3, source="ours", doc="largest learning rate")
