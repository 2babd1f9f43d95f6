"""Which scorer a method uses: parameters that all methods of this paper share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from harness.method import param

if TYPE_CHECKING:
    from methods.lite.scorers import Scorer

JI = "Ji et al. (2024), arXiv:2406.17968"
CITES = {
    "maxsim": "Khattab and Zaharia (2020), arXiv:2004.12832",
    "knrm": "Xiong et al. (2017), arXiv:1706.06613",
}


@dataclass(frozen=True)
class Scoring:
    """A scorer, by its name and sizes."""

    scorer: Literal["de", "de-cls", "maxsim", "knrm", "lite", "lite-flat"] = param(
        "lite", source="section 3", doc="which scorer"
    )
    scale: bool = param(True, source="ours", doc="learn scale and offset of dot product and MaxSim")
    top_k: int = param(1, source="ablation of top-k", doc="similarities a query token sums (MaxSim)")
    factor: int = param(12, source="section 4", doc="hidden widths of LITE over the axis lengths")
    width: int = param(128, source="unspecified in the paper", doc="hidden width of flattened LITE")
    out_norm: bool = param(True, source="section 3", doc="ReLU and LayerNorm after W2 and W4")

    def make(self, l1: int, l2: int) -> Scorer:
        """A new scorer for these lengths; its weights are drawn from the global generator."""
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
