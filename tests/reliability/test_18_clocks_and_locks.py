"""A clock that is set back, and file systems without locks: whole commands that meet them."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import subprocess
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from harness.errors import ExitCode, RecordError
from harness.store import RunReader, RunWriter, find_run, list_runs
from tests.harness.cli.demo import NUMBERS
from tests.harness.running import run as run_toy
from tests.harness.toy import MeanTask, Offset, toy_suite
from tests.reliability.shims import shim
from tests.reliability.toys_cli import WITH_DEMO, process

RUN = ("run", "demo", "--profile", "smoke", "--engine", "inline", "--no-report")
DAY = 86_400


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """The environment of programs whose clock and locks are ours."""
    return shim(tmp_path_factory.mktemp("shim"))


class Clock:
    """A clock that commands in a folder go by."""

    def __init__(self, folder: Path, faulty: Mapping[str, str]) -> None:
        self._folder = folder
        self._file = folder / "clock"
        places = {"CORROBORATE_HOME": str(folder / "home"), "CORROBORATE_RUNS": str(folder / "runs")}
        self._environment = {**faulty, **places, "TESTS_CLOCK": str(self._file)}

    def set_to(self, seconds: int) -> None:
        """Let it differ by so much from the system's."""
        new = self._file.with_suffix(".new")
        new.write_text(str(seconds))
        new.replace(self._file)

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return process(self._folder, *arguments, program=("-c", WITH_DEMO), environment=self._environment)


@pytest.fixture
def clock(tmp_path: Path, faulty: Mapping[str, str]) -> Clock:
    return Clock(tmp_path, faulty)


@pytest.mark.slow
def test_the_newest_run_is_the_one_that_began_last(clock: Clock, tmp_path: Path) -> None:
    """The clock is a day ahead, right, and two days behind."""
    ran = []
    for shift in (DAY, 0, -2 * DAY):
        clock.set_to(shift)
        done = clock.command(*RUN, "--fresh")
        assert done.returncode == ExitCode.OK, done.stderr
        ran += [run.name for run in (tmp_path / "runs").iterdir() if run.name not in ran and run.is_dir()]
        assert ("clock is behind" in done.stderr) == (shift < DAY), done.stderr
    assert [run.name for run in list_runs(tmp_path / "runs")] == ran
    assert find_run("demo", tmp_path / "runs").name == ran[-1]
    assert f"run {ran[-1]}" in clock.command("verdicts", "demo").stdout
    for run, shift in zip(ran, (DAY, 0, -2 * DAY), strict=True):
        created = datetime.fromisoformat(RunReader(tmp_path / "runs" / run).record.provenance.created)
        told = datetime.now(UTC) + timedelta(seconds=shift)
        assert abs(created - told) < timedelta(hours=1), "what the clock said is recorded as it was"


@pytest.mark.slow
def test_a_run_goes_on_though_the_clock_is_set_back_again_and_again(clock: Clock, tmp_path: Path) -> None:
    clock.set_to(DAY)
    over = threading.Event()

    def turn_back() -> None:
        shift = DAY
        while not over.wait(0.05):
            clock.set_to(shift := shift - 600)

    turning = threading.Thread(target=turn_back)
    turning.start()
    try:
        begun = time.monotonic()
        done = clock.command(*RUN)
        spent = time.monotonic() - begun
        again = clock.command(*RUN, "--resume")
    finally:
        over.set()
        turning.join()
    assert (done.returncode, again.returncode) == (ExitCode.OK, ExitCode.OK), (done.stderr, again.stderr)
    (run,) = list_runs(tmp_path / "runs")
    reader = RunReader(run)
    record = reader.record
    assert record.ended < record.provenance.created, "the clock was set back while it ran"
    costs = [trial.cost for trial in reader.trials.values()]
    assert all(0 <= cost.wall_s < spent and cost.cpu_s >= 0 for cost in costs)
    lines = [json.loads(line)["trial"] for line in (run / "trials.jsonl").read_text().splitlines()]
    assert len(lines) == len(set(lines)) == 11
    assert "0 trials executed, 10 reused" in again.stdout
    assert clock.command("verify", run.name).returncode == ExitCode.OK


def test_a_run_where_files_cannot_be_locked_is_refused_in_these_words(
    tmp_path: Path, faulty: Mapping[str, str]
) -> None:
    environment = {**faulty, "TESTS_FLOCK": str(errno.ENOLCK)}
    done = process(tmp_path, *RUN, program=("-c", WITH_DEMO), environment=environment)
    assert done.returncode == ExitCode.INFRASTRUCTURE
    assert "cannot lock files" in done.stderr
    assert "--runs FOLDER" in done.stderr
    assert "Another process" not in done.stderr
    assert "Traceback" not in done.stderr
    assert list_runs(tmp_path / "runs") == []


@pytest.fixture(params=[errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP], ids=errno.errorcode.get)
def _unlocked(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """No file can be locked in this process: NFS without its daemon, FUSE, Lustre."""

    def refused(*_: object) -> None:
        raise OSError(request.param, os.strerror(request.param))

    monkeypatch.setattr(fcntl, "flock", refused)


@pytest.mark.usefixtures("_unlocked")
def test_no_file_system_without_locks_is_taken_for_another_process(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="cannot lock files"):
        RunWriter(tmp_path / "run")


@pytest.mark.parametrize("fault", [errno.ENOLCK, errno.EOPNOTSUPP], ids=errno.errorcode.get)
def test_a_cache_where_files_cannot_be_locked_is_told_as_one(
    fault: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where only the cache's file system has no locks."""
    flock = fcntl.flock

    def refused_there(file: object, operation: int) -> None:
        if isinstance(file, int):  # The lock of a run is an open file.
            raise OSError(fault, os.strerror(fault))
        flock(file, operation)  # type: ignore[arg-type]

    monkeypatch.setattr(fcntl, "flock", refused_there)
    finished, reader, _ = run_toy(toy_suite(task=MeanTask(offset=Offset()), seeds=(100,)), tmp_path)
    assert len(finished.summary.failed) == 3
    assert all("Mount its file system with locks" in trial.error for trial in reader.trials.values())
    data = toy_suite(task=MeanTask(data=NUMBERS), seeds=(100,))
    finished, _, recorder = run_toy(data, tmp_path)
    assert set(finished.plan.blocked) == {"e"}
    assert any("The file system cannot lock files" in note for note in recorder.notes)
