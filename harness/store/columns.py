"""The unit rows of one part of one trial, as columns that are made when they are asked for.

A column of text becomes a Python object a row, and most readers want numbers alone: of 50 million rows, the
ids would be gigabytes. What names the units is told apart by a digest instead, so that trials which answer
the same units can share whatever is derived of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from harness.store.content import unit_ids_hash

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa


class RowColumns(Mapping[str, "np.ndarray"]):
    """Columns as NumPy arrays, by name.

    Args:
        rows: The rows as an Arrow table.
        unit_key: A hash of the column ``unit_id``, if the record has it.
    """

    def __init__(self, rows: pa.Table, unit_key: str | None = None) -> None:
        self._rows = rows
        self._unit_key = unit_key
        self._made: dict[str, np.ndarray] = {}
        # Arrow makes the list anew each time that it is asked for.
        self._names = frozenset(rows.column_names)

    @property
    def arrow(self) -> pa.Table:
        """The rows as an Arrow table."""
        return self._rows

    @property
    def unit_key(self) -> str:
        """A hash of the column ``unit_id``, row by row, as :func:`harness.store.content.unit_ids_hash`."""
        if self._unit_key is None:
            self._unit_key = unit_ids_hash(self._rows)
        return self._unit_key

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self._made:
            self._made[name] = self._rows[name].to_numpy()
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows.column_names)

    def __len__(self) -> int:
        return int(self._rows.num_columns)

    def __contains__(self, name: object) -> bool:
        return name in self._names
