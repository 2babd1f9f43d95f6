"""What a user sees while a run goes on: a live display, or plain lines outside a terminal."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Self, TextIO

from harness.cli.remaining import Remaining, spoken
from harness.engine.job import Progress
from harness.store.records import TrialRecord
from harness.text import plural, visible

if TYPE_CHECKING:
    from rich.progress import TaskID

PLAIN_SECONDS = 10.0
"""Plain lines come at most this often, but for failures and notes."""
LIVE_SECONDS = 2.0
"""The live display looks at the time left at most this often."""
ARTIFACT = "artifact/"
_NOTHING: Mapping[str, float] = MappingProxyType({})


class TimeLeft:
    """How long a run will still take: an estimate that is told what happens now, in words."""

    def __init__(self, known: Mapping[str, float]) -> None:
        self._estimate = Remaining(known)
        self._building: set[str] = set()

    def planned(self, trials: Sequence[str]) -> None:
        """All trials there are."""
        self._estimate.planned(trials)

    def started(self, job: str) -> None:
        """A job began."""
        if job.startswith(ARTIFACT):
            self._building.add(job)
        else:
            self._estimate.started(job, time.monotonic())

    def finished(self, record: TrialRecord) -> None:
        """A job ended, or was reused."""
        self._building.discard(record.trial)
        if record.kind == "trial":
            executed = not record.reused_from
            self._estimate.ended(record.trial, record.cost.wall_s, time.monotonic(), executed=executed)

    def expected(self, trials: Iterable[str]) -> float | None:
        """Seconds that more trials would take, if trials like them have ended."""
        return self._estimate.expected(trials)

    def __str__(self) -> str:
        text = spoken(self._estimate.left(time.monotonic()))
        return f"{text}, besides what is being built" if text and self._building else text


class PlainDisplay:
    """One line now and then: for logs and CI."""

    def __init__(self, known: Mapping[str, float] = _NOTHING, out: TextIO | None = None) -> None:
        self._left = TimeLeft(known)
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

    def total(self, trials: Sequence[str]) -> None:
        """All trials there are; at a later look they are counted anew."""
        self._left.planned(trials)
        self._total = len(trials)
        self._counts.clear()
        self._line(plural(self._total, "trial"))

    def started(self, job: str) -> None:
        """Artifacts take long and are few, so their start is worth a line."""
        self._left.started(job)
        if job.startswith(ARTIFACT):
            self._line(f"building {job.removeprefix(ARTIFACT)}")

    def progress(self, progress: Progress) -> None:
        """Long jobs' own progress is for the live display."""

    def finished(self, record: TrialRecord) -> None:
        """Count it; say so if it failed or if it is time."""
        self._left.finished(record)
        if record.kind == "trial":
            self._counts["reused" if record.reused_from else record.status] += 1
        if record.status != "ok":
            self._line(f"{record.status}: {record.trial}: {last_line(record.error)}")
        elif record.kind == "artifact":
            self._line(f"built {record.method} in {record.cost.wall_s:.0f} s")
        elif time.monotonic() - self._last > PLAIN_SECONDS:
            self._line(self._state())

    def expected(self, trials: Iterable[str]) -> float | None:
        """Seconds that more trials would take, if trials like them have ended."""
        return self._left.expected(trials)

    def note(self, text: str) -> None:
        """Print it."""
        self._line(text)

    def _state(self) -> str:
        done = sum(self._counts.values())
        spent = time.monotonic() - self._start
        left = f", {text}" if done < self._total and (text := str(self._left)) else ""
        parts = ", ".join(f"{count} {status}" for status, count in self._counts.items())
        return (
            f"{done} of {plural(self._total, 'trial')} ({parts or 'none yet'}) after {duration(spent)}{left}"
        )

    def _line(self, text: str) -> None:
        self._last = time.monotonic()
        print(text, file=self._out, flush=True)


class LiveDisplay:
    """A progress bar with the time left, and what is running below it."""

    def __init__(self, known: Mapping[str, float] = _NOTHING) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            TextColumn,
            TimeElapsedColumn,
        )
        from rich.progress import Progress as Bars

        self._console = Console(file=sys.stderr)
        self._bars = Bars(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}", markup=False),
            console=self._console,
            transient=True,
        )
        self._left = TimeLeft(known)
        self._looked = 0.0
        self._all = self._bars.add_task("trials", total=None, left="")
        self._jobs: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._bars.stop()

    def total(self, trials: Sequence[str]) -> None:
        """All trials there are; at a later look they are counted anew."""
        self._left.planned(trials)
        self._bars.update(self._all, total=len(trials), completed=0)

    def started(self, job: str) -> None:
        """Show the job."""
        self._left.started(job)
        self._jobs[job] = self._bars.add_task(f"  {job}"[:70], total=1.0, left="")

    def progress(self, progress: Progress) -> None:
        """Move the job's own bar."""
        if progress.id in self._jobs:
            self._bars.update(self._jobs[progress.id], completed=progress.done)

    def finished(self, record: TrialRecord) -> None:
        """Take the job's line away and count it."""
        self._left.finished(record)
        job = self._jobs.pop(record.trial, None)
        if job is not None:
            self._bars.remove_task(job)
        if record.kind == "trial":
            self._bars.advance(self._all)
        if time.monotonic() - self._looked > LIVE_SECONDS:
            self._looked = time.monotonic()
            self._bars.update(self._all, left=str(self._left))
        if record.status != "ok":
            self.note(f"{record.status}: {record.trial}: {last_line(record.error)}")
        elif record.kind == "artifact" and not record.reused_from:
            self.note(f"built {record.method} in {duration(record.cost.wall_s)}")

    def expected(self, trials: Iterable[str]) -> float | None:
        """Seconds that more trials would take, if trials like them have ended."""
        return self._left.expected(trials)

    def note(self, text: str) -> None:
        """Print it above the bars."""
        self._console.print(text, markup=False, highlight=False)


def display(known: Mapping[str, float] = _NOTHING) -> PlainDisplay | LiveDisplay:
    """The display that fits where standard error goes.

    Args:
        known: Seconds that trials took before, by id, for the estimate of what is left.
    """
    return LiveDisplay(known) if sys.stderr.isatty() else PlainDisplay(known)


def last_line(text: str) -> str:
    """The end of a traceback, in one line: the error itself, with the advice that is indented below it."""
    lines = [line for line in text.strip().split("\n") if line.strip()]
    start = max((place for place, line in enumerate(lines) if not line[0].isspace()), default=0)
    return visible(" ".join(line.strip() for line in lines[start:])) or "no reason given"


def duration(seconds: float) -> str:
    """Seconds as a reader says them."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"
