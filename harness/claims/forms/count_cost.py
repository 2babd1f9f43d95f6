"""A count that is the same each time: bytes, FLOPs, calls."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

from harness.claims.findings import Finding, NotMeasuredError, Settled, not_measured
from harness.claims.forms.base import Form, Measured, digits_of
from harness.claims.judging import JudgingContext
from harness.claims.labels import cell_label, contrast_label
from harness.claims.profiles import Replication
from harness.claims.quantity import Contrast
from harness.claims.ratios import factor, factor_text, ratio_of
from harness.claims.wording import count, number
from harness.store.records import Interval, TestRecord


@dataclass(frozen=True)
class CountCost(Form):
    """A deterministic count (bytes, FLOPs, calls, judgements): θ ≥ delta, without a test."""

    meaning: ClassVar[str] = "a deterministic count, compared without a test"

    theta: Contrast
    _: KW_ONLY
    delta: float
    delta_reason: str

    def examine(self, context: JudgingContext) -> Finding:
        """θ ≥ δ in every seed; if only in some, the count is not fixed."""
        try:
            found = context.values(self.theta)
        except NotMeasuredError as error:
            return not_measured(error)
        record = TestRecord(
            label=contrast_label(self.theta),
            effect=Interval(value=found.mean, low=min(found.theta), high=max(found.theta)),
            test="counted; the interval is the range over seeds",
            seeds=len(found.theta),
            units=found.units,
            cells=[Interval(value=value) for value in found.cells],
            cell_labels=[cell_label(cell) for _, cell in self.theta.terms],
            replicates=list(found.theta),
            ratio=ratio_of(self.theta, contrast_label(self.theta)),
        )
        settled = self._settled(record)
        return Finding(tests=(record,), trials=found.trials, settled=settled)

    def _settled(self, record: TestRecord) -> Settled:
        seeds = len(record.replicates)
        reached = sum(value >= self.delta for value in record.replicates)
        least = number(self.delta)
        if record.ratio:
            least = f"{factor_text(record.ratio.times * factor(self.delta))} times"
        label = record.ratio.label if record.ratio else record.label
        phrase = f"{label} is at least {least} in {reached} of {count(seeds, 'seed')}"
        if reached == seeds:
            return Settled("reproduced", f"{phrase}.")
        if reached == 0:
            return Settled("not reproduced", f"{phrase}.")
        return Settled("inconclusive", f"{phrase}, so it is not a fixed count.", "invalid")

    def measured(self) -> tuple[Measured, ...]:
        """θ."""
        return (Measured(contrast_label(self.theta), self.theta, Replication.SEEDS),)

    @property
    def effect(self) -> tuple[float | None, str]:
        """δ."""
        return self.delta, self.delta_reason

    @property
    def held(self) -> tuple[float, ...]:
        """What θ is compared with: without a test, θ ≥ δ says just that."""
        return (self.delta + self.theta.constant,)

    @property
    def digits(self) -> int:
        """As θ's metrics have."""
        return digits_of(self.theta)
