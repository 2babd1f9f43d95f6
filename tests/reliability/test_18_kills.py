"""Drivers that are killed at any moment, and drivers that want the same run or the same artifact."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
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
SEEDS = tuple(range(100, 160))
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
    """Says that it is executed, and takes a twentieth of a second."""

    problem_type: ClassVar[type] = Numbers

    def run(self, problem: Numbers, ctx: Context) -> float:
        note(f"{ctx.seed}")
        time.sleep(0.05)
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


def count(folder: Path) -> int:
    return sum(map(len, stored(folder).values()))


def killed(folder: Path, driver: subprocess.Popen[bytes]) -> float:
    """Kill a driver; gives the seconds until its workers are gone, too."""
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
    return time.monotonic() - begun


def is_there_at(moment: float, driver: subprocess.Popen[bytes]) -> bool:
    """Whether a driver still works after so many seconds; one that does not has come to its end."""
    with suppress(subprocess.TimeoutExpired):
        _, said = driver.communicate(timeout=moment)
        assert driver.returncode == ExitCode.OK, said.decode()
        return False
    return True


def test_a_driver_that_is_killed_at_fifty_moments_loses_and_repeats_nothing(tmp_path: Path) -> None:
    """Half of them from its start on, half from its first trial on, in one run after another."""
    chance = random.Random(50)  # noqa: S311 - moments to kill at
    kills, working, longest = 0, 0, 0.0
    while kills < KILLS:
        done = count(tmp_path)
        driver = start(tmp_path, ("inline", "pool")[kills // 2 % 2])
        if kills % 2:
            eventually(lambda: count(tmp_path) > done or driver.poll() is not None)  # noqa: B023
        if is_there_at(chance.uniform(0.0, 1.0 if kills % 2 else 5.0), driver):
            longest = max(longest, killed(tmp_path, driver))
            kills, working = kills + 1, working + (count(tmp_path) > done)
    driver = start(tmp_path, "pool")
    assert driver.communicate(timeout=2 * PATIENCE)[1] == b""
    found = stored(tmp_path)
    for run, trials in found.items():
        reader = RunReader(tmp_path / "runs" / run)
        assert Counter(trials) == dict.fromkeys((f"e/t/mean/{seed}" for seed in SEEDS), 1), run
        assert all(map(reader.is_whole, trials))
        assert reader.damaged == []
    assert working >= KILLS // 3, "most of the time trials were at work"
    cut_short = len((tmp_path / "ledger").read_text().splitlines()) - count(tmp_path)
    assert 0 < cut_short <= 2 * KILLS, "a kill costs what was at work: one trial, or those of two workers"
    sys.stdout.write(
        f"{kills} kills, {working} among trials; {len(found)} runs; {count(tmp_path)} trials finished, "
        f"{cut_short} cut short; workers were gone after {longest:.2f} s at the latest\n"
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
