"""Committed results: a whole run in a folder small enough for a repository.

Unit rows of all trials lie in one parquet file, of each only the columns that verdicts and reports read;
beside them is the value of every cell in every replicate. Rows that only such values come from are kept as
far as there is room, those that are read one by one always: whatever was derived from the run can be derived
from its committed results.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import LEFT_OUT, OmittedRowsError, RecordError, UsageError
from harness.store.kept import KeptCell, decode_kept, encode_kept
from harness.store.manifest import MANIFEST_FILE, manifest_of
from harness.store.numbers import PrintedNumber, decode_numbers, encode_numbers
from harness.store.packing import TRIAL_COLUMN, EvaluationSet, Reading, pack_rows
from harness.store.reader import TRIALS_FILE, RunReader, is_committed, read_file
from harness.store.record import Record
from harness.store.records import VerdictsRecord
from harness.store.replace import CELLS_FILE, NUMBERS_FILE, OMITTED_FILE, UNITS_FILE
from harness.text import parsed_json

if TYPE_CHECKING:
    import numpy as np

LIMIT_MB = 1.0


@dataclass(frozen=True)
class PackedRun:
    """Committed results before they are written.

    Attributes:
        files: Their bytes by name.
        without: Evaluation sets that are kept as values by replicate, since their rows did not fit.
    """

    files: Mapping[str, bytes]
    without: tuple[EvaluationSet, ...]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(map(len, self.files.values()))


def packed_run(
    reader: RunReader,
    reading: Reading,
    verdicts: VerdictsRecord,
    numbers: Iterable[PrintedNumber] = (),
    limit_mb: float = LIMIT_MB,
) -> PackedRun:
    """A judged run as committed results.

    Args:
        reader: The run.
        reading: What verdicts and reports read of it.
        verdicts: Its verdicts.
        numbers: What its report prints.
        limit_mb: Largest size in MB (10⁶ bytes).

    Raises:
        UsageError: If the run is committed already.
        RecordError: If what must be kept is larger than the limit.
    """
    if reader.is_committed:
        raise UsageError(
            "These are committed results already", where=str(reader.folder), fix="Name a run of your own."
        )
    lines = "".join(record.as_json() + "\n" for record in reader.trials.values())
    files = {
        "run.json": _pretty(reader.record.without_folders()),
        TRIALS_FILE: gzip.compress(lines.encode(), mtime=0),
        "verdicts.json": _pretty(verdicts.model_copy(update={"manifest": True})),
        CELLS_FILE: encode_kept(reading.cells),
        NUMBERS_FILE: encode_numbers(numbers),
    }
    # The hash of the rows themselves has the same length, whatever they are.
    bare = len(manifest_of({**files, UNITS_FILE: b""}))
    rows = pack_rows(reader, reading, int(limit_mb * 1e6) - bare - sum(map(len, files.values())))
    if rows.data:
        files[UNITS_FILE] = rows.data
    packed = PackedRun({**files, MANIFEST_FILE: manifest_of(files)}, rows.without)
    if packed.size > limit_mb * 1e6:
        raise RecordError(
            f"The run takes {packed.size / 1e6:.2f} MB with all that verdicts and tables are derived from, "
            f"and {limit_mb:g} MB are allowed",
            where=str(reader.folder),
            fix="Raise the limit with --limit-mb, or let claims over units ask fewer of them.",
        )
    return packed


def _pretty(record: Record) -> bytes:
    return record.as_json(indent=1).encode() + b"\n"


class ReferenceReader(RunReader):
    """Committed results, as :class:`harness.store.view.RunView`."""

    @cached_property
    def kept(self) -> Mapping[str, KeptCell] | None:
        """The values of every cell that was read; ``None`` in older results, which have rows alone."""
        path = self.folder / CELLS_FILE
        return decode_kept(read_file(path), str(path)) if path.is_file() else None

    @cached_property
    def numbers(self) -> list[PrintedNumber] | None:
        """What the report printed; ``None`` in older results."""
        path = self.folder / NUMBERS_FILE
        return decode_numbers(read_file(path), str(path)) if path.is_file() else None

    @cached_property
    def omitted(self) -> frozenset[str]:
        """Trials of which older results leave rows out for their size, with nothing in their place."""
        return frozenset(name.rpartition(":")[0] for name in self.omitted_sets)

    @cached_property
    def omitted_sets(self) -> frozenset[str]:
        """The evaluation sets that were left out for their size, as ``trial:part``.

        Raises:
            RecordError: If the list of them is damaged.
        """
        path = self.folder / OMITTED_FILE
        try:
            return frozenset(map(str, parsed_json(read_file(path)))) if path.is_file() else frozenset()
        except (TypeError, ValueError) as error:
            raise RecordError(f"The list of omitted rows is damaged: {error}", where=str(path)) from error

    def table(self, trial: str, part: str) -> Mapping[str, np.ndarray]:
        """The unit rows of one part of a trial.

        Raises:
            OmittedRowsError: If they were left out: for their size, or since nothing reads them.
            RecordError: If they are missing without being listed, or damaged.
        """
        import pyarrow as pa

        if f"{trial}:{part}" in self.omitted_sets:
            raise OmittedRowsError(
                f"{LEFT_OUT} for their size",
                where=f"{self.folder}: {trial}, part '{part}'",
                fix=f"They are not among the committed results; {OMITTED_FILE} lists all that were left out.",
            )
        if self.kept is not None and not (self.folder / UNITS_FILE).is_file():
            raise self._unread(trial, part)
        try:
            return self._columns(trial, part)
        except (pa.ArrowException, LookupError, ValueError, TypeError) as error:
            where = str(self.folder / UNITS_FILE)
            raise RecordError(f"The committed rows are damaged: {error}", where=where) from error

    def _columns(self, trial: str, part: str) -> Mapping[str, np.ndarray]:
        import pyarrow.compute as pc

        rows = self._units.filter(pc.equal(self._names, trial))
        prefixes = [
            name.removesuffix("unit_id")
            for name in rows.column_names
            if re.fullmatch(rf"{re.escape(part)}(#\d+)?/unit_id", name)
            and rows[name].null_count < rows.num_rows
        ]
        if not prefixes and self.kept is not None and part in self.trials[trial].parts:
            raise self._unread(trial, part)
        if not prefixes:
            raise RecordError(
                f"The unit rows of '{trial}', part '{part}', are not among the committed results",
                where=str(self.folder),
            )
        prefix = prefixes[0]
        own = [name for name in rows.column_names if name.startswith(prefix)]
        rows = rows.select(own).filter(pc.is_valid(rows[f"{prefix}unit_id"]))
        # A column that other trials have and this one not is empty here.
        there = [name for name in own if rows[name].null_count < rows.num_rows or not rows.num_rows]
        return {name.removeprefix(prefix): rows[name].to_numpy() for name in there}

    def _unread(self, trial: str, part: str) -> OmittedRowsError:
        return OmittedRowsError(
            f"{LEFT_OUT} of the committed results",
            where=f"{self.folder}: {trial}, part '{part}'",
            fix="No claim, table or figure reads them row by row.",
        )

    @cached_property
    def _units(self) -> Any:
        import pyarrow as pa
        import pyarrow.parquet as pq

        path = self.folder / UNITS_FILE
        try:
            return pq.read_table(path)
        except (pa.ArrowException, OSError) as error:
            raise RecordError(f"The committed rows cannot be read: {error}", where=str(path)) from error

    @cached_property
    def _names(self) -> Any:
        """The trial of each row, as text."""
        import pyarrow as pa

        return self._units[TRIAL_COLUMN].cast(pa.string())

    def is_whole(self, trial: str) -> bool:
        """Whether the trial finished."""
        record = self.trials.get(trial)
        return record is not None and record.status == "ok"


def open_run(folder: Path) -> RunReader:
    """The run, or the committed results, in ``folder``.

    Raises:
        RecordError: If there is none, or it was written by another schema version.
    """
    reader = ReferenceReader(folder) if is_committed(folder) else RunReader(folder)
    _ = reader.record
    return reader
