"""Processes below this one: which there are, and their end.

Nothing else of the harness is imported here: the process that keeps a worker is small.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import psutil

PR_SET_PDEATHSIG: Final = 1
PR_SET_CHILD_SUBREAPER: Final = 36
_PAUSE_SECONDS = 0.01
_PATIENCE_SECONDS = 5.0
"""How long processes are waited for that were killed; one that hangs in the kernel cannot end."""
_HELPERS = ("multiprocessing.resource_tracker", "multiprocessing.forkserver", "loky.backend.resource_tracker")
"""Processes that Python's own libraries start once for the whole process, and end with it."""


def adopt_orphans() -> None:
    """Be the parent of processes below whose own parent has ended, where the system can do that."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def die_with_parent(signal_number: int) -> None:
    """Get a signal when the parent ends, where the system can do that."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0)


def children() -> set[int]:
    """Process ids of this process's own children."""
    found: set[int] = set()
    try:
        for task in Path("/proc/self/task").iterdir():
            with contextlib.suppress(ProcessLookupError):
                found.update(map(int, (task / "children").read_text("ascii").split()))
    except OSError:  # Another system, or a kernel that does not tell.
        return {child.pid for child in psutil.Process().children()}
    return found


def running(pids: Iterable[int]) -> list[psutil.Process]:
    """Those processes that run, with all below them, but for helpers of Python's own libraries."""
    found = []
    for pid in pids:
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(pid)
            found += [one for one in (process, *process.children(recursive=True)) if _runs(one)]
    return found


def _runs(process: psutil.Process) -> bool:
    try:
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        command = " ".join(process.cmdline())
    except psutil.Error:
        return False
    return not any(name in command for name in _HELPERS)


def end(processes: Iterable[psutil.Process]) -> None:
    """Kill processes, and wait until they have ended."""
    ended = list(processes)
    for process in ended:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(ended, timeout=_PATIENCE_SECONDS)


def end_all_below() -> None:
    """Kill all processes below this one, also those that are started meanwhile."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        for process in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.Error):
                process.kill()
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(_PAUSE_SECONDS)
