"""Reading runs."""

from __future__ import annotations

import gzip
import json
import zlib
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from harness.errors import RecordError
from harness.store.columns import RowColumns
from harness.store.content import rows_hash
from harness.store.kept import KeptCell
from harness.store.packs import FOLDER, Packs
from harness.store.records import SCHEMA_VERSION, Record, RunRecord, TrialRecord, VerdictsRecord
from harness.store.units import RERUN, decode_rows, encode_rows, sha256

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

TRIALS_FILE = "trials.jsonl.gz"
"""The trials' lines as committed results hold them."""

_MOST_TABLES = 512
"""Evaluation sets whose rows a reader holds at once."""

RecordT = TypeVar("RecordT", bound=Record)


@dataclass
class RunReader:
    """A run on disk, as :class:`harness.store.view.RunView`."""

    folder: Path
    damaged: list[str] = field(default_factory=list)
    """What was found damaged and passed over, for the user to read."""

    @property
    def is_committed(self) -> bool:
        """Whether these are committed results: packed, without the rows that were too many."""
        return is_committed(self.folder)

    @cached_property
    def omitted(self) -> frozenset[str]:
        """Trials of which committed results leave rows out for their size; a run leaves nothing out."""
        return frozenset()

    @property
    def kept(self) -> Mapping[str, KeptCell] | None:
        """Nothing: a run has its rows."""
        return None

    @cached_property
    def record(self) -> RunRecord:
        """What was asked for."""
        path = self.folder / "run.json"
        if not path.is_file():
            raise RecordError("This folder holds no run: run.json is missing", where=str(self.folder))
        return parse(RunRecord, read_file(path), str(path))

    @cached_property
    def trials(self) -> Mapping[str, TrialRecord]:
        """The last record of each trial and artifact, by id."""
        found: dict[str, TrialRecord] = {}
        packed = self.folder / TRIALS_FILE
        path = packed if packed.is_file() else self.folder / "trials.jsonl"
        for record in read_trials(path, self.damaged):
            found[record.trial] = record
        return found

    @cached_property
    def verdicts(self) -> VerdictsRecord | None:
        """The stored verdicts, if the run has been judged."""
        path = self.folder / "verdicts.json"
        if not path.is_file():
            return None
        return parse(VerdictsRecord, read_file(path), str(path))

    @cached_property
    def packs(self) -> Packs:
        """Where the rows of a compacted run are."""
        return Packs(self.folder)

    @cached_property
    def _tables(self) -> OrderedDict[tuple[str, str], RowColumns]:
        """The rows read last; all of a large run would not fit into memory."""
        return OrderedDict()

    def table(self, trial: str, part: str) -> Mapping[str, np.ndarray]:
        """The unit rows of one part of a finished trial."""
        key = (trial, part)
        if key not in self._tables:
            self._tables[key] = RowColumns(self.rows(trial, part), self._key_of(trial, part))
            while len(self._tables) > _MOST_TABLES:
                self._tables.popitem(last=False)
        return self._tables[key]

    def _key_of(self, trial: str, part: str) -> list[bytes]:
        """Where the digest of a table's units is kept, which outlives its rows."""
        digest = self.trials[trial].rows_sha256.get(part, "")
        return self._unit_keys.setdefault(digest, []) if digest else []

    @cached_property
    def _unit_keys(self) -> dict[str, list[bytes]]:
        return {}

    @cached_property
    def _checked_packed(self) -> set[str]:
        """Hashes whose packed rows have been found to be as they were recorded."""
        return set()

    def rows(self, trial: str, part: str) -> pa.Table:
        """The unit rows of one part of a finished trial as an Arrow table, checked against their hash.

        Raises:
            RecordError: If the trial, the file or its content is not as recorded.
        """
        record = self._with_rows(trial)
        path = self._loose(record)
        if path.is_file() or not record.rows_sha256:
            return decode_rows(self._checked(record), part, f"{self.folder.name}: {trial}")
        if part not in record.rows_sha256:
            raise RecordError(
                f"There are no unit rows of part '{part}'", where=f"{self.folder.name}: {trial}", fix=RERUN
            )
        return self._packed(record, part)

    def units(self, trial: str) -> bytes:
        """A trial's unit rows as the bytes of one parquet file, checked against their hash.

        Raises:
            RecordError: If the trial, the file or its content is not as recorded.
        """
        record = self._with_rows(trial)
        if self._loose(record).is_file() or not record.rows_sha256:
            return self._checked(record)
        return encode_rows({part: self._packed(record, part) for part in record.parts})

    def check(self, trial: str) -> None:
        """Read a trial's unit rows and compare them with their hash.

        Raises:
            RecordError: If the trial, the file or its content is not as recorded.
        """
        record = self._with_rows(trial)
        if self._loose(record).is_file() or not record.rows_sha256:
            self._checked(record)
            return
        for part in record.parts:
            self._packed(record, part)

    def _with_rows(self, trial: str) -> TrialRecord:
        record = self.trials.get(trial)
        if record is None or not record.units_file:
            raise RecordError(f"There are no unit rows of trial '{trial}'", where=str(self.folder))
        return record

    def _loose(self, record: TrialRecord) -> Path:
        """The file of a trial by itself."""
        return self.folder / "units" / record.units_file

    def _checked(self, record: TrialRecord) -> bytes:
        path = self._loose(record)
        try:
            data = path.read_bytes()
        except OSError as error:
            if record.rows_sha256 and not path.is_file() and self._packed_since(record):
                return encode_rows({part: self._packed(record, part) for part in record.parts})
            raise RecordError(
                f"The unit rows of trial '{record.trial}' are missing", where=str(path), fix=RERUN
            ) from error
        if sha256(data) != record.units_sha256:
            raise RecordError(
                f"The unit rows of trial '{record.trial}' are not those that were recorded",
                where=str(path),
                fix=RERUN,
            )
        return data

    def _packed_since(self, record: TrialRecord) -> bool:
        """Whether another process has packed a trial's rows after its file was seen here."""
        self.packs.refresh()
        return all(self.packs.has(digest) for digest in record.rows_sha256.values())

    def _packed(self, record: TrialRecord, part: str) -> pa.Table:
        """A part's rows from its pack, checked."""
        digest = record.rows_sha256[part]
        try:
            rows = self.packs.rows(digest)
        except RecordError:
            rows = None
        if rows is None:
            self.packs.refresh()  # Another process may have packed them, or merged packs, since.
            rows = self.packs.rows(digest)
        if rows is None:
            raise RecordError(
                f"The unit rows of trial '{record.trial}' are missing{self._why_missing()}",
                where=str(self._loose(record)),
                fix=RERUN,
            )
        if digest not in self._checked_packed and rows_hash(rows) != digest:
            raise RecordError(
                f"The unit rows of trial '{record.trial}' are not those that were recorded",
                where=str(self.folder / FOLDER),
                fix=RERUN,
            )
        self._checked_packed.add(digest)
        return rows

    def _why_missing(self) -> str:
        first = next(iter(self.packs.damaged.items()), None)
        return f"; {first[0].name}: {first[1]}" if first else ""

    def is_whole(self, trial: str) -> bool:
        """Whether a trial is recorded as finished and its rows are there, unchanged."""
        record = self.trials.get(trial)
        if record is None or record.status != "ok":
            return False
        try:
            self.check(trial)
        except RecordError as error:
            self.damaged.append(error.what)
            return False
        return True


