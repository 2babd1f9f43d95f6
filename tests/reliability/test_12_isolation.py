"""What a trial starts ends with it, what it prints is kept, and no trial ends the run."""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import psutil
import pytest

from harness.checks import CHECKS, battery
from harness.errors import ExitCode
from harness.method import Context
from harness.store import RunReader
from tests.harness.cli import demo
from tests.harness.cli.conftest import Shell, shell  # noqa: F401 - a fixture
from tests.harness.running import run
from tests.harness.toy import Shrunk, toy_suite
from tests.reliability.toys_engine import Forking, Holding, Loud, Parent, end

ROOT = Path(__file__).parents[2]
PATIENCE = 30.0
PARENT = """
import sys
from pathlib import Path
from tests.harness.running import run
from tests.harness.toy import toy_suite
from tests.reliability.toys_engine import Parent
if __name__ == "__main__":
    folder = Path(sys.argv[1])
    methods = {"parent": Parent(marker=str(folder / "child"), way="hang", daemon=True)}
    run(toy_suite(methods=methods, seeds=(100,)), folder, engine="pool")
"""


def eventually(condition: Callable[[], bool]) -> bool:
    """Whether something holds before long."""
    deadline = time.monotonic() + PATIENCE
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


def is_gone(marker: Path) -> bool:
    try:
        return psutil.Process(int(marker.read_text())).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def log_of(reader: RunReader, trial: str) -> str:
    readable = "".join(c if c.isalnum() or c in "-_." else "_" for c in trial)
    (path,) = (reader.folder / "logs").glob(f"{readable}-*.log")
    return path.read_text()


def test_nothing_that_a_trial_has_started_lives_on(tmp_path: Path) -> None:
    ends = {"return": "ok", "hang": "timeout", "die": "failed"}
    # What ends a daemon, which has left its session, ends any child.
    names = ("return-child", "return-daemon", "hang-daemon", "die-daemon")
    methods = {
        name: Parent(marker=str(tmp_path / name), way=name.partition("-")[0], daemon=name.endswith("daemon"))
        for name in names
    }
    suite = toy_suite(methods={**methods, "mean": Shrunk()}, seeds=(100,), minutes=0.1)
    _, reader, _ = run(suite, tmp_path, engine="pool")
    for name in methods:
        record = reader.trials[f"e/t/{name}/100"]
        assert record.status == ends[name.partition("-")[0]], name
        assert eventually(partial(is_gone, tmp_path / name)), name
        if record.status == "ok":
            assert "running process" in "; ".join(record.left), name
    assert reader.trials["e/t/mean/100"].status == "ok"


def test_nothing_lives_on_when_the_driver_is_killed(tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    driver = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)], cwd=ROOT, env={**os.environ, "TMPDIR": str(temporary)}
    )
    marker = tmp_path / "child"
    assert eventually(marker.exists)
    started = psutil.Process(driver.pid).children(recursive=True)
    driver.kill()
    driver.wait()
    assert eventually(lambda: is_gone(marker))
    assert not psutil.wait_procs(started, timeout=PATIENCE)[1]
    assert eventually(lambda: not list(temporary.glob("corroborate-*")))


def test_a_killed_trial_keeps_its_log_and_tells_where_it_was(tmp_path: Path) -> None:
    suite = toy_suite(methods={"loud": Loud(hang=True)}, seeds=(100,), minutes=0.1)
    _, reader, _ = run(suite, tmp_path, engine="pool")
    record = reader.trials["e/t/loud/100"]
    assert record.status == "timeout"
    assert record.error.strip().splitlines()[-1].startswith("Stopped after")
    assert "toys_engine.py" in record.error
    assert "in native" in record.error, "though it is in native code that lets no Python run"
    assert "from python" in log_of(reader, "e/t/loud/100")


