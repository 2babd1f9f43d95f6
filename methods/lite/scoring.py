"""Which scorer a method uses: a hook for any, and those of this package by name.

A scorer of one's own joins an experiment as a method with this hook, beside the paper's::

    class MyRanker(BaseTrainRanker):
        def scorer_for(self, l1: int, l2: int) -> Scorer:
            return MyScorer(l1, l2)

``BaseLearnOrder``, ``BaseRegress``, ``BaseFitScorer`` and ``BaseRescore`` are the same for the other
experiments; ``examples/own_scorer`` is a whole package.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from harness.method import param

if TYPE_CHECKING:
    from methods.lite.scorers import Scorer

JI = "Ji et al. (2024), arXiv:2406.17968"


class ScorerHook(ABC):
    """A method with a scorer of late interactions that a subclass chooses."""

    @abstractmethod
    def scorer_for(self, l1: int, l2: int) -> Scorer:
        """A new scorer with random weights, which are drawn from PyTorch's seeded global generator.

        Args:
            l1: Vectors of a query, padding included.
            l2: Vectors of a document, padding included.
        """


@dataclass(frozen=True)
class NamedScorer(ScorerHook):
    """Uses a scorer of :mod:`methods.lite.scorers`, by its name and sizes."""

    scorer: Literal["de", "de-cls", "maxsim", "knrm", "lite", "lite-flat"] = param(
        "lite", source="paper, section 3", doc="which scorer"
    )
    scale: bool = param(True, source="ours", doc="learn scale and offset of dot product and MaxSim")
    top_k: int = param(1, source="card, claim C9", doc="similarities a query token sums (MaxSim)")
    factor: int = param(12, source="paper, section 4", doc="hidden widths of LITE over the axis lengths")
    width: int = param(128, source="ours: unspecified in the paper", doc="hidden width of flattened LITE")
    out_norm: bool = param(True, source="paper, section 3", doc="ReLU and LayerNorm after W2 and W4")

    def scorer_for(self, l1: int, l2: int) -> Scorer:
        """The scorer of that name."""
        from methods.lite import scorers

        match self.scorer:
            case "de" | "de-cls":
                pool: Literal["cls", "mean"] = "cls" if self.scorer == "de-cls" else "mean"
                return scorers.DotProduct(pool, cosine=True, scale=self.scale)
            case "maxsim":
                return scorers.MaxSim(self.top_k, scale=self.scale)
            case "knrm":
                return scorers.Knrm()
            case "lite-flat":
                return scorers.FlatLite(l1, l2, self.width)
            case "lite":
                return scorers.SeparableLite(
                    l1,
                    l2,
                    self.factor * l1,
                    self.factor * l2,
                    out_norm=self.out_norm,
                    out_activation=self.out_norm,
                )
