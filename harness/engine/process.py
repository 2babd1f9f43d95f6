"""A worker process as the driver sees it: what it is doing, its limits, its log, its end."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from multiprocessing import Pipe
from typing import Any

import psutil

from harness.engine.forkserver import ForkServer, WorkerOrder
from harness.engine.job import Job, Status
from harness.engine.log import bound_log, read_log
from harness.engine.worker import DUMP_SIGNAL, STACK_SUFFIX, Ready

GB = 2**30
END_SECONDS = 10.0
"""How long a killed worker and what it has started may take to end."""
DUMP_SECONDS = 1.0
"""How long a worker may take to write what its threads are doing."""


class Worker:
    """One worker process and what it is doing.

    Args:
        server: Forks it.
        order: What is asked for.
    """

    def __init__(self, server: ForkServer, order: WorkerOrder) -> None:
        self.pipe, theirs = Pipe()
        self._lifeline, lifeline = Pipe()
        self._status, status = Pipe(duplex=False)
        server.fork(order, (theirs, lifeline, status))
        self._log = order.log
        self.job: Job | None = None
        self.given = 0
        """Jobs so far; what earlier ones have loaded may still be there."""
        self.gpu_share = 0.0
        """The largest share of the GPU that its jobs had; what it keeps loaded may still take as much."""
        self.gpus: tuple[int, ...] = ()
        """GPUs that its one job has for itself, by their place among those that the driver sees."""
        self.pid = 0
        """Of its process; 0 until it is ready."""
        self._keeper = 0
        self._code: int | None = None
        self._gone = False
        self._started = 0.0

    def give(self, job: Job, packed: bytes) -> None:
        """Start a job; its time runs from here, or from when the worker is ready."""
        self.job = job
        self.given += 1
        self._started = time.monotonic()
        with suppress(OSError):  # A worker that has died is found when it is listened to.
            self.pipe.send((job.id, packed))

    def receive(self) -> Any:
        """The next message."""
        message = self.pipe.recv()
        if isinstance(message, Ready):
            self.pid = message.pid
            self._started = time.monotonic()
        return message

    @property
    def ready(self) -> bool:
        """Whether it has started."""
        return self.pid > 0

    def excess(self) -> tuple[Status, str] | None:
        """The limit that the running job has passed, if any."""
        if self.job is None or not self.ready:
            return None
        bound_log(self._log)
        seconds = time.monotonic() - self._started
        if seconds > self.job.minutes * 60:
            return "timeout", f"Stopped after {seconds:.0f} s: its limit is {self.job.minutes:g} minutes."
        used = self._memory()
        if used > self.job.memory_gb * GB:
            limit = self.job.memory_gb
            return "memory", f"Stopped at {used / GB:.1f} GB of memory: its limit is {limit:g} GB."
        return None

    def _memory(self) -> int:
        try:
            return int(psutil.Process(self.pid).memory_info().rss)
        except psutil.Error:
            return 0

    @property
    def idle(self) -> bool:
        """Whether it waits for a job."""
        return self.ready and self.job is None

    def log(self) -> str:
        """What its job has printed so far."""
        return read_log(self._log)

    def dump(self) -> None:
        """Let it write what its threads are doing, which it can even inside native code."""
        with suppress(OSError):
            os.kill(self.pid, DUMP_SIGNAL)
        deadline = time.monotonic() + DUMP_SECONDS
        before, now = "", ""
        while time.monotonic() < deadline and not (now and now == before):
            time.sleep(DUMP_SECONDS / 20)
            before, now = now, self.stack()

    def stack(self) -> str:
        """What its threads were doing when it was last told to write it, or when it crashed."""
        return read_log(self._log.with_suffix(STACK_SUFFIX)).strip()

    def wait(self, seconds: float) -> int | None:
        """Wait for the end of the process and of all that it has started.

        Returns:
            The exit code, negative for a signal; ``None`` if it has not ended, or nobody has seen how.
        """
        deadline = time.monotonic() + seconds
        with suppress(EOFError, OSError):
            while self._status.poll(max(deadline - time.monotonic(), 0.0)):
                number: int = self._status.recv()
                if self._keeper:
                    self._code = number
                self._keeper = self._keeper or number
            return None
        self._gone = True
        return self._code

    def dismiss(self) -> None:
        """Ask an idle process to end by itself, so that it tidies up what it holds."""
        with suppress(OSError):
            self.pipe.send(None)

    def kill(self) -> None:
        """End the process at once, with all that it has started."""
        self._lifeline.close()
        # Without a keeper there is none yet: what is forked for a lifeline that is closed ends at once.
        self.wait(END_SECONDS if self.ready else 0.0)
        if self._keeper and not self._gone:
            with suppress(OSError):
                os.kill(self._keeper, signal.SIGKILL)
        self._status.close()
        self.pipe.close()
        for path in (self._log, self._log.with_suffix(STACK_SUFFIX)):
            path.unlink(missing_ok=True)
