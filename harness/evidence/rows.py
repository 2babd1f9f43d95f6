"""Unit rows of one trial, grouped by unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Never

import numpy as np
from numpy.typing import NDArray

from harness.claims.findings import NotMeasuredError
from harness.errors import LEFT_OUT
from harness.evidence.held import OrderedColumns
from harness.evidence.unit_sets import Positions, UnitSet


@dataclass(frozen=True)
class Rows:
    """One cell's rows in one seed (or one block of a timed trial).

    Attributes:
        over: The units that the rows are about.
        columns: The metric's columns, rows in order of their units.
        worst: The declared score of a diverged trial, which has no rows.
    """

    over: UnitSet
    columns: Mapping[str, NDArray[np.generic]]
    worst: float | None = None

    @property
    def units(self) -> NDArray[np.str_]:
        """Unit ids, sorted and unique, shape (n,)."""
        return self.over.units

    @property
    def starts(self) -> Positions:
        """Where each unit's rows begin, and where the last ends, shape (n + 1,)."""
        return self.over.starts

    @property
    def size(self) -> int:
        """The number of units, n."""
        return self.over.size

    @property
    def unit_set(self) -> str:
        """A digest of the unit ids: equal if two have the same units."""
        return self.over.digest

    @property
    def single(self) -> bool:
        """Whether every unit has exactly one row."""
        return int(self.starts[-1]) == self.size

    def take(self, units: Positions | None) -> Mapping[str, NDArray[np.generic]]:
        """The rows of the units at these positions, repeats included; all rows for ``None``."""
        if units is None:
            return self.columns
        rows = units if self.single else self._rows_of(units)
        return {name: column[rows] for name, column in self.columns.items()}

    def _rows_of(self, units: Positions) -> Positions:
        """All row numbers of these units, unit after unit."""
        sizes = np.diff(self.starts)[units]
        ends = np.cumsum(sizes)
        return np.asarray(np.arange(ends[-1]) + np.repeat(self.starts[units] - (ends - sizes), sizes))


@dataclass(frozen=True)
class KeptRows:
    """One cell in one seed (or one block), of which committed results keep the value and not the rows.

    Attributes:
        value: The metric; ``None`` if nothing asked for it, or it could not be computed.
        fault: Why it could not be computed, or empty.
        size: The number of units.
        unit_set: As :attr:`Rows.unit_set`.
        trial: The trial that it comes from.
        worst: Nothing: a diverged trial is known from its record.
    """

    value: float | None
    fault: str
    size: int
    unit_set: str
    trial: str
    worst: None = None

    @property
    def whole(self) -> float:
        """The metric of all rows.

        Raises:
            NotMeasuredError: If it could not be computed, or is not kept.
        """
        if self.value is not None:
            return self.value
        if self.fault:
            raise NotMeasuredError(self.fault, kind="undefined", trials=[self.trial])
        return self._refuse()

    @property
    def units(self) -> NDArray[np.str_]:
        """Left out."""
        self._refuse()

    @property
    def starts(self) -> Positions:
        """Left out."""
        self._refuse()

    @property
    def columns(self) -> Mapping[str, NDArray[np.generic]]:
        """Left out."""
        self._refuse()

    @property
    def single(self) -> bool:
        """Left out."""
        self._refuse()

    def take(self, units: Positions | None) -> Mapping[str, NDArray[np.generic]]:
        """Left out."""
        self._refuse()

    def _refuse(self) -> Never:
        raise NotMeasuredError(f"{LEFT_OUT} of the committed results", kind="omitted", trials=[self.trial])


def select_rows(
    table: Mapping[str, NDArray[np.generic]],
    names: Sequence[str],
    where: Sequence[tuple[str, str | float | bool]],
    trial: str,
) -> Rows:
    """The wanted columns of the rows that pass the filters, grouped by unit.

    Args:
        table: The rows of an evaluation set.
        names: The wanted columns.
        where: What a row's columns must be.
        trial: The trial's id, for errors.

    Raises:
        NotMeasuredError: If a column is missing or no row is left.
    """
    lacking = {name for name in ("unit_id", *names, *(name for name, _ in where)) if name not in table}
    if lacking:
        raise NotMeasuredError(
            f"The rows lack the column {' and '.join(sorted(lacking))}", kind="mismatch", trials=[trial]
        )
    if not where and isinstance(table, OrderedColumns):
        return Rows(table.over, table.only(tuple(names)))
    keep = np.ones(len(table["unit_id"]), dtype=bool)
    for name, value in where:
        keep &= np.asarray(table[name] == value)
    if not len(keep):
        raise NotMeasuredError("There are no rows", kind="mismatch", trials=[trial])
    if not keep.any():
        raise NotMeasuredError(f"No rows are left with {dict(where)}", kind="mismatch", trials=[trial])
    over = UnitSet(np.asarray(table["unit_id"])[keep].astype(str))
    kept = np.flatnonzero(keep)
    ordered = kept if over.order is None else kept[over.order]
    return Rows(over, {name: np.asarray(table[name])[ordered] for name in names})
