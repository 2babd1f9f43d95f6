"""Killed at any moment, a run resumes without losing or repeating a finished trial."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from harness.store import RunReader, list_runs
from harness.store.reader import read_trials
from harness.suite import Suite
from tests.harness.running import run
from tests.harness.toy import Bad, MeanTask, Offset, Shrunk, toy_suite

SCRIPT = """
import sys
from pathlib import Path
from harness.store import list_runs
from tests.harness.engine.test_kill import suite
from tests.harness.running import run
if __name__ == "__main__":
    folder = Path(sys.argv[1])
    runs = list_runs(folder / "runs")
    run(suite(), folder, engine="pool", resume=runs[-1] if runs else None)
"""


def suite() -> Suite:
    methods = {"slow": Bad(way="sleep"), "mean": Shrunk()}
    return toy_suite(methods=methods, seeds=tuple(range(100, 115)), task=MeanTask(offset=Offset()))


def start(folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", SCRIPT, str(folder)], cwd=Path(__file__).parents[3])


def workers_of(driver: subprocess.Popen[bytes]) -> list[psutil.Process]:
    try:
        children = psutil.Process(driver.pid).children(recursive=True)
        return [child for child in children if "spawn_main" in " ".join(child.cmdline())]
    except psutil.NoSuchProcess:
        return []


def kill(target: str, driver: subprocess.Popen[bytes]) -> list[psutil.Process]:
    workers = workers_of(driver)
    victims = workers[:1] if target == "worker" else workers if target == "both" else []
    for victim in victims:
        victim.kill()
    if target != "worker":
        os.kill(driver.pid, signal.SIGKILL)
        driver.wait()
    return workers


def all_end(processes: list[psutil.Process], seconds: float) -> bool:
    """Whether they end in time; when orphans are then reaped is the system's business."""
    deadline = time.monotonic() + seconds
    while any(map(runs, processes)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not any(map(runs, processes))


def runs(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def finished(folder: Path) -> list[str]:
    runs = list_runs(folder / "runs")
    if not runs:
        return []
    records = read_trials(runs[-1] / "trials.jsonl", [])
    return [record.trial for record in records if record.kind == "trial" and record.status == "ok"]


@pytest.mark.slow
@pytest.mark.parametrize("target", ["driver", "worker", "both"])
def test_kill_and_resume(target: str, tmp_path: Path) -> None:
    chance = random.Random(target)  # noqa: S311 - moments to kill at
    for _ in range(4):
        driver = start(tmp_path)
        deadline = time.monotonic() + chance.uniform(1.0, 9.0)
        while time.monotonic() < deadline and driver.poll() is None:
            time.sleep(0.05)
        before = finished(tmp_path)
        workers = kill(target, driver) if driver.poll() is None else []
        if target != "worker":
            assert all_end(workers, seconds=5.0), "workers must end with their driver"
        driver.wait(timeout=120) if target == "worker" else None
        assert finished(tmp_path)[: len(before)] == before
    final = start(tmp_path)
    assert final.wait(timeout=120) == 0
    done = finished(tmp_path)
    assert sorted(done) == sorted(set(done)), "no finished trial may run again"
    assert len(done) == 30
    reader = RunReader(list_runs(tmp_path / "runs")[-1])
    assert all(reader.is_whole(trial) for trial in done)
    _, alone, _ = run(suite(), tmp_path / "undisturbed")
    for trial in done:
        assert list(reader.table(trial, "main")["error"]) == list(alone.table(trial, "main")["error"])
