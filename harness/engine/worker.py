"""The worker process of the pool: executes one job at a time until told to stop."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import threading
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

from harness.engine.context import Loader
from harness.engine.engines import import_framework
from harness.engine.execute import execute
from harness.engine.files_read import watch
from harness.engine.job import Job, Progress

PR_SET_PDEATHSIG: Final = 1


def main(jobs: Connection, lifeline: Connection, scratch_root: Path) -> None:
    """Serve jobs from ``jobs`` until it closes.

    Args:
        jobs: Jobs come in, progress and outcomes go out.
        lifeline: Never written to; when it closes, the driver is gone and so is this process.
        scratch_root: The driver's folder for scratch; it clears what a killed worker leaves.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # The driver decides what Ctrl-C means.
    _die_with_driver(lifeline)
    watch()
    import_framework()
    loader = Loader()
    jobs.send(None)  # Ready.
    while True:
        try:
            job: Job | None = jobs.recv()
        except EOFError:
            return
        if job is None:
            return
        current = job

        def report(done: float, message: str, current: Job = current) -> None:
            jobs.send(Progress(current.id, done, message))

        jobs.send(execute(job, loader, report, scratch_root))


def _die_with_driver(lifeline: Connection) -> None:
    """End this process when the driver ends, however that happens."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

    def watch() -> None:
        with contextlib.suppress(EOFError, OSError):
            lifeline.recv()
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="lifeline").start()
