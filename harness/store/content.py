"""The hash of unit rows by what they say, whatever file holds them.

The bytes of a file change with the version of the library that wrote it, and with what else is in it; the
rows do not. A part's hash is over its columns in order: name, type, and the SHA-256 of the values. Numbers
count as their little-endian bytes, so that every bit of a float does, text as the length of each value and
all of it in UTF-8, and what is missing as a mask beside. A trial's record carries this hash for each of its
parts (``rows_sha256``), made when the trial ended: so its rows can be moved to another file and still be
checked.
"""

from __future__ import annotations

import hashlib
import json
import sys
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from harness.errors import RecordError
from harness.store.units import rows_by_part

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa


def content_of(data: bytes, parts: Iterable[str], where: str) -> dict[str, dict[str, str]]:
    """The fields of a trial's record that are hashes of its rows by what they say.

    There are none if some rows have a type that has no hash. A trial's result is not lost for that: its rows
    stay in their file, whose bytes have a hash.
    """
    import pyarrow as pa

    try:
        tables = rows_by_part(data, parts, where)
        ids = {part: unit_ids_hash(rows) for part, rows in tables.items()}
        return {
            "rows_sha256": {part: rows_hash(rows) for part, rows in tables.items()},
            "unit_ids_sha256": {part: digest for part, digest in ids.items() if digest},
        }
    except (RecordError, pa.ArrowException, TypeError, ValueError):
        return {}


def unit_ids_hash(rows: pa.Table) -> str:
    """A hash of the column ``unit_id``, row by row.

    Empty if the part has no rows or no text there, or steps, which the ids alone do not tell apart.
    """
    import pyarrow as pa

    if "unit_id" not in rows.column_names or "step" in rows.column_names or not rows.num_rows:
        return ""
    ids = _joined(rows["unit_id"])
    return "" if not pa.types.is_string(ids.type) or ids.null_count else str(_column(ids).hexdigest())


def rows_hash(rows: pa.Table) -> str:
    """The hash of the rows of one part: a table of its columns under their own names."""
    whole = hashlib.sha256(f"rows {rows.num_rows}".encode())
    for name in rows.column_names:
        array = _joined(rows[name])
        whole.update(_heading(name, str(array.type)))
        whole.update(_column(array).digest())
    return whole.hexdigest()


@lru_cache(maxsize=4096)
def _heading(name: str, kind: str) -> bytes:
    return json.dumps([name, kind]).encode()


def plain(rows: pa.Table) -> pa.Table:
    """The rows with text in one form: files give back categories and long text as they were written."""
    import pyarrow as pa

    return pa.Table.from_arrays([_joined(rows[name]) for name in rows.column_names], rows.column_names)


def _joined(column: pa.ChunkedArray) -> pa.Array:
    """One array, with text as plain text."""
    import pyarrow as pa

    array = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], array.type)
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_large_string(array.type) or pa.types.is_string_view(array.type):
        array = array.cast(pa.string())
    return array


def _column(array: pa.Array) -> Any:
    """A SHA-256 over the values of a column."""
    import pyarrow as pa

    found = hashlib.sha256()
    kind = array.type
    if array.null_count:
        found.update(array.is_null().to_numpy(zero_copy_only=False).tobytes())
    if pa.types.is_string(kind):
        _update_text(found, array)
    elif pa.types.is_boolean(kind):
        filled = array.fill_null(False) if array.null_count else array
        found.update(filled.to_numpy(zero_copy_only=False).tobytes())
    elif pa.types.is_integer(kind) or pa.types.is_floating(kind):
        found.update(_numbers(array))
    else:
        # Lists, times and the like are rare, and few.
        found.update(json.dumps(array.to_pylist(), default=repr).encode())
    return found


def _update_text(found: Any, array: pa.Array) -> None:
    import numpy as np

    filled = array.fill_null("") if array.null_count else array
    _, offsets, values = filled.buffers()
    if not len(filled):
        return
    ends = np.frombuffer(offsets, np.int32)[filled.offset : filled.offset + len(filled) + 1]
    found.update(np.diff(ends).astype("<i4").tobytes())
    if values is not None:
        found.update(memoryview(values)[ends[0] : ends[-1]])


def _numbers(array: pa.Array) -> Any:
    if not array.null_count and sys.byteorder == "little" and len(array):
        width = array.type.bit_width // 8  # Without a copy: this is most of what is read of a run.
        return memoryview(array.buffers()[1])[array.offset * width : (array.offset + len(array)) * width]
    filled = array.fill_null(0) if array.null_count else array
    values = filled.to_numpy(zero_copy_only=False)
    return values.astype(values.dtype.newbyteorder("<"), copy=False).tobytes()
