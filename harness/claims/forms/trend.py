"""θ grows with size: a slope within each replicate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

from harness.claims.forms.base import Fault
from harness.claims.forms.statistical import EffectForm
from harness.claims.judging import Question
from harness.claims.precondition import Precondition
from harness.claims.profiles import Replication
from harness.claims.quantity import Contrast, slope


@dataclass(frozen=True)
class Trend(EffectForm):
    """The per-replicate slope over at least three sizes is positive and no step falls.

    Attributes:
        points: (x, θ at x), x increasing; the slope is by least squares in x.
        delta: Smallest slope that matters, per unit of x.
        step_margin: No step may lie below −step_margin (lower bound of its interval).
    """

    meaning: ClassVar[str] = "reproduced if the slope passes and no step falls"

    points: tuple[tuple[float, Contrast], ...]
    _: KW_ONLY
    delta: float
    delta_reason: str
    step_margin: float
    replication: Replication = Replication.SEEDS
    preconditions: tuple[Precondition, ...] = ()
    min_seeds: int = 5
    noise_floor: float = 0.0

    def questions(self, reported: Mapping[str, float | None]) -> list[Question]:
        """Whether the slope lies above zero, and no step below its margin; only the slope can fall."""
        steps = [
            Question(f"step from {x:g} to {y:g}", right - left, lower=-self.step_margin, scale=y - x)
            for (x, left), (y, right) in zip(self.points, self.points[1:], strict=False)
        ]
        label = f"slope of {self.points[0][1].terms[0][1].metric.name}"
        return [Question(label, slope(self.points), falls_below=self.delta, size=self.delta), *steps]

    def faults(self) -> Iterator[Fault]:
        """Fewer than three sizes, or sizes out of order."""
        sizes = [x for x, _ in self.points]
        if len(sizes) < 3 or sizes != sorted(set(sizes)):
            yield "A trend needs at least three increasing sizes", "Add sizes, in order."

    @classmethod
    def summary(cls, values: Sequence[float]) -> tuple[list[int], str]:
        """The slope."""
        return [0], "slope"

    @property
    def digits(self) -> int:
        """Three: a slope is not in the unit of the score."""
        return 3
