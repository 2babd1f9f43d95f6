"""What a user sees while a run goes on: a live display, or plain lines outside a terminal."""

from __future__ import annotations

import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, Self, TextIO

from harness.engine.job import Progress
from harness.store.records import TrialRecord

if TYPE_CHECKING:
    from rich.progress import TaskID

PLAIN_SECONDS = 10.0
"""Plain lines come at most this often, but for failures and notes."""


class PlainDisplay:
    """One line now and then: for logs and CI."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stderr
        self._total = 0
        self._counts: Counter[str] = Counter()
        self._start = time.monotonic()
        self._last = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._total:
            self._line(self._state())

    def total(self, trials: int) -> None:
        """How many trials there are."""
        self._total = trials
        self._line(f"{trials} trials")

    def started(self, job: str) -> None:
        """Artifacts take long and are few, so their start is worth a line."""
        if job.startswith("artifact/"):
            self._line(f"building {job.removeprefix('artifact/')}")

    def progress(self, progress: Progress) -> None:
        """Long jobs' own progress is for the live display."""

    def finished(self, record: TrialRecord) -> None:
        """Count it; say so if it failed or if it is time."""
        if record.kind == "trial":
            self._counts["reused" if record.reused_from else record.status] += 1
        if record.status != "ok":
            self._line(f"{record.status}: {record.trial}: {last_line(record.error)}")
        elif record.kind == "artifact":
            self._line(f"built {record.method} in {record.cost.wall_s:.0f} s")
        elif time.monotonic() - self._last > PLAIN_SECONDS:
            self._line(self._state())

    def note(self, text: str) -> None:
        """Print it."""
        self._line(text)

    def _state(self) -> str:
        done = sum(self._counts.values())
        spent = time.monotonic() - self._start
        executed = done - self._counts["reused"]
        left = f", about {duration(spent / executed * (self._total - done))} left" if executed else ""
        parts = ", ".join(f"{count} {status}" for status, count in self._counts.items())
        return f"{done} of {self._total} trials ({parts or 'none yet'}) after {duration(spent)}{left}"

    def _line(self, text: str) -> None:
        self._last = time.monotonic()
        print(text, file=self._out, flush=True)


class LiveDisplay:
    """A progress bar with the time left, and what is running below it."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )
        from rich.progress import Progress as Bars

        self._console = Console(file=sys.stderr)
        self._bars = Bars(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
        )
        self._all = self._bars.add_task("trials", total=None)
        self._jobs: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._bars.stop()

    def total(self, trials: int) -> None:
        """How many trials there are."""
        self._bars.update(self._all, total=trials)

    def started(self, job: str) -> None:
        """Show the job."""
        self._jobs[job] = self._bars.add_task(f"  {job}"[:70], total=1.0)

    def progress(self, progress: Progress) -> None:
        """Move the job's own bar."""
        if progress.id in self._jobs:
            self._bars.update(self._jobs[progress.id], completed=progress.done)

    def finished(self, record: TrialRecord) -> None:
        """Take the job's line away and count it."""
        job = self._jobs.pop(record.trial, None)
        if job is not None:
            self._bars.remove_task(job)
        if record.kind == "trial":
            self._bars.advance(self._all)
        if record.status != "ok":
            self.note(f"{record.status}: {record.trial}: {last_line(record.error)}")
        elif record.kind == "artifact" and not record.reused_from:
            self.note(f"built {record.method} in {duration(record.cost.wall_s)}")

    def note(self, text: str) -> None:
        """Print it above the bars."""
        self._console.print(text, markup=False, highlight=False)


def display() -> PlainDisplay | LiveDisplay:
    """The display that fits where standard error goes."""
    return LiveDisplay() if sys.stderr.isatty() else PlainDisplay()


def last_line(text: str) -> str:
    """The end of a traceback, in one line: the error itself, with the advice that is indented below it."""
    lines = [line for line in text.strip().splitlines() if line.strip()]
    start = max((place for place, line in enumerate(lines) if not line[0].isspace()), default=0)
    return " ".join(line.strip() for line in lines[start:]) or "no reason given"


def duration(seconds: float) -> str:
    """Seconds as a reader says them."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"
