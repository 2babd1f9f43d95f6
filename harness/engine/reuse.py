"""Trials that need not run again, since an equal one is stored in some run."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from harness.store.reader import RunReader, readable_runs
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
        anywhere: Whether trials of other environments (another machine) count as well.
    """

    def __init__(self, runs: Iterable[Path], *, anywhere: bool = False) -> None:
        self._anywhere = anywhere
        self._found: dict[tuple[str, str], tuple[RunReader, str]] = {}
        self._failed: dict[tuple[str, str], tuple[TrialRecord, str]] = {}
        self.passed_over: list[str] = []
        """Runs of another version and damaged ones: they cannot help, and do no harm either."""
        for reader in readable_runs(runs, self.passed_over):
            self._add(reader)

    def _add(self, reader: RunReader) -> None:
        for record in reader.trials.values():
            if record.kind != "trial":
                continue
            key = self._key(record.fingerprint, record.environment)
            if record.status == "ok":
                self._found[key] = (reader, record.trial)
            else:
                self._failed[key] = (record, record.reused_from or reader.folder.name)

    def _key(self, fingerprint: str, environment: str) -> tuple[str, str]:
        return (fingerprint, "" if self._anywhere else environment)

    def equal(self, record: TrialRecord, fingerprint: str, environment: str) -> bool:
        """Whether a stored trial may stand for one with this fingerprint and environment key."""
        stored = self._key(record.fingerprint, record.environment)
        return stored == self._key(fingerprint, environment)

    def find(self, fingerprint: str, environment: str) -> Stored | None:
        """The stored trial that equals one with this fingerprint, if its rows are still whole."""
        hit = self._found.get(self._key(fingerprint, environment))
        if hit is None:
            return None
        reader, trial = hit
        if not reader.is_whole(trial):
            return None
        record = reader.trials[trial]
        return Stored(record, reader.units(trial), record.reused_from or reader.folder.name)

    def failed(self, fingerprint: str, environment: str) -> tuple[TrialRecord, str] | None:
        """The record, and the run, of an equal trial that diverged or failed, if none has succeeded.

        Such a trial is executed again by a run; where results are only put together it is a result.
        """
        key = self._key(fingerprint, environment)
        return None if key in self._found else self._failed.get(key)

    def __len__(self) -> int:
        return len(self._found)
