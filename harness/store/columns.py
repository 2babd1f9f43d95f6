"""The unit rows of one part of one trial, as columns that are made when they are asked for.

A column of text becomes a Python object a row, and most readers want numbers alone: of 50 million rows, the
ids would be gigabytes. What names the units is told apart by a digest instead, so that trials which answer
the same units can share whatever is derived of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from harness.store.content import text_key

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa


class RowColumns(Mapping[str, "np.ndarray"]):
    """Columns as NumPy arrays, by name.

    Args:
        rows: The rows as an Arrow table.
        key: The digest of its units, if it is known from when the same rows were read before; else it is
            put there.
    """

    def __init__(self, rows: pa.Table, key: list[bytes] | None = None) -> None:
        self._rows = rows
        self._key = [] if key is None else key
        self._made: dict[str, np.ndarray] = {}

    @property
    def arrow(self) -> pa.Table:
        """The rows as an Arrow table."""
        return self._rows

    @property
    def unit_key(self) -> bytes:
        """A digest of the column ``unit_id``, row by row; empty if it has no rows, or holds no text."""
        if not self._key:
            self._key.append(self._digest())
        return self._key[0]

    def _digest(self) -> bytes:
        import pyarrow as pa

        if "unit_id" not in self._rows.column_names or not self._rows.num_rows:
            return b""
        ids = self._rows["unit_id"]
        return b"" if not pa.types.is_string(ids.type) or ids.null_count else text_key(ids)

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self._made:
            if name not in self._rows.column_names:
                raise KeyError(name)
            self._made[name] = self._rows[name].to_numpy()
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows.column_names)

    def __len__(self) -> int:
        return int(self._rows.num_columns)

    def __contains__(self, name: object) -> bool:
        return name in self._rows.column_names
