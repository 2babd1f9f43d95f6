"""A proxy, which stands for what cannot be measured here."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

from harness.claims.findings import Finding, NotMeasuredError, Settled
from harness.claims.forms.base import Form, Measured, digits_of
from harness.claims.judging import JudgingContext, Question, Sampling
from harness.claims.labels import contrast_label
from harness.claims.profiles import Replication
from harness.claims.quantity import Contrast


@dataclass(frozen=True)
class NotComparable(Form):
    """A proxy: θ is measured and shown, and never counted."""

    meaning: ClassVar[str] = "measured and shown, never counted"
    decides: ClassVar[bool] = False
    untested: ClassVar[str] = "only shown"

    theta: Contrast
    _: KW_ONLY
    reason: str
    replication: Replication = Replication.SEEDS

    def examine(self, context: JudgingContext) -> Finding:
        """The numbers, if the run has them; never a verdict."""
        settled = Settled("not comparable", self.reason)
        question = Question(contrast_label(self.theta), self.theta)
        try:
            [answer] = context.ask([question], Sampling(self.replication))
        except NotMeasuredError as error:
            if error.kind == "partial":
                reason = f"{self.reason} Nor is it measured whole: {error.what}."
                settled = Settled("not comparable", reason)
            return Finding(settled=settled)
        untested = answer.record().model_copy(update={"p_plus": None, "p_minus": None})
        return Finding(tests=(untested,), trials=answer.trials, settled=settled)

    def measured(self) -> tuple[Measured, ...]:
        """θ."""
        return (Measured(contrast_label(self.theta), self.theta, self.replication),)

    @property
    def digits(self) -> int:
        """As θ's metrics have."""
        return digits_of(self.theta)
