"""A soft MaxSim in two experiments of LITE: one hook, and a base class for each of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.method import param
from methods.lite.latency import BaseRescore
from methods.lite.method import BaseTrainRanker
from methods.lite.scoring import ScorerHook

if TYPE_CHECKING:
    from own_scorer.soft import SoftMaxSim


@dataclass(frozen=True)
class _WithSoftMaxSim(ScorerHook):
    sharpness: float = param(10.0, source="ours", doc="β at the start")

    def scorer_for(self, l1: int, l2: int) -> SoftMaxSim:
        from own_scorer.soft import SoftMaxSim

        return SoftMaxSim(self.sharpness)


@dataclass(frozen=True)
class SoftRanker(_WithSoftMaxSim, BaseTrainRanker):
    """Soft MaxSim, trained as the paper's scorers are."""

    steps: int = param(120, source="ours", doc="updates")


@dataclass(frozen=True)
class SoftRescore(_WithSoftMaxSim, BaseRescore):
    """What soft MaxSim costs."""
