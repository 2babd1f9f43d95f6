"""Drivers that are killed at any moment, and drivers that want the same run or the same artifact."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import psutil
import pytest

from harness.errors import ExitCode
from harness.method import Context, Method
from harness.store import RunReader, list_runs
from harness.store.reader import read_trials
from harness.suite import Suite
from tests.harness.toy import MeanTask, Numbers, Offset, toy_suite
from tests.reliability.toys_cli import ROOT

pytestmark = pytest.mark.slow
KILLS = 50
SEEDS = tuple(range(100, 140))
PATIENCE = 60.0
DRIVER = """
import sys
from pathlib import Path
from harness.errors import CorroborateError
from harness.store import RunReader, list_runs
from tests.harness.running import run
from tests.reliability import test_18_kills as test
if __name__ == "__main__":
    folder, engine, suite = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    begun = [one for one in list_runs(folder / "runs") if not RunReader(one).record.ended]
    try:
        run(getattr(test, suite)(), folder, engine=engine, resume=begun[-1] if begun else None, fresh=True)
    except CorroborateError as error:
        sys.stderr.write(str(error))
        sys.exit(error.exit_code)
"""
LEDGER = "TESTS_LEDGER"


def note(what: str) -> None:
    """Add a line to the list of what was done, whoever is killed."""
    with Path(os.environ[LEDGER]).open("a", encoding="utf-8") as file:
        file.write(f"{what}\n")


@dataclass(frozen=True, kw_only=True)
class Counted(Method[Numbers, float]):
    """Takes a twentieth of a second, and says that it was executed."""

    problem_type: ClassVar[type] = Numbers

    def run(self, problem: Numbers, ctx: Context) -> float:
        time.sleep(0.05)
        note(f"{ctx.seed}")
        return float(problem.training.mean())


@dataclass(frozen=True, kw_only=True)
class Begun(Offset):
    """Takes a second to build, and says so."""

    def build(self, folder: Path, ctx: Context) -> None:
        note("built")
        time.sleep(1.0)
        super().build(folder, ctx)


def counted() -> Suite:
    return toy_suite(methods={"mean": Counted()}, seeds=SEEDS, task=MeanTask(offset=Offset()))


def shared() -> Suite:
    return toy_suite(methods={"mean": Counted()}, seeds=SEEDS[:5], task=MeanTask(offset=Begun()))


def start(folder: Path, engine: str, suite: str = "counted") -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", DRIVER, str(folder), engine, suite],
        cwd=ROOT,
        env={**os.environ, LEDGER: str(folder / "ledger")},
        stderr=subprocess.PIPE,
    )


def stored(folder: Path) -> dict[str, list[str]]:
    """The trials that have finished, in their order, by run."""
    return {
        run.name: [line.trial for line in read_trials(run / "trials.jsonl", []) if line.kind == "trial"]
        for run in list_runs(folder / "runs")
    }


def killed(folder: Path, engine: str, moment: float) -> tuple[bool, float]:
    """Kill a driver after so many seconds: whether it was still there, and how long its workers stayed on."""
    driver = start(folder, engine)
    try:
        driver.communicate(timeout=moment)
    except subprocess.TimeoutExpired:
        workers = psutil.Process(driver.pid).children(recursive=True)
        before = stored(folder)
        driver.kill()
        driver.communicate()
        begun = time.monotonic()
        _, alive = psutil.wait_procs(workers, timeout=PATIENCE)
        assert not alive, "workers end with their driver"
        after = stored(folder)
        for run, trials in before.items():
            assert after[run][: len(trials)] == trials, "what had finished is there"
        return True, time.monotonic() - begun
    assert driver.returncode == 0
    return False, 0.0


def test_a_driver_that_is_killed_at_fifty_moments_loses_and_repeats_nothing(tmp_path: Path) -> None:
    chance = random.Random(50)  # noqa: S311 - moments to kill at
    kills, longest = 0, 0.0
    while kills < KILLS:
        engine = ("inline", "pool")[kills % 2]
        was_there, seconds = killed(tmp_path, engine, chance.uniform(0.2, 5.0))
        kills, longest = kills + was_there, max(longest, seconds)
    _, said = start(tmp_path, "pool").communicate()
    found = stored(tmp_path)
    for run, trials in found.items():
        reader = RunReader(tmp_path / "runs" / run)
        assert Counter(trials) == dict.fromkeys((f"e/t/mean/{seed}" for seed in SEEDS), 1), (run, said)
        assert all(map(reader.is_whole, trials))
        assert reader.damaged == []
    finished = sum(map(len, found.values()))
    executed = len((tmp_path / "ledger").read_text().splitlines())
    # A kill costs what was at work: one trial, or those of two workers.
    assert finished <= executed <= finished + 2 * KILLS
    sys.stdout.write(
        f"{kills} kills, {len(found)} runs, {finished} trials finished, {executed - finished} cut short; "
        f"workers were gone after {longest:.2f} s at the latest\n"
    )


def eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_second_driver_of_a_run_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    first = start(tmp_path, "inline")
    eventually(lambda: any(stored(tmp_path).values()))
    second = start(tmp_path, "inline")
    _, said = second.communicate(timeout=PATIENCE)
    assert second.returncode == ExitCode.USAGE
    assert b"Another process is writing to this run" in said
    first.communicate(timeout=PATIENCE)
    assert first.returncode == ExitCode.OK
    ((_, trials),) = stored(tmp_path).items()
    assert Counter(trials) == dict.fromkeys((f"e/t/mean/{seed}" for seed in SEEDS), 1)


def test_two_drivers_with_one_cache_build_an_artifact_once(tmp_path: Path) -> None:
    places = [tmp_path / "a", tmp_path / "b"]
    (tmp_path / "home").mkdir()
    for place in places:
        place.mkdir()
        (place / "home").symlink_to(tmp_path / "home")
        (place / "ledger").symlink_to(tmp_path / "ledger")
    drivers = [start(place, "inline", "shared") for place in places]
    for driver in drivers:
        _, said = driver.communicate(timeout=PATIENCE)
        assert driver.returncode == ExitCode.OK, said
    assert (tmp_path / "ledger").read_text().split().count("built") == 1
    for place in places:
        ((_, trials),) = stored(place).items()
        assert len(trials) == len(SEEDS[:5])
