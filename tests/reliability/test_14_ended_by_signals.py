"""A run that is asked to end clears what it has open, and can be resumed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from harness.cli.signals import Terminated, obeyed
from harness.ends import Stops

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0
SCRIPT = """
import sys
from importlib.metadata import EntryPoint
from harness.cli import main as cli, suites
point = EntryPoint("toy", "tests.reliability.toys_engine:SLOW", suites.SUITE_GROUP)
suites._points = {suites.SUITE_GROUP: {"toy": point}, suites.METHOD_GROUP: {}}.__getitem__
if __name__ == "__main__":
    sys.exit(cli.main(sys.argv[1:]))
"""


Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts drivers; none outlives the test."""
    started: list[subprocess.Popen[bytes]] = []

    def one(folder: Path, *more: str) -> subprocess.Popen[bytes]:
        started.append(_driver(folder, *more))
        return started[-1]

    yield one
    for driver in started:
        driver.kill()
        driver.wait()


def _driver(folder: Path, *more: str) -> subprocess.Popen[bytes]:
    (folder / "temporary").mkdir(exist_ok=True)
    environment = {
        **os.environ,
        "TMPDIR": str(folder / "temporary"),
        "TESTS_MARKER": str(folder / "marker"),
        "CORROBORATE_HOME": str(folder / "home"),
    }
    command = ["run", "toy", "--runs", str(folder / "runs"), "--no-report", *more]
    # A session of its own: signals to the tests' terminal are not for it.
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, *command],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


@pytest.mark.parametrize(
    ("engine", "number"),
    [
        ("pool", signal.SIGTERM),
        ("inline", signal.SIGHUP),
        pytest.param("pool", signal.SIGINT, marks=pytest.mark.slow),
    ],
)
def test_asked_to_end_it_clears_up_and_can_go_on(
    engine: str, number: signal.Signals, tmp_path: Path, start: Start
) -> None:
    driver = start(tmp_path, "--engine", engine)
    deadline = time.monotonic() + PATIENCE
    while not (tmp_path / "marker").exists() and time.monotonic() < deadline and driver.poll() is None:
        time.sleep(0.05)
    started = psutil.Process(driver.pid).children(recursive=True)
    os.kill(driver.pid, number)
    assert driver.wait(timeout=PATIENCE) == 128 + number
    assert list((tmp_path / "temporary").glob("corroborate-*")) == []
    assert not psutil.wait_procs(started, timeout=5)[1]
    again = start(tmp_path, "--engine", engine, "--resume")
    assert again.wait(timeout=PATIENCE) == 0
    (folder,) = (tmp_path / "runs").glob("toy-*")
    lines = [json.loads(line) for line in (folder / "trials.jsonl").read_text().splitlines()]
    assert {line["trial"] for line in lines if line["status"] == "ok"} == {
        f"e/t/{method}/{seed}" for method in ("mean", "half") for seed in (100, 101)
    }


def test_what_the_caller_ignores_stays_ignored(tmp_path: Path, start: Start) -> None:
    """As ``nohup`` has it."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        driver = start(tmp_path, "--engine", "inline")
    finally:
        signal.signal(signal.SIGHUP, before)
    deadline = time.monotonic() + PATIENCE
    while not (tmp_path / "marker").exists() and time.monotonic() < deadline and driver.poll() is None:
        time.sleep(0.05)
    os.kill(driver.pid, signal.SIGHUP)
    time.sleep(0.5)
    assert driver.poll() is None
    os.kill(driver.pid, signal.SIGTERM)
    assert driver.wait(timeout=PATIENCE) == 128 + signal.SIGTERM


def cleared_after_a_signal() -> Iterator[bool]:
    """Whether what a signal ends could clear up, although a second one came."""
    with suppress(Terminated), obeyed():
        try:
            with Stops():  # Puts the handlers back that were there before it.
                signal.raise_signal(signal.SIGTERM)
        finally:
            signal.raise_signal(signal.SIGTERM)
            yield True


def test_a_second_signal_does_not_disturb_what_the_first_one_ends() -> None:
    assert list(cleared_after_a_signal()) == [True]
