"""Unit rows on disk: one parquet file for each trial, with all its parts."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from harness.errors import ProblemError, RecordError
from harness.text import spelt_out

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

PART_COLUMN = "__part__"


def units_name(trial: str) -> str:
    """File name for the rows of a trial: readable, and unique however long the id is."""
    trial = spelt_out(trial)
    digest = hashlib.blake2b(trial.encode(), digest_size=6).hexdigest()
    readable = "".join(c if c.isalnum() or c in "-_." else "_" for c in trial)[:80]
    return f"{readable}-{digest}.parquet"


def check_table(part: str, table: Mapping[str, Any], where: str) -> None:
    """Refuse a table without ``unit_id`` or with columns of unequal length."""
    if "unit_id" not in table:
        raise ProblemError(
            f"Part '{part}' has no column 'unit_id'",
            where=where,
            fix="Name what each row is about in a column 'unit_id', the same for every method.",
        )
    lengths = {name: len(column) for name, column in table.items()}
    if len(set(lengths.values())) > 1:
        raise ProblemError(f"Part '{part}' has columns of unequal length: {lengths}", where=where)


def encode(parts: Mapping[str, Mapping[str, Any]], *, level: int = 1) -> bytes:
    """All parts as the bytes of one parquet file."""
    return _stacked([part_columns(name, table) for name, table in parts.items()], level)


def encode_rows(parts: Mapping[str, pa.Table]) -> bytes:
    """As :func:`encode`, of parts that are Arrow tables under their columns' own names."""
    tables = [
        _named(part, {_column(part, name): rows[name] for name in rows.column_names}, rows.num_rows)
        for part, rows in parts.items()
    ]
    return _stacked(tables, level=1)


def _stacked(tables: list[pa.Table], level: int) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = io.BytesIO()
    pq.write_table(
        pa.concat_tables(tables, promote_options="permissive"),
        sink,
        compression="zstd",
        compression_level=level,
    )
    return sink.getvalue()


def part_columns(part: str, table: Mapping[str, Any]) -> pa.Table:
    """One part as an Arrow table, its columns named so that parts can be stacked."""
    columns = {_column(part, name): _array(value) for name, value in table.items()}
    return _named(part, columns, len(table["unit_id"]))


def _named(part: str, columns: Mapping[str, Any], length: int) -> pa.Table:
    import pyarrow as pa

    named = pa.DictionaryArray.from_arrays(pa.array([0] * length, pa.int32()), pa.array([part]))
    return pa.table({PART_COLUMN: named, **columns})


def arrow_table(columns: Mapping[str, Any]) -> pa.Table:
    """The columns of one part as an Arrow table, under their own names."""
    import pyarrow as pa

    return pa.table({name: _array(values) for name, values in columns.items()})


def _array(values: Any) -> pa.Array:
    """A column in Arrow, its text spelt out where UTF-8 cannot hold it."""
    import pyarrow as pa

    if getattr(values, "dtype", None) is not None and values.dtype.kind == "U":
        values = values.tolist()  # Arrow ends NumPy's own text at its first null character.
    try:
        return pa.array(values)
    except UnicodeError:
        return pa.array([spelt_out(value) if isinstance(value, str) else value for value in values])


def _column(part: str, name: str) -> str:
    # Columns of two parts may share a name and not a type, so each part has columns of its own.
    return f"{part}/{name}"


def decode(data: bytes, part: str, where: str) -> dict[str, np.ndarray]:
    """The columns of one part; a part may have no rows.

    Raises:
        RecordError: If the bytes are no parquet file or the part is not in it.
    """
    import pyarrow as pa

    rows = decode_rows(data, part, where)
    try:
        return {name: rows[name].to_numpy() for name in rows.column_names}
    except (pa.ArrowException, ValueError, TypeError) as error:
        raise RecordError(f"The unit rows are damaged: {error}", where=where, fix=RERUN) from error


def decode_rows(data: bytes, part: str, where: str) -> pa.Table:
    """The rows of one part as an Arrow table, its columns under their own names.

    Raises:
        RecordError: If the bytes are no parquet file or the part is not in it.
    """
    return rows_by_part(data, [part], where)[part]


def rows_by_part(data: bytes, parts: Iterable[str], where: str) -> dict[str, pa.Table]:
    """As :func:`decode_rows`, for several parts.

    Raises:
        RecordError: If the bytes are no parquet file or a part is not in it.
    """
    import pyarrow as pa

    try:
        table = parquet_table(data)
    except (pa.ArrowException, OSError, LookupError, ValueError, TypeError) as error:
        raise RecordError(f"The unit rows are damaged: {error}", where=where, fix=RERUN) from error
    return {part: _rows_of(table, part, where) for part in parts}


def _rows_of(table: pa.Table, part: str, where: str) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        found = part_rows(table, part)
        if not found.num_columns:
            raise RecordError(f"There are no unit rows of part '{part}'", where=where, fix=RERUN)
        if "unit_id" not in found.column_names:
            raise RecordError(f"The unit rows of part '{part}' name no units", where=where, fix=RERUN)
        column = table[PART_COLUMN]
        # Looking row by row is most of the work where there is one part only.
        alone = column.num_chunks == 1 and not column.null_count and pa.types.is_dictionary(column.type)
        if alone and column.chunk(0).dictionary.to_pylist() == [part]:
            return found
        return found.filter(pc.equal(column.cast(pa.string()), part))
    except (pa.ArrowException, OSError, LookupError, ValueError, TypeError) as error:
        raise RecordError(f"The unit rows are damaged: {error}", where=where, fix=RERUN) from error


def parquet_table(data: bytes) -> pa.Table:
    """The table of a parquet file.

    Raises:
        pa.ArrowException: If the bytes are none; and what else Arrow raises for them.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    # Not `read_table`, which opens a data set first: three times the work for a file of a few rows.
    # Threads of Arrow that hold an object of Python when the program ends take its exit code with them
    # (apache/arrow#34314, "terminate called without an active exception"): none are asked for.
    with pq.ParquetFile(pa.BufferReader(data)) as file:
        return file.read(use_threads=False)


def part_rows(table: pa.Table, part: str) -> pa.Table:
    """The columns of one part under their own names, in all rows of the file."""
    prefix = _column(part, "")
    own = [name for name in table.column_names if name.startswith(prefix)]
    return table.select(own).rename_columns([name.removeprefix(prefix) for name in own])


RERUN = "Run again with --resume: trials whose rows are lost are executed anew."


def sha256(data: bytes) -> str:
    """Hexadecimal SHA-256."""
    return hashlib.sha256(data).hexdigest()
