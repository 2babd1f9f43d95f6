"""Packs: the unit rows of many trials in few parquet files, each of one part of one experiment.

A pack has the part's own columns and, before them, the trial's id, so that any reader of parquet understands
it. Trials follow one another, and no trial's rows are split between two row groups, so that one trial is read
without the rest. The footer lists them in order: id, number of rows and the hash of the rows by what they say
(:mod:`harness.store.content`). Rows are found by that hash, which the trial's record carries, and checked
against it when they are read: the list in the footer is only where to look, and a pack that holds the rows
of a trial as they were before it was run again does no harm.
"""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, TYPE_CHECKING

from harness.durable import write_stream_durably
from harness.errors import RecordError

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

FOLDER = "rows"
TRIAL = "__trial__"
"""The column that names the trial; a part may have a column ``trial`` of its own."""
GROUP_ROWS = 16_384
"""Rows of a row group, more where one trial alone has more."""
_CACHED_BYTES = 96 << 20
_KEY = b"corroborate"


@dataclass(frozen=True)
class Entry:
    """A trial's rows in a pack.

    Attributes:
        trial: The trial's id.
        sha256: The hash of the rows.
        rows: How many they are.
    """

    trial: str
    sha256: str
    rows: int


@dataclass(frozen=True)
class Place:
    """Where the rows of a hash are: in which row group, from which row on."""

    pack: Path
    group: int
    start: int
    rows: int


@dataclass(frozen=True)
class Pack:
    """What a pack's footer says.

    Attributes:
        path: The file.
        experiment: The experiment's id.
        part: The evaluation set.
        entries: Its trials in order.
        schema: Its columns, the trial's id first.
        groups: The number of rows of each row group.
    """

    path: Path
    experiment: str
    part: str
    entries: tuple[Entry, ...]
    schema: pa.Schema
    groups: tuple[int, ...]

    @property
    def rows(self) -> int:
        """The number of all rows."""
        return sum(entry.rows for entry in self.entries)

    def places(self) -> Iterator[tuple[Entry, Place]]:
        """Where each trial's rows are."""
        group, start = 0, 0
        for entry in self.entries:
            while group < len(self.groups) and start >= self.groups[group] and entry.rows:
                group, start = group + 1, 0
            yield entry, Place(self.path, group, start, entry.rows)
            start += entry.rows


def open_pack(path: Path) -> Pack:
    """Read the footer of a pack.

    Raises:
        RecordError: If the file is no pack, or damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            footer = file.metadata
            told = json.loads(footer.metadata[_KEY])
            columns = zip(told["trials"], told["sha256"], told["rows"], strict=True)
            entries = tuple(Entry(str(trial), str(digest), int(rows)) for trial, digest, rows in columns)
            groups = tuple(footer.row_group(at).num_rows for at in range(footer.num_row_groups))
            schema = file.schema_arrow.remove_metadata()
            return Pack(path, str(told["experiment"]), str(told["part"]), entries, schema, groups)
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError) as error:
        raise RecordError(f"The packed unit rows are damaged: {error}", where=str(path)) from error


class Packs:
    """The packs of a run.

    Args:
        folder: The run's folder.

    Attributes:
        damaged: Why packs could not be read, by path.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder / FOLDER
        self.damaged: dict[Path, str] = {}
        self._groups: OrderedDict[tuple[Path, int], pa.Table] = OrderedDict()
        self._held = 0
        self._files: dict[Path, pq.ParquetFile] = {}

    @cached_property
    def all(self) -> tuple[Pack, ...]:
        """All packs that can be read."""
        return tuple(self._opened())

    def _opened(self) -> Iterator[Pack]:
        for path in sorted(self._folder.glob("*.parquet")):
            if path.name.startswith("."):
                continue
            try:
                yield open_pack(path)
            except RecordError as error:
                self.damaged[path] = error.what

    @cached_property
    def _schemas(self) -> dict[Path, pa.Schema]:
        return {pack.path: pack.schema for pack in self.all}

    @cached_property
    def _places(self) -> dict[str, Place]:
        return {entry.sha256: place for pack in self.all for entry, place in pack.places()}

    def refresh(self) -> None:
        """Look again at what packs there are: a writer may have packed or merged since."""
        for name in ("all", "_schemas", "_places"):
            self.__dict__.pop(name, None)
        self.damaged.clear()
        self._groups.clear()
        self._held = 0
        for file in self._files.values():
            file.close(force=True)
        self._files.clear()

    def has(self, digest: str) -> bool:
        """Whether rows were packed under a hash."""
        return digest in self._places

    def rows(self, digest: str) -> pa.Table | None:
        """The rows that were packed under a hash; nothing if there are none. The hash is not checked here.

        Raises:
            RecordError: If the pack cannot be read.
        """
        place = self._places.get(digest)
        if place is None:
            return None
        return self._group(place.pack, place.group).slice(place.start, place.rows)

    def _group(self, path: Path, group: int) -> pa.Table:
        key = (path, group)
        if key in self._groups:
            self._groups.move_to_end(key)
            return self._groups[key]
        found = self._groups[key] = self._read(path, group)
        self._held += found.nbytes
        while self._held > _CACHED_BYTES and len(self._groups) > 1:
            self._held -= self._groups.popitem(last=False)[1].nbytes
        return found

    def _read(self, path: Path, group: int) -> pa.Table:
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            if path not in self._files:  # Its footer is megabytes, and is read once.
                self._files[path] = pq.ParquetFile(path)
            return _read_group(self._files[path], self._schemas[path], group)
        except (pa.ArrowException, OSError) as error:
            what = f"The packed unit rows cannot be read: {error}"
            raise RecordError(what, where=str(path)) from error


