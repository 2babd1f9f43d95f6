"""A mathematical property, checked case by case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, ClassVar

from harness.claims.findings import Finding, NotMeasuredError, Settled, not_measured
from harness.claims.forms.base import Form, Measured
from harness.claims.judging import JudgingContext, Pooled
from harness.claims.quantity import Cell
from harness.claims.wording import count, number
from harness.store.records import Interval, TestRecord

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_COLUMNS = ("error", "tolerance", "case", "confirmed")


@dataclass(frozen=True)
class Exact(Form):
    """A mathematical property: in every case the error is within its tolerance.

    Each cell's table has the columns ``error`` and ``tolerance`` (floats), ``case`` (text) and
    ``confirmed`` (bool: an independent oracle agrees that a case above its tolerance is a
    counterexample). The cells' metric is ignored.
    """

    meaning: ClassVar[str] = "reproduced if every case stays within its tolerance"
    at_any_scale: ClassVar[bool] = True

    cells: tuple[Cell, ...]
    _: KW_ONLY
    oracle: str
    """What checks it: "HiGHS on the full linear program"."""
    min_cases: int = 1

    def examine(self, context: JudgingContext) -> Finding:
        """In every case the error is within its tolerance; a counterexample needs its oracle."""
        try:
            tables = [context.pooled(cell, _COLUMNS) for cell in self.cells]
        except NotMeasuredError as error:
            return not_measured(error)
        return Finding(
            tests=tuple(_record(cell, table) for cell, table in zip(self.cells, tables, strict=True)),
            trials=tuple(dict.fromkeys(trial for table in tables for trial in table.trials)),
            settled=in_whole(self._settled(tables), tables),
        )

    def _settled(self, tables: Sequence[Pooled]) -> Settled:
        cases = sum(len(table.columns["error"]) for table in tables)
        broken, confirmed = [], []
        for table in tables:
            beyond = _beyond(table)
            broken += table.columns["case"][beyond].tolist()
            confirmed += table.columns["case"][beyond & table.columns["confirmed"].astype(bool)].tolist()
        if confirmed:
            return Settled(
                "not reproduced",
                f"A counterexample in {len(confirmed)} of {count(cases, 'case')}, "
                f"confirmed by {self.oracle}: {confirmed[0]}.",
            )
        if broken:
            return Settled(
                "inconclusive",
                f"{count(len(broken), 'case')} beyond tolerance, "
                f"not confirmed by {self.oracle}: {broken[0]}.",
                "invalid",
            )
        if cases < self.min_cases:
            return Settled("inconclusive", f"Only {cases} of at least {self.min_cases} cases.", "power")
        return Settled("reproduced", f"Held in {count(cases, 'case')}, checked by {self.oracle}.")

    def measured(self) -> tuple[Measured, ...]:
        """Nothing: its rows are cases."""
        return ()

    @property
    def checked_by(self) -> str:
        """The oracle."""
        return self.oracle

    @classmethod
    def summary(cls, values: Sequence[float]) -> tuple[list[int], str]:
        """The largest error."""
        return largest(values)

    @property
    def digits(self) -> int:
        """Three, for errors."""
        return 3


def in_whole(settled: Settled, tables: Sequence[Pooled]) -> Settled:
    """What held in some of the cases only has not been seen to hold; what broke is broken."""
    lacking = [table.lacking for table in tables if table.lacking]
    if settled.verdict != "reproduced" or not lacking:
        return settled
    return Settled("not comparable", f"{'; '.join(lacking)}.")


def largest(values: Sequence[float]) -> tuple[list[int], str]:
    """The largest of several values, for an overview."""
    if len(values) < 2:
        return list(range(len(values))), ""
    return [max(range(len(values)), key=values.__getitem__)], f"largest of {len(values)}"


def _beyond(table: Pooled) -> NDArray[np.bool_]:
    """Cases whose error is not within tolerance; NaN is beyond any."""
    import numpy as np

    error = table.columns["error"].astype(np.float64)
    return np.asarray(~(np.abs(error) <= table.columns["tolerance"].astype(np.float64)))


def _record(cell: Cell, table: Pooled) -> TestRecord:
    import numpy as np

    error = np.abs(table.columns["error"].astype(np.float64))
    at = int(np.argmax(np.nan_to_num(error, nan=np.inf)))
    tolerance = float(table.columns["tolerance"].astype(np.float64)[at])
    return TestRecord(
        label=f"largest error of {cell.method}",
        effect=Interval(value=float(error[at])),
        test=f"within its tolerance of {number(tolerance)}",
        seeds=len(table.trials),
        units=len(error),
    )
