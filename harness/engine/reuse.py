"""Trials that need not run again, since an equal one is stored in some run."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from harness.errors import RecordError
from harness.store.reader import RunReader
from harness.store.records import TrialRecord


class Stored(NamedTuple):
    """A finished trial of some run."""

    record: TrialRecord
    units: bytes
    run: str


class ReuseIndex:
    """Finished trials of earlier runs, by fingerprint and environment key.

    Args:
        runs: Run folders to look through, the newest last.
    """

    def __init__(self, runs: Iterable[Path]) -> None:
        self._found: dict[tuple[str, str], tuple[RunReader, str]] = {}
        for folder in runs:
            self._add(RunReader(folder))

    def _add(self, reader: RunReader) -> None:
        try:
            trials = reader.trials
        except (RecordError, OSError):
            return  # A run of another version or a damaged one cannot help; it does not harm either.
        for record in trials.values():
            if record.kind == "trial" and record.status == "ok":
                self._found[record.fingerprint, record.environment] = (reader, record.trial)

    def find(self, fingerprint: str, environment: str) -> Stored | None:
        """The stored trial that equals one with this fingerprint, if its rows are still whole."""
        hit = self._found.get((fingerprint, environment))
        if hit is None:
            return None
        reader, trial = hit
        if not reader.is_whole(trial):
            return None
        record = reader.trials[trial]
        return Stored(record, reader.units(trial), record.reused_from or reader.folder.name)

    def __len__(self) -> int:
        return len(self._found)
