"""The page of a run while it goes on, written now and then by a process of its own.

It never stands in the way of what is measured: it has the lowest priority, takes a few per cent of the time,
and does not run beside a trial that measures time. What goes wrong with it is not told: the report at the
end says it.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

from harness.cli.display import TimeLeft
from harness.engine.job import Progress
from harness.errors import CorroborateError
from harness.store.records import TrialRecord

if TYPE_CHECKING:
    from harness.cli.display import LiveDisplay, PlainDisplay
    from harness.engine.run import RunRequest

FIRST_SECONDS = 30.0
"""A run that is over sooner needs no page before its end."""
LEAST_SECONDS = 30.0
SHARE = 0.03
"""Pages are written at most this often, and take at most this part of the time."""
_LOWEST = 19
"""The priority of their writer, as ``nice`` counts."""
_GONE_SECONDS = 5.0


class LivePage:
    """A display that has a page written beside what it shows.

    Args:
        shown: The display, which hears of everything.
        request: What is run.
        known: Seconds that trials took on an earlier occasion, by id.
        clock: Seconds of any clock.
    """

    def __init__(
        self,
        shown: PlainDisplay | LiveDisplay,
        request: RunRequest,
        known: Mapping[str, float],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        experiments = request.suite.experiments(request.scale)
        self._timed = {experiment.id for experiment in experiments if experiment.timed}
        self._slug = request.suite.slug
        self._shown = shown
        self._clock = clock
        self._left = TimeLeft(known)
        self._folder: Path | None = None
        self._writer: subprocess.Popen[bytes] | None = None
        self._begun = 0.0
        self._next = clock() + FIRST_SECONDS
        self._alone: set[str] = set()
        self._counts = {"done": 0, "total": 0, "failed": 0}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *exc: object) -> None:
        self._stop()
        if kind is not None and self._folder is not None:
            self._interrupted(self._folder)

    def opened(self, folder: Path) -> None:
        """Which folder the run has."""
        self._folder = folder.absolute()

    def total(self, trials: Sequence[str]) -> None:
        """All trials there are; at a later look they are counted anew."""
        self._left.planned(trials)
        self._counts = {"done": 0, "total": len(trials), "failed": 0}
        self._shown.total(trials)

    def started(self, job: str) -> None:
        """A job began; one that measures time has the machine to itself."""
        if job.partition("/")[0] in self._timed:
            self._alone.add(job)
            self._stop()
        self._left.started(job)
        self._shown.started(job)
        self._look()

    def progress(self, progress: Progress) -> None:
        """What a running job says of itself."""
        self._shown.progress(progress)
        self._look()

    def finished(self, record: TrialRecord) -> None:
        """A job ended, or was reused."""
        self._alone.discard(record.trial)
        self._left.finished(record)
        if record.kind == "trial":
            self._counts["done"] += 1
            self._counts["failed"] += record.status != "ok"
        self._shown.finished(record)
        self._look()

    def expected(self, trials: Iterable[str]) -> float | None:
        """Seconds that more trials would take, if trials like them have ended."""
        return self._shown.expected(trials)

    def note(self, text: str) -> None:
        """Something that a reader of the log should know."""
        self._shown.note(text)

    def _look(self) -> None:
        """Begin a page, if it is time for one."""
        now = self._clock()
        if self._writer is not None:
            took = _took(self._writer)
            if took is None:
                return
            self._next = max(now, self._begun + max(LEAST_SECONDS, took / SHARE))
            self._writer = None
        if self._folder is not None and not self._alone and now >= self._next:
            self._begun = now
            self._writer = self._begin(self._folder)

    def _begin(self, folder: Path) -> subprocess.Popen[bytes] | None:
        told = json.dumps({**self._counts, "left": str(self._left)})
        try:
            return subprocess.Popen(
                [sys.executable, "-m", "harness.cli.live_page", str(folder), told],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                # Ctrl-C is for the run, which then ends this process itself.
                start_new_session=True,
            )
        except OSError:
            self._next = float("inf")
            return None

    def _stop(self) -> None:
        """End the writer, whatever it is at; a page is replaced as a whole or not at all."""
        if self._writer is None:
            return
        self._writer.kill()
        # Whatever becomes of a page, the run goes on.
        with suppress(OSError, subprocess.TimeoutExpired):
            self._writer.wait(_GONE_SECONDS)
            for torn in _report(self._folder or Path()).glob(".index.html.*"):
                torn.unlink(missing_ok=True)
        self._writer = None
        self._next = self._clock() + LEAST_SECONDS

    def _interrupted(self, folder: Path) -> None:
        from reports import mark_interrupted

        try:
            mark_interrupted(_report(folder), f"corroborate run {self._slug} --resume {folder.name}")
        except (CorroborateError, OSError):
            self._shown.note("the page of this run could not be marked as interrupted")


def _took(writer: subprocess.Popen[bytes]) -> float | None:
    """Seconds of a processor that a writer has taken; nothing while it is at work."""
    # When it ended is not known: between two looks minutes may pass.
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    if writer.poll() is None:
        return None
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def _report(folder: Path) -> Path:
    return folder / "report"


def main(folder: str, told: str) -> None:
    """Write the page of a run as it is now.

    Args:
        folder: The run's folder.
        told: How far it is, as JSON.

    Raises:
        CorroborateError: If it cannot be judged or written.
    """
    from harness.cli.runs import judged, opened_at
    from reports import Progress as Far
    from reports import write_live_page

    os.nice(_LOWEST)
    now = datetime.now(UTC)
    run = opened_at(Path(folder))
    far = Far(**json.loads(told), written=now.timestamp(), clock=f"{now:%Y-%m-%d %H:%M:%S} UTC")
    write_live_page(run.suite, run.scale, run.reader, judged(run), _report(run.folder), far)


if __name__ == "__main__":
    main(*sys.argv[1:])
