"""What every engine offers, and the simplest of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from harness.engine.context import Loader
from harness.engine.execute import execute
from harness.engine.files_read import watch
from harness.engine.job import Job, Outcome, Progress
from harness.engine.state import State

Listener = Callable[[Progress], None]


class Engine(Protocol):
    """Executes jobs. The driver alone decides their order and stores what comes back."""

    def room(self) -> bool:
        """Whether any job could start now; without it none is asked for."""

    def accepts(self, job: Job) -> bool:
        """Whether the job could start now."""

    def submit(self, job: Job) -> None:
        """Start a job that :meth:`accepts` said yes to."""

    def wait(self, seconds: float) -> list[Outcome]:
        """The jobs that have ended since the last call; waits for one at most ``seconds``."""

    def close(self) -> None:
        """Stop everything at once."""


class InlineEngine:
    """Runs jobs one after the other in this process, for debugging.

    It cannot enforce limits on time and memory.
    """

    def __init__(self, on_progress: Listener) -> None:
        self._on_progress = on_progress
        self._loader = Loader()
        self._ended: list[Outcome] = []
        watch()
        self._state = State()

    def room(self) -> bool:
        """One job at a time."""
        return not self._ended

    def accepts(self, job: Job) -> bool:
        """One job at a time."""
        return self.room()

    def submit(self, job: Job) -> None:
        """Execute the job before returning."""

        def report(done: float, message: str) -> None:
            self._on_progress(Progress(job.id, done, message))

        self._ended.append(execute(job, self._loader, report, state=self._state))

    def wait(self, seconds: float) -> list[Outcome]:
        """What has ended."""
        ended, self._ended = self._ended, []
        return ended

    def close(self) -> None:
        """Nothing is left running; the process is as it was before."""
        self._state.restore_original()
