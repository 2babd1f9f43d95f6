"""A trial that was run again against what is stored of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
from harness.store.records import TrialRecord
from harness.store.view import TIMED_METHOD, RunView
from harness.suite import Scale, Suite

Columns = Mapping[str, NDArray[np.generic]]


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

    In the environment that it was made in, rows must be equal bit for bit. In another, the cells of claims
    may differ by the noise floor that the claims state. Times are never equal, and not compared.

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
    return _within_noise(_floors(suite, scale, before), reader, again, before, told)


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


def _floors(suite: Suite, scale: Scale, record: TrialRecord) -> dict[Cell, float]:
    """The noise floor of every cell that claims measure in a trial; 0 where none is stated."""
    floors: dict[Cell, float] = {}
    for claim in suite.claims:
        form = claim.forms.get(scale.profile)
        floor = form.stated_noise if form else 0.0
        for cell in cells_of(form):
            if _is_of(cell, record):
                known = floors.get(cell, floor)
                floors[cell] = min(known, floor) if known and floor else max(known, floor)
    return floors


def _within_noise(
    floors: Mapping[Cell, float], reader: Reader, again: RunView, record: TrialRecord, told: str
) -> Repeated:
    """Whether the cells of claims stay within the noise that is stated for them."""
    now, unstated = Reader(again), 0
    for cell, floor in floors.items():
        before, after = _value(reader, cell, record), _value(now, cell, record)
        if same_column(np.array([before]), np.array([after])):
            continue
        if not floor:
            unstated += 1
        elif not abs(after - before) <= floor:
            text = f"{cell_label(cell)} was {before:.6g} and is {after:.6g}, beyond the noise floor {floor:g}"
            return Repeated("differ", f"{record.trial}, in another environment: {text}")
    if unstated or not any(floors.values()):
        return Repeated("unjudged", f"in another environment, for which no noise floor is stated: {told}")
    return Repeated("equal", record.trial)
