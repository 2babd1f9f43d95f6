"""θ lies inside (−margin, margin), by two one-sided tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

from harness.claims.forms.statistical import InsideForm
from harness.claims.judging import Question, is_inside
from harness.claims.precondition import Precondition
from harness.claims.profiles import Replication
from harness.claims.quantity import Contrast


@dataclass(frozen=True)
class Equivalence(InsideForm):
    """θ lies inside (−margin, margin)."""

    meaning: ClassVar[str] = "reproduced if the interval of θ lies inside the margins"

    theta: Contrast
    _: KW_ONLY
    margin: float
    margin_reason: str
    replication: Replication = Replication.SEEDS
    preconditions: tuple[Precondition, ...] = ()
    min_seeds: int = 5
    noise_floor: float = 0.0

    def questions(self, reported: Mapping[str, float | None]) -> list[Question]:
        """Whether θ lies between both ends of the margin."""
        return [is_inside(self.theta, self.margin)]
