"""θ is not below −margin: "costs no quality"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

from harness.claims.forms.statistical import MarginForm
from harness.claims.judging import Question
from harness.claims.labels import contrast_label
from harness.claims.precondition import Precondition
from harness.claims.profiles import Replication
from harness.claims.quantity import Contrast


@dataclass(frozen=True)
class NonInferiority(MarginForm):
    """θ is not below −margin."""

    meaning: ClassVar[str] = "reproduced if the interval of θ lies above minus the margin"
    hypotheses: ClassVar[tuple[str, str]] = ("θ ≤ −Δ", "θ ≥ −Δ")
    cells_gated: ClassVar[bool] = True

    theta: Contrast
    _: KW_ONLY
    margin: float
    margin_reason: str
    replication: Replication = Replication.SEEDS
    preconditions: tuple[Precondition, ...] = ()
    min_seeds: int = 5
    noise_floor: float = 0.0

    def questions(self, reported: Mapping[str, float | None]) -> list[Question]:
        """Whether θ lies above the lower end of the margin."""
        label = contrast_label(self.theta)
        return [Question(label, self.theta, lower=-self.margin, falls_below=-self.margin)]

    @classmethod
    def thresholds(cls, delta: float) -> tuple[float, ...]:
        """The lower end of the margin."""
        return (-delta,)