def test_what_native_code_and_children_print_is_in_the_log(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    _, reader, _ = run(toy_suite(methods={"loud": Loud()}, seeds=(100, 101)), tmp_path, engine="pool")
    for seed in (100, 101):
        lines = log_of(reader, f"e/t/loud/{seed}").split("\n")
        assert {"from python", "from native code", "from a descriptor", "from a child"} <= set(lines)
        assert lines.count("from python") == 1
    assert "from" not in "".join(capfd.readouterr())


@pytest.mark.parametrize("engine", ["inline", "pool"])
def test_a_log_is_bounded(engine: str, tmp_path: Path) -> None:
    suite = toy_suite(methods={"loud": Loud(repeat=1_000_000)}, seeds=(100,))
    _, reader, _ = run(suite, tmp_path, engine=engine)
    text = log_of(reader, "e/t/loud/100")
    assert 100_000 < len(text) < 300_000
    assert "left out" in text


def test_what_cannot_be_handed_to_a_worker_fails_alone(tmp_path: Path) -> None:
    methods = {"holding": Holding(transform=lambda x: x), "mean": Shrunk()}
    finished, reader, _ = run(toy_suite(methods=methods, seeds=(100, 101)), tmp_path, engine="pool")
    assert finished.summary.failed == ["e/t/holding/100", "e/t/holding/101"]
    assert "cannot be handed to a worker" in reader.trials["e/t/holding/100"].error
    assert reader.trials["e/t/mean/101"].status == "ok"


@pytest.mark.parametrize("engine", ["inline", "pool"])
def test_a_stray_fork_stores_nothing(engine: str, tmp_path: Path) -> None:
    owner = os.getpid()
    methods = {"forking": Forking(), "zero": Shrunk(factor=0.0)}
    try:
        finished, reader, recorder = run(
            toy_suite(methods=methods, seeds=(100, 101)), tmp_path, engine=engine
        )
    finally:
        if os.getpid() != owner:  # On a build that lets it come back as far as here.
            os._exit(1)
    assert finished.summary.executed == 4
    lines = (finished.folder / "trials.jsonl").read_text().splitlines()
    assert len(lines) == 4
    rows = [list(reader.table(f"e/t/{name}/100", "main")["error"]) for name in methods]
    assert rows[0] == rows[1], "of the process that was given the trial"
    assert not any(report.message == "child" for report in recorder.reports)


class Crashing(demo.Mean):
    """Crashes when it solves a problem."""

    def run(self, problem: demo.Samples, ctx: object) -> None:  # type: ignore[override]
        end("segfault")


class Hanging(demo.Mean):
    """Never comes back."""

    def run(self, problem: demo.Samples, ctx: object) -> None:  # type: ignore[override]
        time.sleep(600)


@dataclass(frozen=True)
class Importing(demo.Mean):
    """Imports what it needs where it needs it."""

    def run(self, problem: demo.Samples, ctx: Context) -> np.ndarray:
        with contextlib.redirect_stdout(io.StringIO()):
            importlib.import_module("this")
        return super().run(problem, ctx)


def test_an_honest_method_passes_in_a_worker(shell: Shell) -> None:  # noqa: F811
    code = shell("check-method", f"{__name__}:Importing", "--suite", "demo")
    assert (code, shell.out.splitlines()[-1]) == (ExitCode.OK, "0 failed")


def only(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Let the battery be of these checks only: each that ends badly takes a worker with it."""
    monkeypatch.setattr(battery, "CHECKS", tuple(check for check in CHECKS if check.name in names))


def test_a_crash_is_a_failed_check(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    only(monkeypatch, "documented", "picklable", "inputs-not-changed")
    assert shell("check-method", f"{__name__}:Crashing", "--suite", "demo") == ExitCode.LOST
    assert f"exit code -{int(signal.SIGSEGV)}" in shell.out
    assert " + documented" in shell.out
    assert " - picklable" in shell.out
    assert " - inputs-not-changed" in shell.out, "the checks after it are made, too"


def test_checks_have_a_limit(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    only(monkeypatch, "documented", "picklable")
    code = shell("check-method", f"{__name__}:Hanging", "--suite", "demo", "--minutes", "0.05")
    assert code == ExitCode.LOST
    assert "Stopped after" in shell.out
    assert " + documented" in shell.out


def test_a_limit_must_leave_some_time(shell: Shell) -> None:  # noqa: F811
    assert shell("check-method", "guest", "--minutes", "0") == ExitCode.USAGE
