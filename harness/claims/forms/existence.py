"""There is a witness."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

from harness.claims.findings import Finding, NotMeasuredError, Settled, not_measured
from harness.claims.forms.base import Form, Measured
from harness.claims.judging import JudgingContext
from harness.claims.quantity import Cell
from harness.claims.wording import count
from harness.store.records import Interval, TestRecord


@dataclass(frozen=True)
class Existence(Form):
    """At least one stored witness that an oracle has checked.

    The cell's table has the columns ``witness`` and ``confirmed`` (bool) and ``case`` (text).
    """

    meaning: ClassVar[str] = "reproduced by one stored witness that an oracle has checked"

    cell: Cell
    _: KW_ONLY
    oracle: str

    def examine(self, context: JudgingContext) -> Finding:
        """One witness that an oracle has checked is enough; finding none proves nothing."""
        try:
            rows = context.pooled(self.cell, ("witness", "confirmed", "case"))
        except NotMeasuredError as error:
            return not_measured(error)
        found = rows.columns["witness"].astype(bool) & rows.columns["confirmed"].astype(bool)
        cases = len(found)
        record = TestRecord(
            label=f"confirmed witnesses of {self.cell.method}",
            effect=Interval(value=float(found.sum())),
            test="counted",
            seeds=len(rows.trials),
            units=cases,
        )
        if found.any():
            first = rows.columns["case"][found][0]
            settled = Settled("reproduced", f"A witness, confirmed by {self.oracle}: {first}.")
        else:
            none = f"No witness that {self.oracle} confirms in {count(cases, 'case')}."
            settled = Settled("inconclusive", none, "no witness")
        return Finding(tests=(record,), trials=rows.trials, settled=settled)

    def measured(self) -> tuple[Measured, ...]:
        """Nothing: its rows are cases."""
        return ()

    @property
    def checked_by(self) -> str:
        """The oracle."""
        return self.oracle

    @property
    def digits(self) -> int:
        """None, for a count."""
        return 0
