"""Each step of a sequence is positive."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

from harness.claims.forms.base import Fault
from harness.claims.forms.statistical import EffectForm
from harness.claims.judging import Question, are_positive
from harness.claims.precondition import Precondition
from harness.claims.profiles import Replication
from harness.claims.quantity import Contrast


@dataclass(frozen=True)
class Ordering(EffectForm):
    """Each of ``steps`` (adjacent differences, the paper's side positive) is positive."""

    meaning: ClassVar[str] = "reproduced if every adjacent difference passes"
    cells_gated: ClassVar[bool] = True

    steps: tuple[Contrast, ...]
    _: KW_ONLY
    delta: float
    delta_reason: str
    replication: Replication = Replication.SEEDS
    preconditions: tuple[Precondition, ...] = ()
    min_seeds: int = 5
    noise_floor: float = 0.0

    def questions(self, reported: Mapping[str, float | None]) -> list[Question]:
        """Whether each step lies above zero."""
        return are_positive(self.steps, self.delta)

    def faults(self) -> Iterator[Fault]:
        """An ordering of nothing."""
        if not self.steps:
            yield "An ordering has no steps", "Give the adjacent differences."
