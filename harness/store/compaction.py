"""Compaction: the rows of a run's finished trials move from a file each into few packs by experiment.

It is the writer's work, done when a run has come to its end. ``trials.jsonl`` is not touched: the record of a
trial carries the hash of its rows by what they say, so that it needs no word of where they are. The steps
keep the rows readable wherever a run is killed:

1. A trial's file is checked against its hash, and its rows against theirs; what does not agree stays where
   it is, for readers to complain of.
2. Packs are written whole, each under a name of its own and on disk before the next step. Until then readers
   find every trial's file; a pack beside it holds the same rows.
3. The files of trials all of whose parts are packed are removed one by one. Where a file is gone, its pack is
   there.
4. Packs that were merged into a new one are removed. Before that, both hold their rows.

What is left over after a kill (an unfinished pack, files beside their pack) is tidied by the next compaction.
Small packs are merged with what is new, so that a run which is continued again and again keeps few of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from harness.durable import sync
from harness.errors import RecordError
from harness.store.content import plain, rows_hash
from harness.store.packs import FOLDER, TRIAL, Pack, Packable, Packs, open_pack, write_pack
from harness.store.records import TrialRecord
from harness.store.units import decode_rows, part_rows, sha256

if TYPE_CHECKING:
    import pyarrow as pa

_UNITS = "units"
MERGED_ROWS = 1_000_000
"""Packs with fewer rows are written anew together with what is new."""

Schema = tuple[tuple[str, str], ...]
"""Names and types of columns."""
Kind = tuple[str, str, Schema]
"""What a pack is of: experiment, part and columns."""


def compact(folder: Path, records: Mapping[str, TrialRecord]) -> int:
    """Pack the rows of a run's finished trials; the caller keeps other writers away.

    Args:
        folder: The run's folder.
        records: The last record of each trial.

    Returns:
        The number of trials that were packed.

    Raises:
        RecordError: If a pack cannot be written. Every trial's rows can be read as before.
    """
    _tidy(folder / FOLDER)
    loose = _loose(folder, records)
    writing = _Writing(folder, records, Packs(folder))
    written = Counter[str]()
    merged: list[Pack] = []
    for kind, trials in _by_kind(folder, loose).items():
        small = [pack for pack in writing.packs.all if _kind_of(pack) == kind and pack.rows < MERGED_ROWS]
        path = writing.write(kind, trials, small)
        if path is not None:
            written.update(entry.trial for entry in open_pack(path).entries)
            merged += [pack for pack in small if pack.path != path]
    done = [record for name, record in loose.items() if written[name] == len(record.parts)]
    if written:
        sync(folder)  # The name of the packs' folder, which may be new: what they replace is removed next.
    for record in done:
        (folder / _UNITS / record.units_file).unlink()
    for pack in merged:
        pack.path.unlink()
    return len(done)


def _tidy(folder: Path) -> None:
    """Remove packs that a killed compaction has not finished."""
    for path in folder.glob(".*.tmp"):
        path.unlink(missing_ok=True)


def _loose(folder: Path, records: Mapping[str, TrialRecord]) -> dict[str, TrialRecord]:
    """The trials that have files of their own, and hashes by which their rows can be moved."""
    there = {path.name for path in (folder / _UNITS).glob("*.parquet")}
    return {
        name: record
        for name, record in records.items()
        if record.units_file in there and record.parts and set(record.rows_sha256) == set(record.parts)
    }


def _by_kind(folder: Path, loose: Mapping[str, TrialRecord]) -> dict[Kind, list[TrialRecord]]:
    """The trials of each pack; those whose file cannot be read are in none."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    found: dict[Kind, list[TrialRecord]] = {}
    for record in loose.values():
        try:
            schema = pq.read_schema(folder / _UNITS / record.units_file)
        except (pa.ArrowException, OSError):
            continue
        for part in record.parts:
            columns = part_schema(schema, part)
            found.setdefault((record.experiment, part, columns), []).append(record)
    return found


@lru_cache(maxsize=1024)
def part_schema(schema: pa.Schema, part: str) -> Schema:
    """The columns of a part in the file of one trial, as they are packed."""
    return _told(plain(part_rows(schema.empty_table(), part)).schema)


def _kind_of(pack: Pack) -> Kind:
    return pack.experiment, pack.part, tuple(item for item in _told(pack.schema) if item[0] != TRIAL)


def _told(schema: pa.Schema) -> Schema:
    return tuple((item.name, str(item.type)) for item in schema)


@dataclass(frozen=True)
class _Writing:
    """Writes packs of a run.

    Attributes:
        folder: The run's folder.
        records: The last record of each trial.
        packs: The packs so far.
    """

    folder: Path
    records: Mapping[str, TrialRecord]
    packs: Packs

    def write(self, kind: Kind, trials: Sequence[TrialRecord], small: Sequence[Pack]) -> Path | None:
        """One pack of trials that have files and of small packs, a method's seeds side by side."""
        experiment, part, _ = kind
        items = {item.trial: item for pack in small for item in self._from_pack(pack)}
        for record in trials:
            digest = record.rows_sha256[part]
            items[record.trial] = Packable(record.trial, digest, partial(_rows, self.folder, record, part))
        return write_pack(self.folder, experiment, part, sorted(items.values(), key=self._order))

    def _from_pack(self, pack: Pack) -> Iterator[Packable]:
        """The trials of a pack whose rows are those of the trial as it was run last."""
        for entry in pack.entries:
            record = self.records.get(entry.trial)
            if record is not None and record.rows_sha256.get(pack.part) == entry.sha256:
                yield Packable(entry.trial, entry.sha256, partial(_packed_rows, self.packs, entry.sha256))

    def _order(self, item: Packable) -> tuple[str, str, str, int, str]:
        record = self.records[item.trial]
        return record.stage, record.task, record.method, record.seed, item.trial


def _rows(folder: Path, record: TrialRecord, part: str) -> pa.Table | None:
    """The rows of a trial from its file, if both are as they were recorded."""
    try:
        data = (folder / _UNITS / record.units_file).read_bytes()
        rows = decode_rows(data, part, record.trial)
    except (OSError, RecordError):
        return None
    intact = sha256(data) == record.units_sha256 and rows_hash(rows) == record.rows_sha256[part]
    return plain(rows) if intact else None


def _packed_rows(packs: Packs, digest: str) -> pa.Table | None:
    """Rows from a pack that is merged, if they are as they were recorded."""
    try:
        rows = packs.rows(digest)
    except RecordError:
        return None
    return rows if rows is not None and rows_hash(rows) == digest else None
