"""The process that keeps a worker: it starts it, and ends it with everything that it has started.

It runs no foreign code, so it answers whatever the worker does. Linux makes it the parent of processes
that the worker leaves behind, also of those that have left its session.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from harness.engine.descendants import adopt_orphans, die_with_parent, end, end_all_below


class Ends(NamedTuple):
    """The pipes of a worker.

    Attributes:
        jobs: The worker's own.
        lifeline: Never written to; when it closes, the worker is to end, or the driver is gone.
        status: The keeper writes its process id at the start and the worker's exit code at the end; that
            it closes says that nothing of the worker is left.
    """

    jobs: Connection
    lifeline: Connection
    status: Connection


def keep(ends: Ends, scratch_root: Path, log: Path, interpreter: Mapping[str, Any]) -> None:
    """Start a worker and keep it until it ends, or the lifeline closes; only the worker returns.

    Args:
        ends: Its pipes.
        scratch_root: The driver's folder for scratch.
        log: Where the worker's output goes.
        interpreter: What the worker is prepared with.
    """
    os.setsid()
    adopt_orphans()
    keeper = os.getpid()
    worker = os.fork()
    if worker == 0:
        ends.lifeline.close()
        ends.status.close()
        _work(ends.jobs, keeper, scratch_root, log, interpreter)
        return
    code = 1
    try:
        ends.jobs.close()
        with contextlib.suppress(OSError):
            ends.status.send(keeper)
        threading.Thread(target=_watch, args=(ends.lifeline, worker), daemon=True, name="lifeline").start()
        code = _wait(worker)
        with contextlib.suppress(OSError):
            os.killpg(worker, signal.SIGKILL)
        end_all_below()
        with contextlib.suppress(OSError):
            ends.status.send(code)
    finally:
        os._exit(0)  # It is a copy of the fork server, whose tidying up is not its business.


def _work(
    jobs: Connection, keeper: int, scratch_root: Path, log: Path, interpreter: Mapping[str, Any]
) -> None:
    os.setpgid(0, 0)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    die_with_parent(signal.SIGKILL)
    adopt_orphans()  # So that a trial's daemons are found after it.
    if os.getppid() != keeper:
        os._exit(1)
    from harness.engine.worker import main as work

    work(jobs, scratch_root, log, interpreter)


def _watch(lifeline: Connection, worker: int) -> None:
    """End the worker and all below it when the lifeline closes."""
    with contextlib.suppress(EOFError, OSError):
        lifeline.recv()
    with contextlib.suppress(psutil.Error):
        below = psutil.Process(worker).children(recursive=True)
        with contextlib.suppress(OSError):
            os.kill(worker, signal.SIGKILL)
        end(below)


def _wait(worker: int) -> int:
    """Wait for the worker's end, and meanwhile for that of processes that it has left.

    Returns:
        Its exit code, negative for the signal that ended it.
    """
    while True:
        ended, status = os.waitpid(-1, 0)
        if ended == worker:
            return os.waitstatus_to_exitcode(status)
