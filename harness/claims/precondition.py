"""A precondition: without it, a missing effect would say nothing."""

from __future__ import annotations

from dataclasses import dataclass

from harness.claims.findings import NotMeasuredError
from harness.claims.judging import JudgingContext, Question, Sampling
from harness.claims.profiles import Replication
from harness.claims.quantity import Contrast
from harness.claims.ratios import factor, factor_text, ratio_of
from harness.claims.wording import number
from harness.store.records import AssayRecord, Interval, RatioRecord


@dataclass(frozen=True)
class Precondition:
    """A precondition that shows that the effect could have appeared at all.

    It passes if the 95 % interval of ``theta`` lies above ``above`` and, where given,
    below ``below``.
    """

    name: str
    theta: Contrast
    above: float
    reason: str
    below: float | None = None
    replication: Replication = Replication.SEEDS

    def check(self, context: JudgingContext) -> AssayRecord:
        """Whether it holds in a run; what is not measured does not."""
        ratio = ratio_of(self.theta, self.name)
        rule = f"interval above {self._limit(self.above, ratio)}"
        if self.below is not None:
            rule += f" and below {self._limit(self.below, ratio)}"
        try:
            [answer] = context.ask([Question(self.name, self.theta)], Sampling(self.replication))
        except NotMeasuredError as error:
            unknown = Interval(value=float("nan"))
            return AssayRecord(name=self.name, passed=False, effect=unknown, rule=rule, reason=str(error))
        effect = answer.effect
        passed = (
            effect.low is not None
            and effect.high is not None
            and effect.low > self.above
            and (self.below is None or effect.high < self.below)
        )
        return AssayRecord(
            name=self.name, passed=passed, effect=effect, rule=rule, reason=self.reason, ratio=ratio
        )

    @staticmethod
    def _limit(value: float, ratio: RatioRecord | None) -> str:
        return number(value) if ratio is None else f"{factor_text(ratio.times * factor(value))} times"
