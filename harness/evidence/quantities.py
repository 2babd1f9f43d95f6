"""From a run's rows to the numbers of a claim: cells and contrasts by seed and unit.

Vocabulary of shapes: S seeds, n units. Units are kept sorted by id, so that position i means
the same unit in every method and seed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from harness.claims import Cell, Contrast
from harness.errors import OmittedRowsError, RecordError
from harness.evidence.laws import Floats
from harness.evidence.rows import NotMeasuredError, Positions, Rows, select_rows
from harness.store.records import TrialRecord
from harness.store.view import TIMED_METHOD, RunView, trial_id

FIRST_SEED = 100
"""Seeds below are for pilots and tuning and never enter a verdict."""


@dataclass(frozen=True)
class Series:
    """One cell over its replicates: seeds, or the blocks of timed trials."""

    cell: Cell
    keys: tuple[str, ...]
    rows: tuple[Rows, ...]
    trials: tuple[str, ...]
    timed: bool
    environments: frozenset[str]
    _whole: dict[int, float] = field(default_factory=dict, compare=False, repr=False)

    def value(self, replicate: int, units: Positions | None = None) -> float:
        """The metric in one replicate, of all units or of chosen ones."""
        rows = self.rows[replicate]
        if rows.worst is not None:
            return rows.worst
        if units is not None:
            return self.cell.metric(rows.take(units))
        # The same cell enters many claims, and a rank correlation costs a millisecond.
        if replicate not in self._whole:
            self._whole[replicate] = self.cell.metric(rows.take(None))
        return self._whole[replicate]


class Reader:
    """Reads the cells of a finished run, each once."""

    def __init__(self, view: RunView) -> None:
        self.view = view
        self._series: dict[Cell, Series] = {}
        self._planned = _by_place(view.record.planned)

    def series(self, cell: Cell) -> Series:
        """A cell over all its planned seeds.

        Raises:
            NotMeasuredError: If the run did not plan it, lacks trials, or has unfit rows.
        """
        if cell not in self._series:
            self._series[cell] = self._read(cell)
        return self._series[cell]

    def all_series(self, cells: Sequence[Cell]) -> tuple[Series, ...]:
        """Several cells; an error names the missing trials of all of them."""
        found, missing = [], list[str]()
        for cell in cells:
            try:
                found.append(self.series(cell))
            except NotMeasuredError as error:
                if error.kind != "missing":
                    raise
                missing += [trial for trial in error.trials if trial not in missing]
        if missing:
            raise _missing(missing)
        return tuple(found)

    def task_of(self, cell: Cell) -> str:
        """The task a cell speaks of, also where it leaves it out."""
        if cell.task:
            return cell.task
        tasks = sorted({task for experiment, task, _ in self._planned if experiment == cell.experiment})
        if len(tasks) > 1:
            raise NotMeasuredError(
                f"A cell of experiment '{cell.experiment}' names none of its tasks", kind="mismatch"
            )
        return tasks[0] if tasks else ""

    def _read(self, cell: Cell) -> Series:
        task = self.task_of(cell)
        self._refuse_blocked(cell, task)
        timed = (cell.experiment, task, TIMED_METHOD) in self._planned
        method = TIMED_METHOD if timed else cell.method
        seeds = sorted(self._planned.get((cell.experiment, task, method), ()))
        if not seeds:
            raise _unplanned(cell, task)
        trials = tuple(trial_id(cell.experiment, task, method, seed) for seed in seeds)
        records = self._finished(trials)
        rows = [self._rows(cell, record, timed=timed) for record in records]
        keys = [str(seed) for seed in seeds]
        if timed:
            keys, rows = _blocks(keys, rows)
        environments = frozenset(record.environment for record in records)
        return Series(cell, tuple(keys), tuple(rows), trials, timed, environments)

    def _refuse_blocked(self, cell: Cell, task: str) -> None:
        blocked = self.view.record.blocked
        for key in (cell.experiment, f"{cell.experiment}/{task}/{cell.method}"):
            if key in blocked:
                raise NotMeasuredError(blocked[key].rstrip("."), kind="blocked")

    def _finished(self, trials: Sequence[str]) -> list[TrialRecord]:
        """The records of trials that ended with a result, diverging being one."""
        records = self.view.trials
        missing = [t for t in trials if t not in records or records[t].status not in ("ok", "diverged")]
        if missing:
            raise _missing(missing)
        return [records[trial] for trial in trials]

    def _rows(self, cell: Cell, record: TrialRecord, *, timed: bool) -> Rows:
        if record.status == "diverged":
            return _diverged(cell, record.trial)
        try:
            table = self.view.table(record.trial, cell.part)
        except OmittedRowsError as error:
            raise NotMeasuredError(error.what, kind="omitted", trials=[record.trial]) from error
        except RecordError as error:
            raise _missing([record.trial]) from error
        where = (("arm", cell.method), *cell.where) if timed else cell.where
        if timed and "block" in table:
            # Scores of a timed arm belong to its block, which is the replicate, as its times do.
            table = {**table, "unit_id": table["block"]}
        return select_rows(table, cell.metric.columns, where, record.trial)


def _diverged(cell: Cell, trial: str) -> Rows:
    if cell.metric.worst is None:
        raise NotMeasuredError(
            f"A trial diverged, and '{cell.metric.name}' declares no worst score",
            kind="mismatch",
            trials=[trial],
        )
    return Rows(np.empty(0, dtype=np.str_), np.zeros(1, dtype=np.intp), {}, cell.metric.worst)


def _blocks(seeds: Sequence[str], rows: Sequence[Rows]) -> tuple[list[str], list[Rows]]:
    """Timed rows split by block: the block is the replicate."""
    keys, blocks = [], []
    for seed, table in zip(seeds, rows, strict=True):
        for at, unit in enumerate(table.units):
            rows_of_unit = slice(table.starts[at], table.starts[at + 1])
            columns = {name: column[rows_of_unit] for name, column in table.columns.items()}
            size = table.starts[at + 1] - table.starts[at]
            keys.append(f"{seed}/{unit}")
            blocks.append(Rows(np.asarray([unit]), np.array([0, size]), columns))
    return keys, blocks


def _by_place(planned: Sequence[str]) -> dict[tuple[str, str, str], list[int]]:
    """Verdict seeds by (experiment, task, method)."""
    places: dict[tuple[str, str, str], list[int]] = {}
    for trial in planned:
        experiment, task, method, seed = trial.split("/")
        if int(seed) >= FIRST_SEED:
            places.setdefault((experiment, task, method), []).append(int(seed))
    return places


def _missing(trials: Sequence[str]) -> NotMeasuredError:
    return NotMeasuredError(
        f"{len(trials)} planned trial{'s have' if len(trials) > 1 else ' has'} no result",
        kind="missing",
        trials=trials,
    )


def _unplanned(cell: Cell, task: str) -> NotMeasuredError:
    place = "/".join(part for part in (cell.experiment, task, cell.method) if part)
    return NotMeasuredError(f"This run did not include {place}", kind="unplanned")


@dataclass(frozen=True)
class Group:
    """Cells that score the same n units, and so are paired."""

    cells: tuple[int, ...]
    size: int


class Quantity:
    """A contrast over a run: θ by replicate, and by unit where it is additive.

    Attributes:
        contrast: θ as declared.
        series: The contrast's cells, in order.
        keys: Replicates that all cells share: seeds, or blocks.
    """

    def __init__(self, reader: Reader, contrast: Contrast) -> None:
        self.contrast = contrast
        self.series = reader.all_series([cell for _, cell in contrast.terms])
        self.timed = any(item.timed for item in self.series)
        if self.timed and not all(item.timed for item in self.series):
            raise NotMeasuredError("Timed and untimed cells cannot be paired", kind="mismatch")
        self._refuse_foreign()
        shared = set.intersection(*(set(item.keys) for item in self.series))
        if not shared:
            raise NotMeasuredError("The cells share no seed", kind="mismatch", trials=self.trials)
        self.keys = tuple(key for key in self.series[0].keys if key in shared)
        self._at = [[item.keys.index(key) for key in self.keys] for item in self.series]
        self._check_pairs()

    @property
    def trials(self) -> tuple[str, ...]:
        """Ids of the trials behind θ."""
        return tuple(dict.fromkeys(trial for item in self.series for trial in item.trials))

    @property
    def size(self) -> int:
        """Units that each replicate is made of, over all sets of units; blocks for times."""
        if self.timed:
            return len(self.keys)
        sets = {
            rows.units.tobytes(): len(rows.units)
            for item, places in zip(self.series, self._at, strict=True)
            for rows in _picked(item, places[:1])
        }
        return sum(sets.values())

    def cell_values(self) -> Floats:
        """Each cell's metric in each replicate, shape (cells, S)."""
        return np.array(
            [[item.value(at) for at in places] for item, places in zip(self.series, self._at, strict=True)]
        )

    def by_replicate(self, units: Mapping[int, Positions] | None = None) -> Floats:
        """θ of each replicate, shape (S,).

        Args:
            units: For each cell (by number) the positions of the units to keep; all without it.
        """
        chosen = units or {}
        values = np.array(
            [
                [item.value(at, chosen.get(number)) for at in places]
                for number, (item, places) in enumerate(zip(self.series, self._at, strict=True))
            ]
        )
        return self.combine(values)

    def combine(self, values: Floats) -> Floats:
        """θ from cell values of shape (cells, …)."""
        weights = np.array([weight for weight, _ in self.contrast.terms])
        if self.contrast.log:
            if np.any(values <= 0):
                raise NotMeasuredError(
                    "A logarithm needs positive values", kind="undefined", trials=self.trials
                )
            values = np.log(values)
        theta = np.asarray(np.tensordot(weights, values, axes=1) - self.contrast.constant)
        if not np.all(np.isfinite(theta)):
            names = ", ".join(sorted({cell.metric.name for _, cell in self.contrast.terms}))
            raise NotMeasuredError(f"{names} is not a finite number", kind="undefined", trials=self.trials)
        return theta

    @property
    def additive(self) -> bool:
        """Whether θ is a mean over units, up to sums of means of disjoint sets of units."""
        single = all(
            rows.single
            for item, places in zip(self.series, self._at, strict=True)
            for rows in _picked(item, places)
        )
        return single and not self.contrast.log and all(item.cell.metric.additive for item in self.series)

    def nested(self) -> bool:
        """Whether each seed draws units of its own, so that seeds carry all of the spread."""
        return any(
            len({rows.units.tobytes() for rows in _picked(item, places) if rows.worst is None}) > 1
            for item, places in zip(self.series, self._at, strict=True)
        )

    def groups(self) -> tuple[Group, ...]:
        """Sets of cells that share their units; different groups share none.

        Raises:
            NotMeasuredError: If two cells share some of their units only.
        """
        sets: dict[bytes, tuple[list[int], NDArray[np.str_]]] = {}
        diverged = []
        for number, item in enumerate(self.series):
            units = next((r.units for r in _picked(item, self._at[number]) if r.worst is None), None)
            if units is None:
                diverged.append(number)
            else:
                sets.setdefault(units.tobytes(), ([], units))[0].append(number)
        found = list(sets.values())
        for i, (_, left) in enumerate(found):
            for _, right in found[:i]:
                if np.intersect1d(left, right).size:
                    raise NotMeasuredError("Two cells share some of their units only", kind="mismatch")
        if found:
            found[0][0].extend(diverged)
        return tuple(Group(tuple(cells), len(units)) for cells, units in found)

    def unit_matrices(self) -> list[Floats]:
        """θ of each unit and seed, shape (n, S), for each group; only for additive θ.

        The constant is taken off the first group, so that θ̂ is the sum of all means.
        """
        matrices = []
        for index, group in enumerate(self.groups()):
            total = np.full((group.size, len(self.keys)), -self.contrast.constant if index == 0 else 0.0)
            for number in group.cells:
                weight, cell = self.contrast.terms[number]
                for column, at in enumerate(self._at[number]):
                    total[:, column] += weight * _unit_values(cell, self.series[number].rows[at])
            matrices.append(total)
        return matrices

    def _refuse_foreign(self) -> None:
        environments = frozenset[str]().union(*(item.environments for item in self.series))
        if self.timed and len(environments) > 1:
            raise NotMeasuredError(
                f"Times were measured in {len(environments)} environments", kind="foreign", trials=self.trials
            )

    def _check_pairs(self) -> None:
        """Cells of the same evaluation set must score the same units in every replicate."""
        first: dict[tuple[object, ...], Callable[[int], Rows]] = {}
        for number, item in enumerate(self.series):
            cell = item.cell
            place = (*item.trials[0].split("/")[:2], cell.part, cell.where)
            reference = first.setdefault(place, lambda k, n=number: self._rows(n, k))  # type: ignore[misc]
            for replicate, key in enumerate(self.keys):
                left, right = reference(replicate), self._rows(number, replicate)
                if left.worst is None and right.worst is None and not np.array_equal(left.units, right.units):
                    raise NotMeasuredError(
                        f"The units of '{cell.method}' differ from those it is paired with, in seed {key}",
                        kind="mismatch",
                        trials=[trial for trial in item.trials if trial.endswith(f"/{key}")],
                    )

    def _rows(self, number: int, replicate: int) -> Rows:
        return self.series[number].rows[self._at[number][replicate]]


def _picked(item: Series, places: Sequence[int]) -> list[Rows]:
    return [item.rows[at] for at in places]


def _unit_values(cell: Cell, rows: Rows) -> Floats | float:
    """The metric of each unit alone: for a mean of one column, its values."""
    if rows.worst is not None:
        return rows.worst
    return np.asarray(rows.columns[cell.metric.columns[0]], dtype=np.float64)
