"""The process that keeps a worker: it starts it, and ends it with everything that it has started.

It runs no foreign code, so it answers whatever the worker does. Linux makes it the parent of processes
that the worker leaves behind, also of those that have left its session.
"""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import signal
import threading
from multiprocessing.connection import Connection
from pathlib import Path

import psutil

from harness.engine.descendants import adopt_orphans, die_with_parent, end, end_all_below


def main(jobs: Connection, lifeline: Connection, scratch_root: Path, log: Path) -> None:
    """Keep one worker until it ends, or ``lifeline`` closes.

    Args:
        jobs: The worker's.
        lifeline: Never written to; when it closes, the worker is to end, or the driver is gone.
        scratch_root: The driver's folder for scratch.
        log: Where the worker's output goes.
    """
    driver = os.getppid()
    os.setsid()  # Ctrl-C and a closing terminal are the driver's business.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    adopt_orphans()
    keeper = os.getpid()
    worker = os.fork()
    if worker == 0:
        lifeline.close()
        _work(jobs, keeper, scratch_root, log)
        return
    jobs.close()
    threading.Thread(target=_watch, args=(lifeline, worker), daemon=True, name="lifeline").start()
    status = _wait(worker)
    with contextlib.suppress(OSError):
        os.killpg(worker, signal.SIGKILL)
    end_all_below()
    if os.getppid() != driver:
        shutil.rmtree(scratch_root, ignore_errors=True)
    _end_as(status)


def _work(jobs: Connection, keeper: int, scratch_root: Path, log: Path) -> None:
    os.setpgid(0, 0)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    die_with_parent(signal.SIGKILL)
    adopt_orphans()  # So that a trial's daemons are found after it.
    if os.getppid() != keeper:
        os._exit(1)
    from harness.engine.worker import main as work

    work(jobs, scratch_root, log)


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
    """Wait for the worker's end, and meanwhile for that of processes that it has left."""
    while True:
        ended, status = os.waitpid(-1, 0)
        if ended == worker:
            return status


def _end_as(status: int) -> None:
    """End this process as the worker has ended, so that the driver sees why."""
    if os.WIFSIGNALED(status):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        number = os.WTERMSIG(status)
        with contextlib.suppress(OSError):  # SIGKILL has no handler.
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    os._exit(os.WEXITSTATUS(status))
