"""Running toy suites in tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.claims import Profile
from harness.engine.job import Progress
from harness.engine.run import Finished, RunRequest, execute_run
from harness.resources import Resolver
from harness.store import RunReader, open_run
from harness.store.records import TrialRecord
from harness.suite import Scale, Suite


@dataclass
class Recorder:
    """A display that remembers what it was told."""

    notes: list[str] = field(default_factory=list)
    records: list[TrialRecord] = field(default_factory=list)
    reports: list[Progress] = field(default_factory=list)

    def total(self, trials: Sequence[str]) -> None:
        self.notes.append(f"{len(trials)} trials")

    def started(self, job: str) -> None:
        pass

    def progress(self, progress: Progress) -> None:
        self.reports.append(progress)

    def finished(self, record: TrialRecord) -> None:
        self.records.append(record)

    def note(self, text: str) -> None:
        self.notes.append(text)


def request(suite: Suite, folder: Path, **changes: Any) -> RunRequest:
    """A request to run a suite inside ``folder``, in this process unless changed."""
    settings: dict[str, Any] = {
        "suite": suite,
        "scale": Scale(profile=Profile.SMALL),
        "resolver": Resolver({}, frozenset(), folder / "home", None),
        "runs": folder / "runs",
        "engine": "inline",
        "argv": ("corroborate", "run", "toy"),
    }
    return RunRequest(**{**settings, **changes})


def run(suite: Suite, folder: Path, **changes: Any) -> tuple[Finished, RunReader, Recorder]:
    """Run a suite; gives how it ended, its records, and what a display would have shown."""
    recorder = Recorder()
    finished = execute_run(request(suite, folder, **changes), recorder)
    return finished, open_run(finished.folder), recorder
