"""One method takes a fraction of another's time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, replace
from typing import ClassVar

from harness.claims.forms.base import Measured
from harness.claims.forms.statistical import EffectForm
from harness.claims.judging import Question, Sampling, is_positive
from harness.claims.labels import contrast_label
from harness.claims.precondition import Precondition
from harness.claims.profiles import Replication
from harness.claims.quantity import CALIBRATION, Cell, log

SLOWER = math.log(1.5)
"""What an arm may lose against the calibration, which a busy machine slows down less than memory."""


@dataclass(frozen=True)
class Time(EffectForm):
    """A measured log-ratio of times: slow / fast ≥ exp(delta), over interleaved blocks."""

    meaning: ClassVar[str] = (
        "reproduced if the log-ratio of measured times is large enough over interleaved blocks"
    )

    slow: Cell
    fast: Cell
    _: KW_ONLY
    delta: float
    delta_reason: str
    preconditions: tuple[Precondition, ...] = ()
    min_blocks: int = 8
    noise_floor: float = 0.0

    def questions(self, reported: Mapping[str, float | None]) -> list[Question]:
        """Whether log(slow) − log(fast) lies above zero."""
        return [is_positive(log(self.slow) - log(self.fast), self.delta)]

    def watched(self) -> tuple[Measured, ...]:
        """Also the time of each arm against the calibration, which tells if both have become slower."""
        arms = [cell for cell in (self.slow, self.fast) if cell.part == "time"]
        return (*self.measured(), *(self._calibrated(cell) for cell in arms))

    def _calibrated(self, cell: Cell) -> Measured:
        theta = log(replace(cell, method=CALIBRATION)) - log(cell)
        return Measured(contrast_label(theta), theta, Replication.SEEDS, allowed=SLOWER)

    @property
    def sampling(self) -> Sampling:
        """Over blocks, which the rows of a timed trial show by themselves."""
        return Sampling(Replication.SEEDS, self.min_blocks, self.noise_floor)

    @property
    def replicates(self) -> str:
        """Blocks."""
        return "blocks"

    @property
    def may_collapse(self) -> bool:
        """A slow block is not a failed one."""
        return False

    def lacking(self, seeds: int, blocks: int | None) -> str:
        """Too few blocks, or an experiment that is not timed."""
        found = blocks or 0
        return f"{found} blocks of at least {self.min_blocks}" if found < self.min_blocks else ""

    @property
    def digits(self) -> int:
        """Three, as for any logarithm."""
        return 3
