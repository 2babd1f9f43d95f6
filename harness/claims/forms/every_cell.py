"""The same statement for each of several tasks or settings."""

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
class EveryCell(EffectForm):
    """Each of ``thetas`` passes the direction rule."""

    meaning: ClassVar[str] = "reproduced if every cell passes"
    cells_gated: ClassVar[bool] = True

    thetas: tuple[Contrast, ...]
    _: KW_ONLY
    delta: float
    delta_reason: str
    replication: Replication = Replication.SEEDS
    preconditions: tuple[Precondition, ...] = ()
    min_seeds: int = 5
    noise_floor: float = 0.0

    def questions(self, reported: Mapping[str, float | None]) -> list[Question]:
        """Whether each quantity lies above zero."""
        return are_positive(self.thetas, self.delta)

    def faults(self) -> Iterator[Fault]:
        """A statement on nothing."""
        if not self.thetas:
            yield "It asks something of every cell and names none", "Give the quantities."
