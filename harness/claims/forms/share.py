"""A gain is at least a share of another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

from harness.claims.forms.statistical import EffectForm
from harness.claims.judging import JudgingContext, Question, is_positive
from harness.claims.precondition import Precondition
from harness.claims.profiles import Replication
from harness.claims.quantity import Cell, Contrast
from harness.store.records import TestRecord


@dataclass(frozen=True)
class Share(EffectForm):
    """A gain is at least a share of another: θ = (a − b) − ratio · (c − d) > 0."""

    meaning: ClassVar[str] = "reproduced if the gain exceeds the stated share of the other gain"

    a: Cell
    b: Cell
    c: Cell
    d: Cell
    _: KW_ONLY
    ratio: float
    delta: float
    delta_reason: str
    replication: Replication = Replication.SEEDS
    denominator_delta: float = 0.0
    """The precondition: the lower bound of c − d must lie above this."""
    preconditions: tuple[Precondition, ...] = ()
    min_seeds: int = 5
    noise_floor: float = 0.0

    def questions(self, reported: Mapping[str, float | None]) -> list[Question]:
        """Whether (a − b) − ratio · (c − d) lies above zero."""
        return [is_positive(self._without(self.ratio), self.delta)]

    def _without(self, share: float) -> Contrast:
        """(a − b) − share · (c − d), with all four cells so that they are paired even if it is zero."""
        return Contrast(((1.0, self.a), (-1.0, self.b), (-share, self.c), (share, self.d)))

    @property
    def _denominator(self) -> Contrast:
        return Contrast(((1.0, self.c), (-1.0, self.d)))

    @property
    def required(self) -> tuple[Precondition, ...]:
        """c − d must be positive, in addition to what is declared."""
        own = Precondition(
            name="denominator",
            theta=self._denominator,
            above=self.denominator_delta,
            reason="A share of nothing means nothing.",
            replication=self.replication,
        )
        return (own, *self.preconditions)

    def supplement(self, context: JudgingContext) -> tuple[TestRecord, ...]:
        """The ratio itself."""
        top, gap = self._without(0.0), self._without(1.0)
        label = "share (a − b) / (c − d)"
        return (context.ratio(label, top, self._denominator, gap, self.replication),)

    @property
    def held(self) -> tuple[float, ...]:
        """The share."""
        return (self.ratio,)

    @property
    def digits(self) -> int:
        """Three: the quantity is compared with a ratio."""
        return 3
