"""Writing runs: append-only, one fsynced line for each finished trial, one writer at a time."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import IO, Self

from harness.durable import sync, write_durably
from harness.errors import RecordError, UsageError
from harness.method.contract import Scores
from harness.store.compaction import compact
from harness.store.content import content_of
from harness.store.locate import SINGLE_TRIALS
from harness.store.manifest import MANIFEST_FILE, run_manifest
from harness.store.reader import RunReader, is_committed, whole_length
from harness.store.records import RunRecord, TrialRecord, VerdictsRecord
from harness.store.units import check_table, encode, sha256, units_name
from harness.text import utf8

_BUSY_RUN = (
    "Another process is writing to this run",
    "Wait for it to end, or start a new run (without --resume).",
)
_BUSY_TRIAL = (
    "Another process is executing this trial",
    "Wait for it to end: the same command then takes its result.",
)


class RunWriter:
    """The single writer of a run folder, which it keeps locked until closed.

    Args:
        folder: The run's folder; created if it is new.

    Raises:
        UsageError: If another process is writing to the folder, or it holds committed results.
        RecordError: If the folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        if is_committed(folder):
            raise UsageError(
                "These are committed results, which only 'corroborate reference' changes",
                where=str(folder),
                fix="Name a run of your own.",
            )
        try:
            (folder / "units").mkdir(parents=True, exist_ok=True)
            (folder / "logs").mkdir(exist_ok=True)
            for made in (folder, folder.parent):
                sync(made)
            self._lock = (folder / ".lock").open("a")
        except OSError as error:
            raise _unwritable(folder, error) from error
        self._acquire()
        self._trials: IO[bytes] | None = None

    def _acquire(self) -> None:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError) as error:  # Which of them, the file system decides.
            self._lock.close()
            what, fix = _BUSY_TRIAL if self.folder.parent.name == SINGLE_TRIALS else _BUSY_RUN
            raise UsageError(what, where=str(self.folder), fix=fix) from error
        except OSError as error:
            self._lock.close()
            raise RecordError(
                f"The file system cannot lock files, so that two commands could write here: {error.strerror}",
                where=str(self.folder),
                fix="Choose a folder on another file system (--runs FOLDER), or mount this one with locks.",
            ) from error

    def start(self, record: RunRecord) -> None:
        """Write ``run.json``."""
        write_durably(self.folder / "run.json", _json(record))

    def repair(self) -> list[str]:
        """Cut a torn last line off ``trials.jsonl``, keeping it beside; says what was done."""
        path = self.folder / "trials.jsonl"
        if not path.is_file():
            return []
        data = path.read_bytes()
        end = whole_length(data)
        if end == len(data):
            return []
        names = (self.folder / f"trials.jsonl.torn-{number}" for number in count(1))
        torn = next(name for name in names if not name.exists())
        write_durably(torn, data[end:])
        write_durably(path, data[:end])
        return [f"The last line of trials.jsonl was cut off; its {len(data) - end} bytes are in {torn.name}"]

    def append(self, record: TrialRecord, scores: Scores | None = None) -> TrialRecord:
        """Store a finished trial: first its rows, then its line, each on disk before the next."""
        if scores is None:
            return self._append_line(record)
        for part, table in scores.parts.items():
            check_table(part, table, record.trial)
        return self.append_encoded(record, encode(scores.parts), list(scores.parts))

    def append_encoded(self, record: TrialRecord, units: bytes, parts: list[str]) -> TrialRecord:
        """Store a finished trial whose rows are already encoded."""
        name = units_name(record.trial)
        write_durably(self.folder / "units" / name, units)
        hashes = {"units_sha256": sha256(units), **content_of(units, parts, record.trial)}
        return self._append_line(record.model_copy(update={"units_file": name, "parts": parts, **hashes}))

    def compact(self) -> int:
        """Pack the rows of finished trials into few files; gives the number of trials that were packed.

        Raises:
            RecordError: If the packs cannot be written; every trial's rows are where they were.
        """
        import pyarrow as pa

        try:
            return compact(self.folder, self.reader().trials)
        except pa.ArrowException as error:
            raise RecordError(f"The unit rows cannot be packed: {error}", where=str(self.folder)) from error

    def _append_line(self, record: TrialRecord) -> TrialRecord:
        try:
            if self._trials is None:
                self._trials = (self.folder / "trials.jsonl").open("ab", buffering=0)
                sync(self.folder)
            _add_whole(self._trials, record.as_json().encode() + b"\n")
        except OSError as error:
            raise _unwritable(self.folder, error) from error
        return record

    def log(self, trial: str, text: str) -> str:
        """Keep what a trial printed. A run does not fail for a log: says why it was not kept, or nothing."""
        if not text:
            return ""
        path = self.folder / "logs" / (units_name(trial).removesuffix(".parquet") + ".log")
        try:
            path.write_text(text, encoding="utf-8", errors="backslashreplace")
        except OSError as error:
            return f"{trial}: its log was not kept: {error.strerror or error}"
        return ""

    def verdicts(self, record: VerdictsRecord) -> None:
        """Write ``verdicts.json``, and the hashes of all that is stored by then."""
        write_durably(self.folder / "verdicts.json", _json(record.model_copy(update={"manifest": True})))
        write_durably(self.folder / MANIFEST_FILE, run_manifest(self.folder))

    def text(self, name: str, text: str) -> None:
        """Write another JSON file of the run (the plan)."""
        write_durably(self.folder / name, utf8(text))

    def close(self) -> None:
        """Release the folder."""
        if self._trials is not None:
            self._trials.close()
        self._lock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def reader(self) -> RunReader:
        """A fresh reader of what is stored so far."""
        return RunReader(self.folder)


def _add_whole(file: IO[bytes], line: bytes) -> None:
    """Add a line to a file, on disk, or leave the file as it was."""
    before = os.fstat(file.fileno()).st_size
    try:
        left = memoryview(line)
        while left:  # A disk that is nearly full takes a part, and refuses the next.
            left = left[file.write(left) :]
        os.fsync(file.fileno())
    except OSError:
        with suppress(OSError):
            os.ftruncate(file.fileno(), before)
        raise


def _json(record: RunRecord | VerdictsRecord) -> bytes:
    return record.as_json(indent=1).encode() + b"\n"


def _unwritable(folder: Path, error: OSError) -> RecordError:
    return RecordError(
        f"The run folder cannot be written: {error.strerror or error}",
        where=str(folder),
        fix="Free some space or choose another folder (--runs FOLDER). Finished trials are safe: "
        "go on with --resume.",
    )
