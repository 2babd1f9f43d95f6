"""The cells of a run: a metric of a method over seeds, or over the blocks of timed trials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

from harness.claims import Cell
from harness.claims.findings import Kind, NotMeasuredError
from harness.declared.keys import cell_key
from harness.errors import OmittedRowsError, RecordError
from harness.evidence.coverage import Coverages, Covering, Declared
from harness.evidence.held import HeldColumns
from harness.evidence.rows import KeptRows, Rows, select_rows
from harness.evidence.unit_sets import Positions, UnitSet
from harness.store.answers import Coverage, together
from harness.store.kept import KeptCell
from harness.store.records import TrialRecord
from harness.store.view import TIMED_METHOD, RunView, main_trials, trial_id
from harness.suite import FIRST_SEED

Replicate = Rows | KeptRows
"""A cell in one seed or block."""


class Keeping(Protocol):
    """Says what a run keeps of a cell beside its rows."""

    def __call__(self, cell: Cell) -> KeptCell | None:
        """What is kept; nothing where all rows are there, or where only rows are kept.

        Raises:
            NotMeasuredError: If the committed results cannot give the cell.
        """


def kept_in(view: RunView) -> Keeping:
    """What a run keeps of its cells."""

    def keeping(cell: Cell) -> KeptCell | None:
        if view.kept is None:
            return None
        found = view.kept.get(cell_key(cell))
        if found is None:
            raise NotMeasuredError("The committed results were made before anything read it", kind="omitted")
        if found.fault:
            raise NotMeasuredError(found.fault, kind=cast("Kind", found.kind), trials=found.trials)
        return found

    return keeping


@dataclass(frozen=True)
class Series:
    """One cell over its replicates: seeds, or the blocks of timed trials.

    Attributes:
        cell: What is measured.
        keys: Names of the replicates.
        rows: The rows of each.
        trials: Ids of the trials behind them, one a seed.
        timed: Whether the replicates are blocks.
        environments: Environment keys of the trials.
        covered: What each trial answered of its evaluation set.
        by_unit: The reader's note of cells whose rows are read unit by unit.
    """

    cell: Cell
    keys: tuple[str, ...]
    rows: tuple[Replicate, ...]
    trials: tuple[str, ...]
    timed: bool
    environments: frozenset[str]
    covered: tuple[Coverage, ...] = ()
    by_unit: set[Cell] = field(default_factory=set, compare=False, repr=False)
    _whole: dict[int, float] = field(default_factory=dict, compare=False, repr=False)

    def value(self, replicate: int, units: Positions | None = None) -> float:
        """The metric in one replicate, of all units or of chosen ones."""
        rows = self.rows[replicate]
        if rows.worst is not None:
            return rows.worst
        if units is not None:
            return self._computed(replicate, rows.take(units))
        # The same cell enters many claims, and a rank correlation costs a millisecond.
        if replicate not in self._whole:
            self._whole[replicate] = (
                rows.whole if isinstance(rows, KeptRows) else self._computed(replicate, rows.take(None))
            )
        return self._whole[replicate]

    def note_by_unit(self) -> None:
        """Say that the rows are needed, and not their metric alone."""
        self.by_unit.add(self.cell)

    def trial_of(self, replicate: int) -> str:
        """Id of the trial that a replicate is of."""
        seed = self.keys[replicate].split("/")[0]
        return next(trial for trial in self.trials if trial.endswith(f"/{seed}"))

    @property
    def coverage(self) -> Coverage:
        """What its trials together answered of their evaluation sets."""
        return together(self.covered)

    @property
    def partial(self) -> tuple[str, ...]:
        """Ids of the trials that did not answer their evaluation set, once and as a whole."""
        return tuple(t for t, found in zip(self.trials, self.covered, strict=True) if not found.complete)

    def _computed(self, replicate: int, columns: Mapping[str, NDArray[np.generic]]) -> float:
        try:
            return self.cell.metric(columns)
        except RecordError:
            raise  # Rows that are no longer what was read before are no fault of the metric.
        except Exception as error:
            raise NotMeasuredError(
                f"{self.cell.metric.name} cannot be computed: {type(error).__name__}: {error}",
                kind="undefined",
                trials=[self.trial_of(replicate)],
            ) from error


class Reader:
    """Reads the cells of a finished run, each once.

    Args:
        view: The run.
        coverages: What its trials answered; by default all methods count as the suite's own.
        kept: What the run keeps of a cell beside its rows, if it is committed.

    Attributes:
        found: The cells that were read so far, each with what it gave.
        by_unit: Those of them whose rows were needed, and not their metric alone.
    """

    def __init__(self, view: RunView, coverages: Covering | None = None, kept: Keeping | None = None) -> None:
        self.view = view
        self.found: dict[Cell, Series | NotMeasuredError] = {}
        self.by_unit: set[Cell] = set()
        self._coverages: Covering = coverages or Coverages(view)
        self._kept = kept or kept_in(view)
        self._planned = _by_place(view.record.planned)
        self._held = HeldColumns(view)

    def series(self, cell: Cell) -> Series:
        """A cell over all its planned seeds.

        Raises:
            NotMeasuredError: If the run did not plan it, lacks trials, or has unfit rows.
        """
        if cell not in self.found:
            try:
                self.found[cell] = self._read(cell)
            except NotMeasuredError as error:
                self.found[cell] = error
        found = self.found[cell]
        if isinstance(found, NotMeasuredError):
            raise NotMeasuredError(found.what, kind=found.kind, trials=found.trials)
        return found

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
        kept = self._kept(cell)
        read = [pair for record in records for pair in self._replicates(cell, record, kept, timed=timed)]
        environments = frozenset(record.environment for record in records)
        covered = tuple(self._coverage(cell, record, kept, timed=timed) for record in records)
        keys, rows = tuple(key for key, _ in read), tuple(rows for _, rows in read)
        return Series(cell, keys, rows, trials, timed, environments, covered, self.by_unit)

    def _replicates(
        self, cell: Cell, record: TrialRecord, kept: KeptCell | None, *, timed: bool
    ) -> list[tuple[str, Replicate]]:
        """The replicates of one trial: itself, or its blocks."""
        key = str(record.seed)
        if kept is None or record.status == "diverged" or self._has_rows(cell, record, timed=timed):
            rows = self._rows(cell, record, kept, timed=timed)
            return _blocks(key, rows) if timed else [(key, rows)]
        return [
            (item.key, KeptRows(item.value, item.fault, item.size, item.unit_set, record.trial))
            for item in kept.values
            if item.seed == record.seed
        ]

    def _has_rows(self, cell: Cell, record: TrialRecord, *, timed: bool) -> bool:
        """Whether committed results have the rows of a cell, and its columns among them."""
        try:
            table = self.view.table(record.trial, cell.part)
        except OmittedRowsError:
            return False
        except RecordError:
            return True  # Reading them will tell what is wrong.
        return {*cell.metric.columns, *(name for name, _ in cell.where), *(["arm"] * timed)} <= set(table)

    def _coverage(self, cell: Cell, record: TrialRecord, kept: KeptCell | None, *, timed: bool) -> Coverage:
        if record.status == "diverged":
            return Coverage(0, 0)
        if kept is not None:
            # The rows of other methods may be left out, so that theirs are no measure here.
            found = [item.covered for item in kept.values if item.seed == record.seed]
            return found[0] if found else Coverage(0, 0)
        return self._coverages.of(record.trial, cell.part, cell.where, cell.method if timed else "")

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

    def _rows(self, cell: Cell, record: TrialRecord, kept: KeptCell | None, *, timed: bool) -> Rows:
        if record.status == "diverged":
            return _diverged(cell, record.trial)
        where = (("arm", cell.method), *cell.where) if timed else cell.where
        try:
            table = self._table(record.trial, cell, filtered=bool(where))
        except OmittedRowsError as error:
            raise NotMeasuredError(error.what, kind="omitted", trials=[record.trial]) from error
        except RecordError as error:
            raise _without_rows(cell, record) from error
        if timed and "block" in table:
            # Scores of a timed arm belong to its block, which is the replicate, as its times do.
            table = {**table, "unit_id": table["block"]}
        found = self._coverage(cell, record, kept, timed=timed)
        if found.units and not found.answered and not found.foreign:
            raise partial(cell, found, [record.trial])
        return select_rows(table, cell.metric.columns, where, record.trial)

    def _table(self, trial: str, cell: Cell, *, filtered: bool) -> Mapping[str, NDArray[np.generic]]:
        if filtered:  # What passes is copied, and seldom asked for by another cell.
            return self.view.table(trial, cell.part)
        return self._held.table(trial, cell.part, cell.metric.columns)


_readers: dict[tuple[int, Declared], Reader] = {}
"""The runs read last, by identity; each reader keeps its view alive, so identities are not reused."""

_MOST_READERS = 4


def shared_reader(view: RunView, said: Declared) -> Reader:
    """The reader that verdicts and reports of one run share, so that each cell is read once."""
    key = (id(view), said)
    if key not in _readers:
        while len(_readers) >= _MOST_READERS:
            del _readers[next(iter(_readers))]
        _readers[key] = Reader(view, Coverages(view, said))
    return _readers[key]


def _diverged(cell: Cell, trial: str) -> Rows:
    if cell.metric.worst is None:
        raise NotMeasuredError(
            f"A trial diverged, and '{cell.metric.name}' declares no worst score",
            kind="mismatch",
            trials=[trial],
        )
    return Rows(UnitSet(np.empty(0, dtype=np.str_)), {}, cell.metric.worst)


def _blocks(seed: str, table: Rows) -> list[tuple[str, Replicate]]:
    """Timed rows split by block: the block is the replicate."""
    blocks: list[tuple[str, Replicate]] = []
    for at, unit in enumerate(table.units):
        rows_of_unit = slice(table.starts[at], table.starts[at + 1])
        columns = {name: column[rows_of_unit] for name, column in table.columns.items()}
        size = table.starts[at + 1] - table.starts[at]
        blocks.append((f"{seed}/{unit}", Rows(UnitSet(np.repeat(np.asarray([unit]), size)), columns)))
    return blocks


def _by_place(planned: Sequence[str]) -> dict[tuple[str, str, str], list[int]]:
    """Verdict seeds by (experiment, task, method)."""
    places: dict[tuple[str, str, str], list[int]] = {}
    for trial in main_trials(planned):
        if trial.seed >= FIRST_SEED:
            places.setdefault((trial.experiment, trial.task, trial.method), []).append(trial.seed)
    return places


def _missing(trials: Sequence[str]) -> NotMeasuredError:
    return NotMeasuredError(
        f"{len(trials)} planned trial{'s have' if len(trials) > 1 else ' has'} no result",
        kind="missing",
        trials=trials,
    )


def _without_rows(cell: Cell, record: TrialRecord) -> NotMeasuredError:
    if record.parts and cell.part not in record.parts:
        return NotMeasuredError(
            f"'{cell.method}' has no part '{cell.part}'", kind="mismatch", trials=[record.trial]
        )
    return _missing([record.trial])


def partial(cell: Cell, found: Coverage, trials: Sequence[str]) -> NotMeasuredError:
    """What to say of a cell that does not rest on its whole evaluation set."""
    return NotMeasuredError(f"'{cell.method}' {found.text}", kind="partial", trials=trials)


def _unplanned(cell: Cell, task: str) -> NotMeasuredError:
    place = "/".join(part for part in (cell.experiment, task, cell.method) if part)
    return NotMeasuredError(f"This run did not include {place}", kind="unplanned")
