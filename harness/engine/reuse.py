"""Trials that need not run again, since an equal one is stored in some run."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from harness.engine.files_read import changed_files
from harness.plan.trial import PlannedTrial
from harness.store.reader import RunReader, readable_runs
from harness.store.records import TrialRecord


class Stored(NamedTuple):
    """A finished trial of some run."""

    record: TrialRecord
    units: bytes
    run: str


Key = tuple[str, str, str]
"""Fingerprint, environment key and versions of libraries."""


def key_of(trial: PlannedTrial, environment: str) -> Key:
    """What a stored trial must equal to stand for ``trial``."""
    return (trial.fingerprint, environment, trial.libraries)


def doubt(record: TrialRecord) -> str:
    """Why a finished trial cannot stand for an equal one now, or nothing."""
    if record.unsure:
        return record.unsure
    changed = changed_files(record.files)
    return f"it read files that are others now: {', '.join(changed[:3])}" if changed else ""


class ReuseIndex:
    """Finished trials of earlier runs, by fingerprint, environment key and versions of libraries.

    Args:
        runs: Run folders to look through, the newest last.
        anywhere: Whether trials of other environments (another machine) count as well.
    """

    def __init__(self, runs: Iterable[Path], *, anywhere: bool = False) -> None:
        self._anywhere = anywhere
        self._found: dict[Key, list[tuple[RunReader, str]]] = {}
        self._failed: dict[Key, tuple[TrialRecord, str]] = {}
        self.passed_over: list[str] = []
        """Runs of another version and damaged ones: they cannot help, and do no harm either."""
        for reader in readable_runs(runs, self.passed_over):
            self._add(reader)

    def _add(self, reader: RunReader) -> None:
        for record in reader.trials.values():
            if record.kind != "trial":
                continue
            key = self._key((record.fingerprint, record.environment, record.libraries))
            if record.status == "ok":
                self._found.setdefault(key, []).append((reader, record.trial))
            else:
                self._failed[key] = (record, record.reused_from or reader.folder.name)

    def _key(self, key: Key) -> Key:
        return (key[0], "", "") if self._anywhere else key

    def equal(self, record: TrialRecord, key: Key) -> bool:
        """Whether a stored trial may stand for one with this key."""
        stored = self._key((record.fingerprint, record.environment, record.libraries))
        return stored == self._key(key) and not doubt(record)

    def find(self, key: Key) -> Stored | None:
        """The newest stored trial that equals one with this key, if its rows are still whole."""
        for reader, trial in reversed(self._found.get(self._key(key), [])):
            record = reader.trials[trial]
            if not doubt(record) and reader.is_whole(trial):
                return Stored(record, reader.units(trial), record.reused_from or reader.folder.name)
        return None

    def refused(self, key: Key) -> str:
        """Why the newest stored trial that equals one with this key does not stand for it, or nothing."""
        known = self._found.get(self._key(key), [])
        return doubt(known[-1][0].trials[known[-1][1]]) if known else ""

    def failed(self, key: Key) -> tuple[TrialRecord, str] | None:
        """The record, and the run, of an equal trial that diverged or failed, if none has succeeded.

        Such a trial is executed again by a run; where results are only put together it is a result.
        """
        known = self._key(key)
        return None if known in self._found else self._failed.get(known)

    def __len__(self) -> int:
        return len(self._found)
