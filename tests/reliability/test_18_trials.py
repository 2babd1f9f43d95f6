"""One run in which everything goes wrong that can go wrong in a trial: each fault is that trial's own."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import psutil
import pytest

from harness.errors import ExitCode
from harness.method import Context, Method, Scores, param
from harness.store import RunReader, list_runs
from harness.suite import Suite
from tests.harness.running import run as run_toy
from tests.harness.toy import MeanTask, Numbers, Shrunk, toy_suite
from tests.reliability.toys_cli import process
from tests.reliability.toys_engine import LEAKS, leave_daemon

pytestmark = pytest.mark.slow
PROGRAM = """
import sys
from importlib.metadata import EntryPoint
from harness.cli import main, suites
point = EntryPoint("toy", "tests.reliability.test_18_trials:SUITE", suites.SUITE_GROUP)
suites._points = {suites.SUITE_GROUP: {"toy": point}, suites.METHOD_GROUP: {}}.__getitem__
if __name__ == "__main__":
    sys.exit(main.main(sys.argv[1:]))
"""
CHILDREN = "TESTS_CHILDREN"
FLOOD = 2 * 2**30
"""Bytes that a trial prints."""
ROWS = 2_000_000
LEAKED = "type,grad,threads,deterministic"


def hang() -> None:
    """Stay in C code that lets no Python run."""
    ctypes.PyDLL(None).sleep(600)


def leak() -> None:
    held = []
    while True:
        held.append(np.ones(2**22))
        time.sleep(0.05)


def flood() -> None:
    piece = b"x" * 1023 + b"\n"
    for _ in range(FLOOD // 2**20):
        os.write(1, piece * 1024)


def fork() -> None:
    """Leave ten children, half of them in sessions of their own."""
    pids = [leave_daemon() for _ in range(5)]
    for _ in range(5):
        if pid := os.fork():
            pids.append(pid)
        else:
            time.sleep(600)
    Path(os.environ[CHILDREN]).write_text(" ".join(map(str, pids)))


def change_state() -> None:
    for way in LEAKED.split(","):
        LEAKS[way][1]()


WAYS: Mapping[str, Callable[[], Any]] = {
    "hang": hang,
    "leak": leak,
    "flood": flood,
    "fork": fork,
    "exit": lambda: sys.exit(0),
    "exit-at-once": lambda: os._exit(0),
    "state": change_state,
    "text": lambda: "three",
    "nan": lambda: float("nan"),
    "huge": lambda: "huge",
    "half": lambda: "twice",
}
STATUS = {
    **dict.fromkeys(WAYS, "ok"),
    "mean": "ok",
    "hang": "timeout",
    "leak": "memory",
    "exit": "failed",
    "exit-at-once": "failed",
    "text": "failed",
}


@dataclass(frozen=True, kw_only=True)
class Going(Method[Numbers, Any]):
    """Goes wrong in the way that its parameter says."""

    problem_type: ClassVar[type] = Numbers
    way: str = param("hang", source="ours")

    def run(self, problem: Numbers, ctx: Context) -> Any:
        made = WAYS[self.way]()
        return 3.0 if made is None else made


@dataclass(frozen=True, kw_only=True)
class Lenient(MeanTask):
    """Takes results that ask for odd rows."""

    def evaluate(self, result: Any, ctx: Context) -> Scores:
        if result == "huge":
            large = {"unit_id": np.arange(ROWS), "error": np.ones(ROWS)}
            return Scores({**super().evaluate(3.0, ctx).parts, "large": large})
        if result == "twice":
            rows = super().evaluate(3.0, ctx).parts["main"]
            return Scores({"main": {name: [*column, *column] for name, column in rows.items()}})
        return super().evaluate(result, ctx)


def suite() -> Suite:
    methods: dict[str, Any] = {name: Going(way=name) for name in WAYS}
    return toy_suite(
        methods={"mean": Shrunk(), **methods}, seeds=(100,), task=Lenient(), minutes=0.4, memory_gb=2.0
    )


SUITE = suite()
"""Reached by name from another process."""


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@dataclass(frozen=True)
class Ended:
    """The run, and how its command ended."""

    done: subprocess.CompletedProcess[str]
    reader: RunReader
    children: list[int]


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    folder = tmp_path_factory.mktemp("trials")
    environment = {"CORROBORATE_HOME": str(folder / "home"), CHILDREN: str(folder / "children")}
    command = ("run", "toy", "--runs", str(folder / "runs"), "--engine", "pool", "--no-report")
    done = process(folder, *command, program=("-c", PROGRAM), environment=environment)
    (run,) = list_runs(folder / "runs")
    children = [int(pid) for pid in (folder / "children").read_text().split()]
    return Ended(done, RunReader(run), children)


@pytest.mark.parametrize("name", STATUS)
def test_each_fault_is_that_trials_own(name: str, ended: Ended) -> None:
    assert ended.reader.trials[f"e/t/{name}/100"].status == STATUS[name], ended.done.stderr


def test_the_command_says_how_many_failed_and_so_does_its_exit_code(ended: Ended) -> None:
    assert ended.done.returncode == ExitCode.INFRASTRUCTURE
    assert "5 trials failed" in ended.done.stdout
    assert "Traceback" not in ended.done.stderr


def test_an_honest_trial_among_them_is_as_if_it_were_alone(ended: Ended, tmp_path: Path) -> None:
    alone = toy_suite(methods={"mean": Shrunk()}, seeds=(100,), task=Lenient())
    _, reader, _ = run_toy(alone, tmp_path)
    assert reader.rows("e/t/mean/100", "main").equals(ended.reader.rows("e/t/mean/100", "main"))


def test_of_two_gigabytes_of_output_the_end_is_kept_and_none_in_memory(ended: Ended) -> None:
    (log,) = (ended.reader.folder / "logs").glob("e_t_flood_100-*.log")
    assert 100_000 < log.stat().st_size < 300_000
    assert ended.reader.trials["e/t/flood/100"].cost.peak_memory_mb < FLOOD / 2**21


def test_no_child_of_a_trial_is_left(ended: Ended) -> None:
    assert len(ended.children) == 10
    assert all(map(is_gone, ended.children))
    assert any("running process" in text for text in ended.reader.trials["e/t/fork/100"].left)


def test_state_that_was_changed_is_named(ended: Ended) -> None:
    left = "; ".join(ended.reader.trials["e/t/state/100"].left)
    assert all(LEAKS[way][0] in left for way in LEAKED.split(","))


def test_rows_are_stored_as_they_were_given(ended: Ended) -> None:
    assert len(ended.reader.table("e/t/huge/100", "large")["error"]) == ROWS
    assert np.isnan(ended.reader.table("e/t/nan/100", "main")["error"]).all()


def test_rows_that_came_twice_keep_a_claim_from_being_judged(ended: Ended) -> None:
    assert "not comparable" in ended.done.stdout
    assert "5 rows too many" in ended.done.stdout, ended.done.stdout
