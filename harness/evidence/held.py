"""Columns of trials in order of their units, each read once while there is room for it.

Many cells are of the same rows: a method's score, its rank correlations, its judgements an item. Of a
hundred thousand trials not all columns fit into memory, and hardly any is asked for again once its metrics
are known. So those that were asked for last are held, and any other is read again if it is asked for.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from harness.evidence.unit_sets import UnitSet
from harness.store.columns import RowColumns
from harness.store.view import RunView

MOST_BYTES = 256 << 20
_Key = tuple[str, str, str]
"""Trial, part and column."""


class HeldColumns:
    """The columns of a run's trials that were asked for last.

    Args:
        view: The run.
        most_bytes: What columns may take together.
    """

    def __init__(self, view: RunView, most_bytes: int = MOST_BYTES) -> None:
        self._view = view
        self._most_bytes = most_bytes
        self._bytes = 0
        self._units: dict[str, UnitSet] = {}
        self._tables: dict[tuple[str, str], OrderedColumns] = {}
        self._columns: OrderedDict[_Key, NDArray[np.generic]] = OrderedDict()

    def table(self, trial: str, part: str, wanted: Sequence[str]) -> Mapping[str, NDArray[np.generic]]:
        """The rows of an evaluation set: in order of their units, if a hash of its column of units is known.

        Args:
            trial: The trial.
            part: The evaluation set.
            wanted: Columns that will be asked for.

        Raises:
            OmittedRowsError: If committed results leave them out for their size.
            RecordError: If the rows are missing or damaged.
        """
        if (trial, part) in self._tables:
            return self._tables[trial, part]
        table = self._view.table(trial, part)
        if not isinstance(table, RowColumns) or not table.unit_key:
            return table
        if table.unit_key not in self._units:
            self._units[table.unit_key] = UnitSet(np.asarray(table["unit_id"]).astype(str), lasting=True)
        over = self._units[table.unit_key]
        for name in wanted:
            if name in table:
                self._hold((trial, part, name), table[name], over)
        found = OrderedColumns(self, trial, part, over, tuple(table))
        return self._tables.setdefault((trial, part), found)

    def column(self, trial: str, part: str, name: str, over: UnitSet) -> NDArray[np.generic]:
        """A column of a table, in order of its units.

        Raises:
            RecordError: If the rows are no longer what they were.
        """
        key = (trial, part, name)
        if key in self._columns:
            self._columns.move_to_end(key)
            return self._columns[key]
        return self._hold(key, self._view.table(trial, part)[name], over)

    def _hold(self, key: _Key, column: NDArray[np.generic], over: UnitSet) -> NDArray[np.generic]:
        # A copy in any case: what was read stays in memory as long as anything looks into it.
        found = self._columns[key] = np.array(column) if over.order is None else column[over.order]
        self._bytes += found.nbytes
        while self._bytes > self._most_bytes and len(self._columns) > 1:
            self._bytes -= self._columns.popitem(last=False)[1].nbytes
        return found


class OrderedColumns(Mapping[str, NDArray[np.generic]]):
    """Columns of an evaluation set by name, read when they are asked for, and again if they are not held.

    Args:
        held: Where they are held.
        trial: The trial.
        part: The part.
        over: Its units.
        names: The columns.

    Attributes:
        over: The units that the rows are about, in their order.
    """

    __slots__ = ("_held", "_names", "_part", "_trial", "over")

    def __init__(
        self, held: HeldColumns, trial: str, part: str, over: UnitSet, names: tuple[str, ...]
    ) -> None:
        self._held, self._trial, self._part, self._names = held, trial, part, names
        self.over = over

    def only(self, names: tuple[str, ...]) -> OrderedColumns:
        """Some of the columns."""
        return OrderedColumns(self._held, self._trial, self._part, self.over, names)

    def __getitem__(self, name: str) -> NDArray[np.generic]:
        if name not in self._names:
            raise KeyError(name)
        return self._held.column(self._trial, self._part, name, self.over)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names
