"""The worker process of the pool: executes one job at a time until told to stop."""

from __future__ import annotations

import faulthandler
import os
import pickle
import signal
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

from harness.ends import own_process, story_of
from harness.engine.context import Loader
from harness.engine.engines import import_framework
from harness.engine.execute import execute
from harness.engine.files_read import watch
from harness.engine.job import Job, Outcome, Progress
from harness.engine.log import FileLog
from harness.engine.state import State

DUMP_SIGNAL: Final = getattr(signal, "SIGRTMIN", signal.SIGUSR2 - 5) + 5
"""Lets the worker write what its threads are doing; one that foreign code is not likely to use."""
STACK_SUFFIX = ".stack"


@dataclass(frozen=True)
class Ready:
    """Says that a worker has started, and as which process."""

    pid: int


def main(jobs: Connection, scratch_root: Path, log: Path) -> None:
    """Serve jobs from ``jobs`` until it closes.

    Args:
        jobs: Jobs come in, each as its id and its pickled form; progress and outcomes go out.
        scratch_root: The driver's folder for scratch; it clears what a killed worker leaves.
        log: Takes what this process prints; beside it, in case of need, what its threads were doing.
    """
    output = FileLog(log)
    with log.with_suffix(STACK_SUFFIX).open("w") as stack:
        # Written by native code: also while native code runs, and after it has crashed.
        faulthandler.enable(stack)
        faulthandler.register(DUMP_SIGNAL, stack)
        watch()
        import_framework()
        _serve(jobs, scratch_root, output)


def _serve(jobs: Connection, scratch_root: Path, output: FileLog) -> None:
    loader = Loader()
    state = State()
    owner = os.getpid()
    jobs.send(Ready(owner))
    while True:
        try:
            message: tuple[str, bytes] | None = jobs.recv()
        except EOFError:
            return
        if message is None:
            return
        name, data = message

        def report(done: float, text: str, name: str = name) -> None:
            if os.getpid() == owner:  # And not a process that foreign code has forked.
                jobs.send(Progress(name, float(done), str(text)))

        with output.catching():
            outcome = job = _unpacked(name, data)
        if not isinstance(job, Outcome):
            outcome = execute(job, loader, report, scratch_root, log=output, state=state)
        jobs.send(outcome)


def _unpacked(name: str, data: bytes) -> Job | Outcome:
    """The job, or its failure if the code behind it cannot be imported or refuses."""
    try:
        with own_process():
            job: Job = pickle.loads(data)  # noqa: S301 - the driver's own bytes
    except BaseException as error:  # noqa: BLE001 - importing a module runs foreign code
        return Outcome(id=name, status="failed", error=story_of(error))
    return job