def _read_group(file: pq.ParquetFile, schema: pa.Schema, group: int) -> pa.Table:
    names = [name for name in schema.names if name != TRIAL]
    if group >= file.num_row_groups:  # Trials without rows have no row group.
        return schema.empty_table().select(names)
    return file.read_row_group(group, columns=names).combine_chunks().replace_schema_metadata()


@dataclass(frozen=True)
class Packable:
    """A trial's rows to be packed.

    Attributes:
        trial: The trial's id.
        sha256: The hash of the rows.
        read: Reads them; nothing if they are not as the hash says, and are to be left out.
    """

    trial: str
    sha256: str
    read: Callable[[], pa.Table | None]


def write_pack(folder: Path, experiment: str, part: str, items: Sequence[Packable]) -> Path | None:
    """Write a pack, whole or not at all.

    Args:
        folder: The run's folder.
        experiment: The experiment's id.
        part: The evaluation set.
        items: The trials in order, all with the same columns; their rows are read one by one.

    Returns:
        The pack; nothing if all its trials are left out.

    Raises:
        RecordError: If it cannot be written.
    """
    told = json.dumps([experiment, part, [(item.trial, item.sha256) for item in items]])
    path = folder / FOLDER / _name(experiment, part, told)
    entries: list[Entry] = []
    path.parent.mkdir(exist_ok=True)

    def write(sink: IO[bytes]) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        writer = None
        for batch in _batches(items, entries):
            # Measured numbers hardly repeat: a dictionary of them is slow to write and to read.
            names = [item.name for item in batch.schema if not pa.types.is_floating(item.type)]
            writer = writer or pq.ParquetWriter(sink, batch.schema, compression="zstd", use_dictionary=names)
            if batch.num_rows:
                writer.write_table(batch, row_group_size=batch.num_rows)
        if writer is not None:
            writer.add_key_value_metadata({_KEY: _footer(experiment, part, entries)})
            writer.close()

    write_stream_durably(path, write)
    if not entries:
        path.unlink()
        return None
    return path


def _footer(experiment: str, part: str, entries: Sequence[Entry]) -> bytes:
    told = {
        "experiment": experiment,
        "part": part,
        "trials": [entry.trial for entry in entries],
        "sha256": [entry.sha256 for entry in entries],
        "rows": [entry.rows for entry in entries],
    }
    return json.dumps(told).encode()


def _name(experiment: str, part: str, text: str) -> str:
    """A readable name that differs wherever the content does."""
    readable = "".join(c if c.isalnum() or c in "-_." else "_" for c in f"{experiment}.{part}")[:80]
    return f"{readable}-{hashlib.sha256(text.encode()).hexdigest()[:12]}.parquet"


def _batches(items: Iterable[Packable], entries: list[Entry]) -> Iterator[pa.Table]:
    """Row groups: whole trials, until they have rows enough. ``entries`` grows by what is in them."""
    held: list[pa.Table] = []
    size = 0
    for item in items:
        rows = item.read()
        if rows is None:
            continue
        entries.append(Entry(item.trial, item.sha256, rows.num_rows))
        held.append(_with_trial(rows, item.trial))
        size += rows.num_rows
        if size >= GROUP_ROWS:
            yield _together(held)
            held, size = [], 0
    if held:
        yield _together(held)


def _with_trial(rows: pa.Table, trial: str) -> pa.Table:
    import pyarrow as pa

    named = pa.DictionaryArray.from_arrays(pa.array([0] * rows.num_rows, pa.int32()), [trial])
    return rows.add_column(0, TRIAL, named)


def _together(tables: list[pa.Table]) -> pa.Table:
    import pyarrow as pa

    return pa.concat_tables(tables).unify_dictionaries().combine_chunks()
