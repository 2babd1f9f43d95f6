"""A program that trains in several processes is killed, and the processes below it are looked for."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import torch

from harness.method import Checkpoints

HOLD = "TESTS_HOLD_AFTER"
"""After how many checkpoints a program waits to be killed: a busy machine would see it end first."""


@contextmanager
def started(module: str, arguments: Sequence[Path | str], hold: int = 0) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", module, *map(str, arguments)]
    env = {**os.environ, HOLD: str(hold)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) as process:
        try:
            yield process
        finally:
            process.kill()


def gone(pids: set[int], seconds: float = 20.0) -> bool:
    """Whether processes end within a time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not any(_runs(pid) for pid in pids):
            return True
        time.sleep(0.1)
    return False


def _runs(pid: int) -> bool:
    with suppress(psutil.Error):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


def killed_after(number: int, module: str, arguments: Sequence[Path | str]) -> set[int]:
    """Kill the program once it has written so many checkpoints; returns the processes below it."""
    with started(module, arguments, number) as process:
        assert process.stdout is not None
        for line in process.stdout:
            number -= line.strip() == "written"
            if number <= 0:
                break
        below = {child.pid for child in psutil.Process(process.pid).children(recursive=True)}
        os.kill(process.pid, signal.SIGKILL)
    return below


def telling(out: Path) -> Checkpoints:
    """Checkpoints after every step, of each of which the program says so."""
    checkpoints = Checkpoints(out / "checkpoints", 0.0)
    left = count(1)

    def written() -> None:
        # After a slow write, on a busy disk, the next would come so much later that it could be the last.
        checkpoints._pause = 0.0
        print("written", flush=True)  # noqa: T201 - who kills it reads this
        if next(left) == int(os.environ.get(HOLD, "0")):
            time.sleep(600)

    checkpoints.on_written = written
    return checkpoints


def check_same_end(module: str, folder: Path, work: Path, most: int) -> Any:
    """Let a program run to its end, and again after it was killed; both write the same bits.

    Args:
        module: Of the program. Its arguments are ``folder``, a scratch folder that is not there, and a
            folder with its checkpoints, in which it writes nested data with tensors, ``end.pt``.
        folder: Of the model.
        work: For what is written.
        most: It is killed after 1 … ``most`` checkpoints.

    Returns:
        What it wrote.
    """
    ends = {}
    for name in ("whole", "killed"):
        out = work / name
        if name == "killed":
            number = int(np.random.default_rng().integers(1, most + 1))
            assert gone(killed_after(number, module, [folder, work / "first", out]))
            assert list((out / "checkpoints").glob("*/step-*/part-1/latest.json"))
        with started(module, [folder, work / f"scratch-{name}", out]) as process:
            text, _ = process.communicate(timeout=300)
        assert process.returncode == 0
        assert ("goes on after" in text) == (name == "killed")
        ends[name] = torch.load(out / "end.pt", weights_only=True)
    same(ends["whole"], ends["killed"])
    return ends["whole"]


def same(one: Any, other: Any) -> None:
    """Assert that nested data are equal, tensors to the last bit."""
    if isinstance(one, torch.Tensor):
        assert torch.equal(one, other)
    elif isinstance(one, dict):
        assert list(one) == list(other)
        for key in one:
            same(one[key], other[key])
    else:
        assert one == other
