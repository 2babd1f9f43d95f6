"""Reading runs."""

from __future__ import annotations

import gzip
import io
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
from harness.store.kept import KeptCell
from harness.store.packs import Packs
from harness.store.record import Record
from harness.store.records import SCHEMA_VERSION, RunRecord, TrialRecord, VerdictsRecord
from harness.store.trial_rows import TrialRows
from harness.store.units import RERUN
from harness.text import parsed_json

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

TRIALS_FILE = "trials.jsonl.gz"
"""The trials' lines as committed results hold them."""

MOST_BYTES = 2**30
"""What a packed file of records may unpack to: a thousand times what committed results take, so that a
small file cannot fill the memory."""
_MOST_TABLES = 4096
"""Evaluation sets whose rows a reader holds at once."""

RecordT = TypeVar("RecordT", bound=Record)


@dataclass
class RunReader:
    """A run on disk, as :class:`harness.store.view.RunView`."""

    folder: Path
    damaged: list[str] = field(default_factory=list)
    """What was found damaged and passed over, for the user to read."""

    @cached_property
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

    @property
    def packs(self) -> Packs:
        """Where the rows of a compacted run are."""
        return self._rows.packs

    @cached_property
    def _rows(self) -> TrialRows:
        return TrialRows(self.folder)

    @cached_property
    def _tables(self) -> OrderedDict[tuple[str, str], RowColumns]:
        """Rows read last from files of their own trials; all of a large run would not fit into memory."""
        return OrderedDict()

    def table(self, trial: str, part: str) -> Mapping[str, np.ndarray]:
        """The unit rows of one part of a finished trial."""
        key = (trial, part)
        if key in self._tables:
            return self._tables[key]
        found = RowColumns(self.rows(trial, part), self.trials[trial].unit_ids_sha256.get(part))
        # What lies in a pack is a view of rows that are kept there, and would keep all of them.
        if not self._rows.is_packed(self.trials[trial]):
            self._tables[key] = found
            while len(self._tables) > _MOST_TABLES:
                self._tables.popitem(last=False)
        return found

    def rows(self, trial: str, part: str) -> pa.Table:
        """The unit rows of one part of a finished trial as an Arrow table, checked against their hash.

        Raises:
            RecordError: If the trial, the file or its content is not as recorded.
        """
        return self._rows.rows(self._with_rows(trial), part)

    def units(self, trial: str) -> bytes:
        """A trial's unit rows as the bytes of one parquet file, checked against their hash.

        Raises:
            RecordError: If the trial, the file or its content is not as recorded.
        """
        return self._rows.units(self._with_rows(trial))

    def check(self, trial: str) -> None:
        """Read a trial's unit rows and compare them with their hash.

        Raises:
            RecordError: If the trial, the file or its content is not as recorded.
        """
        self._rows.check(self._with_rows(trial))

    def _with_rows(self, trial: str) -> TrialRecord:
        record = self.trials.get(trial)
        if record is None or not record.units_file:
            raise RecordError(f"There are no unit rows of trial '{trial}'", where=str(self.folder))
        return record

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
        RecordError: If it cannot be read, or unpacks to too much.
    """
    try:
        if path.suffix != ".gz":
            return path.read_bytes()
        with gzip.open(path) as packed:
            data = packed.read(MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise RecordError(f"The file cannot be read: {error}", where=str(path)) from error
    if len(data) > MOST_BYTES:
        raise RecordError(
            f"The file unpacks to more than {MOST_BYTES:,} bytes, which no records of ours do",
            where=str(path),
            fix="It is damaged, or was made to fill the memory: get it again from where it was made.",
        )
    return data


def parse(model: type[RecordT], text: str | bytes, where: str) -> RecordT:
    """A record from its JSON.

    Raises:
        RecordError: If it is damaged or of another schema version.
    """
    try:
        raw = parsed_json(text)
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
    lines = enumerate(io.BytesIO(data[:end]), 1)
    return [_trial(line, f"{path}, line {n}") for n, line in lines if line.strip(b"\n")]


def _trial(line: bytes, where: str) -> TrialRecord:
    """A line of ``trials.jsonl``; what is odd about it is told by the slower way to read it."""
    try:
        # Shares short texts between records, which is most of what a hundred thousand of them take.
        record = TrialRecord.model_validate_json(line)
    except ValueError:
        return parse(TrialRecord, line, where)
    if record.schema_version != SCHEMA_VERSION or "schema_version" not in record.model_fields_set:
        return parse(TrialRecord, line, where)
    for model in (record, record.cost):
        _share_fields_set(model)
    return record


_fields_sets: dict[frozenset[str], set[str]] = {}


def _share_fields_set(model: Record) -> None:
    """Let records share the set of fields that were given, which is half of what one takes.

    Records are frozen, and copies of them copy the set.
    """
    given = model.__pydantic_fields_set__
    object.__setattr__(model, "__pydantic_fields_set__", _fields_sets.setdefault(frozenset(given), given))


def whole_length(data: bytes) -> int:
    """How many bytes of a JSON-lines file are whole lines."""
    end = data.rfind(b"\n") + 1
    last = data[data.rfind(b"\n", 0, max(end - 1, 0)) + 1 : end]
    try:
        if last.strip():
            parsed_json(last)
    except ValueError:
        return end - len(last)
    return end
