"""Files of a data set on the hub as rows: Parquet and JSON lines, nothing that runs."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import IO, Any

from harness.errors import ResourceError
from harness.method.references import HubSource, Reading
from harness.text import parsed_json

CONVERTED = "refs/convert/parquet"
"""The branch in which the hub keeps its own conversion of a data set."""
_ROWS = 4096


def matching(names: Sequence[str], patterns: Sequence[str]) -> list[str]:
    """The names that match one of the patterns, sorted; ``*`` does not cross a folder."""
    found = {name for name in names for pattern in patterns if _matches(name, pattern)}
    return sorted(found)


def _matches(name: str, pattern: str) -> bool:
    return name.count("/") == pattern.count("/") and fnmatchcase(name, pattern)


def files_by_split(source: HubSource, names: Sequence[str]) -> dict[str, list[str]]:
    """The files of each split, of those that a repository has.

    Raises:
        ResourceError: If a split has none.
    """
    reading = source.reading
    splits = _conversion(source, names) if reading is None else dict(reading.splits)
    found = {split: matching(names, patterns) for split, patterns in splits.items()}
    if empty := [split for split, files in found.items() if not files]:
        tables = [name for name in names if name.endswith((".parquet", ".jsonl", ".json.gz", ".jsonl.gz"))]
        raise ResourceError(
            f"{source.repo} has no files for {', '.join(empty)}: none matches "
            f"{', '.join(pattern for split in empty for pattern in splits[split])}",
            where=f"{source.repo}@{source.revision}",
            fix=f"Its tables are: {', '.join(tables[:8]) or 'none'}. Correct hub.toml.",
        )
    return found


def _conversion(source: HubSource, names: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Splits of the hub's own conversion: ``<configuration>/<split>/0000.parquet``."""
    config = source.config or "default"
    paths = [PurePosixPath(name).parts for name in names if name.endswith(".parquet")]
    splits = sorted({parts[1] for parts in paths if len(parts) == 3 and parts[0] == config})
    whole = [split for split in splits if not split.startswith("partial-")]
    if not whole:
        what = "only a part of each split" if splits else "no Parquet files"
        raise ResourceError(
            f"The hub's conversion of {source.repo} has {what} for the configuration '{config}'",
            where=f"{source.repo}@{source.revision}",
            fix="State its files in hub.toml.",
        )
    return {split: (f"{config}/{split}/*.parquet",) for split in whole}


def rows_of(name: str, stream: IO[bytes], reading: Reading | None, where: str) -> Iterator[dict[str, Any]]:
    """The rows of one file, with the kept columns under the names that loaders use.

    Raises:
        ResourceError: If the file is of another kind, cannot be read, or lacks a column.
    """
    reading = reading or Reading(splits=())
    rows = _parquet if name.endswith(".parquet") else _json_lines
    renamed = dict(reading.rename)
    for row in rows(name, stream, reading.columns, where):
        yield {renamed.get(column, column): value for column, value in row.items()}


def columns_of(name: str, stream: IO[bytes], where: str) -> list[str]:
    """The names of a file's columns; of Parquet only the footer is read, of others the first row."""
    if name.endswith(".parquet"):
        import pyarrow.parquet as pq

        return list(pq.read_schema(stream).names)
    first = next(_json_lines(name, stream, (), where), {})
    return list(first)


def _parquet(name: str, stream: IO[bytes], columns: tuple[str, ...], where: str) -> Iterator[dict[str, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(stream)
        require(columns, file.schema_arrow.names, f"{where}/{name}")
        for batch in file.iter_batches(batch_size=_ROWS, columns=list(columns) or None):
            yield from batch.to_pylist()
    except pa.ArrowInvalid as error:
        raise _unreadable(error, f"{where}/{name}") from error


def _json_lines(
    name: str, stream: IO[bytes], columns: tuple[str, ...], where: str
) -> Iterator[dict[str, Any]]:
    if not name.endswith((".jsonl", ".json.gz", ".jsonl.gz")):
        raise ResourceError(
            "A data set is read from Parquet or JSON lines only", where=f"{where}/{name}", fix="See hub.toml."
        )
    try:
        for number, line in enumerate(_unpacked(name, stream)):
            row = parsed_json(line)
            if not isinstance(row, dict):
                raise ResourceError(f"Line {number + 1} is not an object", where=f"{where}/{name}")
            require(columns, list(row), f"{where}/{name}, line {number + 1}")
            yield {column: row[column] for column in columns} if columns else row
    except (ValueError, EOFError, gzip.BadGzipFile) as error:
        raise _unreadable(error, f"{where}/{name}") from error


def _unpacked(name: str, stream: IO[bytes]) -> Iterator[bytes]:
    if not name.endswith(".gz"):
        yield from stream
        return
    with gzip.open(stream) as lines:
        yield from lines


def require(columns: Sequence[str], there: Sequence[str], where: str) -> None:
    """Raise unless all columns are there.

    Raises:
        ResourceError: With what is lacking and what is there.
    """
    if lacking := [column for column in columns if column not in there]:
        raise ResourceError(
            f"The data set lacks the column {', '.join(lacking)}",
            where=where,
            fix=f"It has: {', '.join(there)}. The copy is another one than hub.toml describes: correct the "
            "entry, or bind a copy that has these columns.",
        )


def _unreadable(error: Exception, where: str) -> ResourceError:
    return ResourceError(
        f"The file cannot be read: {error}", where=where, fix="Remove it from the hub's cache and try again."
    )


def in_split(reading: Reading | None, split: str, rows: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The rows of a file's split that belong to ``split``, where one is cut out of another."""
    held = reading.held_out if reading else None
    if held is None or split not in held[:2]:
        return rows
    new, _, every = held
    return (row for number, row in enumerate(rows) if (number % every == 0) == (split == new))
