"""θ is positive, and at least the smallest effect that matters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

from harness.claims.forms.statistical import EffectForm
from harness.claims.judging import Question, is_positive
from harness.claims.precondition import Precondition
from harness.claims.profiles import Replication
from harness.claims.quantity import Contrast


@dataclass(frozen=True)
class Direction(EffectForm):
    """θ is positive, and at least the smallest effect that matters."""

    meaning: ClassVar[str] = "reproduced if θ > 0 is significant and the estimate is at least δ"
    cells_gated: ClassVar[bool] = True

    theta: Contrast
    _: KW_ONLY
    delta: float
    delta_reason: str
    replication: Replication = Replication.SEEDS
    preconditions: tuple[Precondition, ...] = ()
    min_seeds: int = 5
    noise_floor: float = 0.0

    def questions(self, reported: Mapping[str, float | None]) -> list[Question]:
        """Whether θ lies above zero."""
        return [is_positive(self.theta, self.delta)]
