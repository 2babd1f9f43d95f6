"""The worker process of the pool: executes one job at a time until told to stop."""

from __future__ import annotations

import faulthandler
import multiprocessing
import os
import pickle
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing import spawn
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

from harness.ends import own_process, story_of
from harness.engine.context import Loader
from harness.engine.execute import execute
from harness.engine.files_read import watch
from harness.engine.job import Job, Outcome, Progress
from harness.engine.log import FileLog
from harness.engine.state import State

DUMP_SIGNAL: Final = getattr(signal, "SIGRTMIN", signal.SIGUSR2 - 5) + 5
"""Lets the worker write what its threads are doing; one that foreign code is not likely to use."""
STACK_SUFFIX = ".stack"


@dataclass(frozen=True)
class Unfit:
    """Says that no worker can start, and why."""

    story: str


@dataclass(frozen=True)
class Ready:
    """Says that a worker has started, and as which process."""

    pid: int


def main(jobs: Connection, scratch_root: Path, log: Path, interpreter: Mapping[str, Any]) -> None:
    """Serve jobs from ``jobs`` until it closes.

    Args:
        jobs: Jobs come in, each as its id and its pickled form; progress and outcomes go out.
        scratch_root: The driver's folder for scratch; it clears what a killed worker leaves.
        log: Takes what this process prints; beside it, in case of need, what its threads were doing.
        interpreter: The driver's, which this one is made alike first.
    """
    if story := _prepared(interpreter):
        jobs.send(Unfit(story))
        return
    output = FileLog(log)
    with log.with_suffix(STACK_SUFFIX).open("w") as stack:
        # Written by native code: also while native code runs, and after it has crashed.
        faulthandler.enable(stack)
        faulthandler.register(DUMP_SIGNAL, stack)
        watch()
        _serve(jobs, scratch_root, output)


def _prepared(interpreter: Mapping[str, Any]) -> str:
    """Make this process like the driver, with its main module; why that fails, or nothing."""
    process: Any = multiprocessing.current_process()
    # A script that starts its run without a guard would start it here, too, and so on: this forbids it.
    process._inheriting = True  # noqa: SLF001 - as multiprocessing's own start methods do
    try:
        with own_process():
            spawn.prepare(dict(interpreter))
    except BaseException as error:  # noqa: BLE001 - importing a module runs foreign code
        return story_of(error)
    finally:
        del process._inheriting  # noqa: SLF001
    return ""


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