def is_committed(folder: Path) -> bool:
    """Whether a folder holds committed results, which nothing but ``reference`` changes."""
    return (folder / TRIALS_FILE).is_file()


def readable_runs(folders: Iterable[Path], passed_over: list[str]) -> Iterator[RunReader]:
    """The runs that can be read, in their order; why others cannot is noted in ``passed_over``."""
    for folder in folders:
        reader = RunReader(folder)
        try:
            _ = reader.trials
        except RecordError as error:
            passed_over.append(f"run {folder.name} is passed over, since it cannot be read: {error.what}")
            continue
        yield reader


def read_file(path: Path) -> bytes:
    """The bytes of a file of records, unpacked if they are packed.

    Raises:
        RecordError: If it cannot be read.
    """
    try:
        data = path.read_bytes()
        return gzip.decompress(data) if path.suffix == ".gz" else data
    except (OSError, EOFError, zlib.error) as error:
        raise RecordError(f"The file cannot be read: {error}", where=str(path)) from error


def parse(model: type[RecordT], text: str | bytes, where: str) -> RecordT:
    """A record from its JSON.

    Raises:
        RecordError: If it is damaged or of another schema version.
    """
    try:
        raw = json.loads(text)
    except ValueError as error:
        raise RecordError(f"The record is not valid JSON: {error}", where=where, fix=RERUN) from error
    return build(model, raw, where)


def build(model: type[RecordT], raw: Any, where: str) -> RecordT:
    """A record from its parsed JSON, refusing other schema versions."""
    version = raw.get("schema_version") if isinstance(raw, dict) else None
    if version != SCHEMA_VERSION:
        raise RecordError(
            f"The record has schema version {version}, this program reads version {SCHEMA_VERSION}",
            where=where,
            fix="Read it with the version of corroborate that wrote it, or run the suite again.",
        )
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(p) for p in first["loc"])
        raise RecordError(f"The record is damaged: {place}: {first['msg']}", where=where) from error


def read_trials(path: Path, damaged: list[str]) -> list[TrialRecord]:
    """All lines of ``trials.jsonl``; a torn last line is passed over and noted in ``damaged``."""
    if not path.is_file():
        return []
    data = read_file(path)
    end = whole_length(data)
    if end < len(data):
        damaged.append(
            f"{path}: the last line is cut off ({len(data) - end} bytes), as a killed run leaves it; "
            "it is passed over and its trial counts as not finished"
        )
    # Text has more line ends than JSON lines: U+2028 in an error message is none.
    lines = data[:end].split(b"\n")
    return [parse(TrialRecord, line, f"{path}, line {n}") for n, line in enumerate(lines, 1) if line]


def whole_length(data: bytes) -> int:
    """How many bytes of a JSON-lines file are whole lines."""
    end = data.rfind(b"\n") + 1
    last = data[data.rfind(b"\n", 0, max(end - 1, 0)) + 1 : end]
    try:
        if last.strip():
            json.loads(last)
    except ValueError:
        return end - len(last)
    return end
