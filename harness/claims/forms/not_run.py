"""What nothing here can measure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from harness.claims.findings import Finding, Settled
from harness.claims.forms.base import Form, Measured
from harness.claims.judging import JudgingContext


@dataclass(frozen=True)
class NotRun(Form):
    """Nothing here can measure it: a closed model, missing hardware, no stated quantity."""

    meaning: ClassVar[str] = "nothing here can measure it"
    decides: ClassVar[bool] = False
    untested: ClassVar[str] = "not run"

    reason: str

    def examine(self, context: JudgingContext) -> Finding:
        """The reason."""
        return Finding(settled=Settled("not run", self.reason))

    def measured(self) -> tuple[Measured, ...]:
        """Nothing."""
        return ()

    @property
    def kind(self) -> str:
        """As its verdict."""
        return "not run"

    @property
    def digits(self) -> int:
        """Of no number."""
        return 3
