"""A trial that was run again against what is stored of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from harness.claims import Cell
from harness.claims.findings import NotMeasuredError
from harness.claims.labels import cell_label
from harness.errors import OmittedRowsError
from harness.evidence.paired_runs import same_column
from harness.evidence.reading import TIMES
from harness.evidence.series import Reader, Series
from harness.plan.selection import cells_of
from harness.store.records import RunRecord, TrialRecord
from harness.store.view import TIMED_METHOD, RunView
from harness.suite import Scale, Suite

Columns = Mapping[str, NDArray[np.generic]]

_APART = 3 * 2**0.5
"""Noise floors that two runs may lie apart: their difference has √2 of the deviation of one, and chance makes
it exceed three times that once in 370."""


@dataclass(frozen=True)
class Repeated:
    """What became of a trial that was run again.

    Attributes:
        kind: Whether its rows are as stored; ``unjudged`` if nothing says how much they may differ.
        text: The trial, and what differs.
    """

    kind: Literal["equal", "differ", "unjudged"]
    text: str


def repeated(suite: Suite, scale: Scale, reader: Reader, again: RunView, trial: str) -> Repeated:
    """Compare a trial with its stored self.

    In the environment that it was made in, rows must be equal bit for bit. In another, its cells may move the
    quantities of claims by what their noise floors explain. Times are never equal, and not compared.

    Args:
        suite: The declarations.
        scale: Of the run.
        reader: Of the stored run, after it has been judged and reported on.
        again: The run of that trial alone.
        trial: Its name.
    """
    before, after = reader.view.trials[trial], again.trials[trial]
    if before.status != after.status:
        last = after.error.strip().rpartition("\n")[2]
        return Repeated(
            "differ", f"{trial}: {before.status} before, {after.status} now{last and f': {last}'}"
        )
    if before.status == "diverged":
        return Repeated("equal", trial)
    found = [*_rows_that_differ(reader, again, before), *_values_that_differ(reader, again, before)]
    if not found:
        return Repeated("equal", trial)
    told = f"{trial}: {'; '.join(found)}{_other_code(before, after)}"
    if before.environment == after.environment:
        return Repeated("differ", told)
    stakes = list(_stakes(suite, scale, reader.view.record, before))
    return _within_noise(stakes, reader, again, before, told)


def _other_code(before: TrialRecord, after: TrialRecord) -> str:
    return "" if before.fingerprint == after.fingerprint else "; its code or data have changed since"


def _rows_that_differ(reader: Reader, again: RunView, record: TrialRecord) -> Iterator[str]:
    """What of the rows that are stored is not as before."""
    for part in record.parts:
        if record.method == TIMED_METHOD and part == TIMES:
            continue
        try:
            stored = reader.view.table(record.trial, part)
        except OmittedRowsError:
            continue
        now = again.table(record.trial, part) if part in again.trials[record.trial].parts else {}
        for name, column in stored.items():
            if name not in now:
                yield f"{part}.{name} is not there"
            elif not same_column(column, now[name]):
                yield f"{part}.{name} differs{_by_how_much(column, now[name])}"


def _by_how_much(stored: NDArray[np.generic], now: NDArray[np.generic]) -> str:
    if len(stored) != len(now):
        return f": {len(stored)} rows before, {len(now)} now"
    rows = int(np.sum(stored != now))
    if not (np.issubdtype(stored.dtype, np.number) and np.issubdtype(now.dtype, np.number)):
        return f" in {rows} of {len(now)} rows"
    largest = np.nanmax(np.abs(stored.astype(np.float64) - now.astype(np.float64)))
    return f" in {rows} of {len(now)} rows, by {largest:.3g} at most"


def _values_that_differ(reader: Reader, again: RunView, record: TrialRecord) -> Iterator[str]:
    """The kept values, where their rows are left out, that are not as before."""
    if reader.view.kept is None or record.method == TIMED_METHOD:
        return
    now = Reader(again)
    for cell, found in reader.found.items():
        if isinstance(found, Series) and _is_of(cell, record) and not _has_rows(reader.view, record, cell):
            stored, value = _value(reader, cell, record), _value(now, cell, record)
            if not same_column(np.array([stored]), np.array([value])):
                yield f"{cell_label(cell)} is stored as {stored!r}, and is now {value!r}"


def _has_rows(view: RunView, record: TrialRecord, cell: Cell) -> bool:
    try:
        return set(cell.metric.columns) <= set(view.table(record.trial, cell.part))
    except OmittedRowsError:
        return False


def _is_of(cell: Cell, record: TrialRecord) -> bool:
    """Whether a cell is measured in a trial."""
    place = (cell.experiment, cell.method, cell.task or record.task)
    return record.stage == "main" and place == (record.experiment, record.method, record.task)


def _value(reader: Reader, cell: Cell, record: TrialRecord) -> float:
    """A cell in one seed; no number if it cannot be computed."""
    try:
        series = reader.series(cell)
        return series.value(series.keys.index(str(record.seed)))
    except NotMeasuredError:
        return float("nan")


@dataclass(frozen=True)
class _Stake:
    """What a cell of a trial has in a claim's quantity.

    Attributes:
        weight: By how much θ moves where the cell (or its logarithm) moves by 1.
        floor: The noise floor of θ; 0 where none is known.
    """

    cell: Cell
    weight: float
    log: bool
    floor: float

    def moves(self, before: float, after: float) -> float:
        """By how much θ moves, as a size; no number where one of the values has none."""
        sides = np.array([before, after])
        with np.errstate(divide="ignore", invalid="ignore"):
            return abs(self.weight * float(np.diff(np.log(sides) if self.log else sides)[0]))


def _stakes(suite: Suite, scale: Scale, run: RunRecord, record: TrialRecord) -> Iterator[_Stake]:
    """Every cell that claims measure in a trial, in each of their quantities, or in a precondition."""
    for claim in suite.claims:
        form = claim.forms.get(scale.profile)
        if form is None:
            continue
        floor = form.floored(run.noise.get(claim.id, 0.0)).stated_noise
        found = [
            _Stake(cell, weight, item.theta.log, floor)
            for item in form.measured()
            if item.allowed is not None
            for weight, cell in item.theta.terms
        ]
        asked = {stake.cell for stake in found}
        found += [_Stake(cell, 1.0, log=False, floor=floor) for cell in cells_of(form) if cell not in asked]
        yield from (stake for stake in found if _is_of(stake.cell, record))


def _within_noise(
    stakes: Sequence[_Stake], reader: Reader, again: RunView, record: TrialRecord, told: str
) -> Repeated:
    """Whether what the trial does to the quantities of claims is within their noise."""
    now = Reader(again)
    values = {s.cell: (_value(reader, s.cell, record), _value(now, s.cell, record)) for s in stakes}
    changed = {
        cell for cell, (old, new) in values.items() if not same_column(np.array([old]), np.array([new]))
    }
    stated = [stake for stake in stakes if stake.floor]
    for stake in stated:
        if stake.cell in changed and not stake.moves(*values[stake.cell]) <= _APART * stake.floor:
            text = _beyond(stake, *values[stake.cell])
            return Repeated("differ", f"{record.trial}, in another environment: {text}")
    if changed - {stake.cell for stake in stated} or not stated:
        return Repeated("unjudged", f"in another environment, for which no noise floor is stated: {told}")
    return Repeated("equal", record.trial)


def _beyond(stake: _Stake, before: float, after: float) -> str:
    return (
        f"{cell_label(stake.cell)} was {before:.6g} and is {after:.6g}, "
        f"beyond what the noise floor {stake.floor:.3g} explains"
    )
