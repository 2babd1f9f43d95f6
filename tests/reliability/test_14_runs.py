"""Runs start at once, lie where the user says, are told apart by their records, and survive their logs."""

from __future__ import annotations

import os
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from harness.errors import ExitCode
from harness.method import Context, Method, param
from harness.store import RunWriter, list_runs, new_run_folder, runs_folder
from tests.harness.cli import conftest
from tests.harness.cli.conftest import Shell
from tests.harness.running import run as run_toy
from tests.harness.toy import Numbers, toy_suite
from tests.reliability.committed import finished

shell = conftest.shell

AT_ONCE = 40


def test_copying_or_touching_a_run_does_not_make_it_the_newest(shell: Shell, tmp_path: Path) -> None:
    old, new = finished(shell), finished(shell)
    for path in (old, old / "run.json", old / "trials.jsonl"):
        os.utime(path, (4e9, 4e9))
    shutil.copytree(old, old.with_name("backup"))
    assert list_runs(tmp_path / "runs")[-1].name == new.name
    assert shell("verdicts", "demo") == ExitCode.OK
    assert f"run {new.name}" in shell.out


def test_runs_that_cannot_be_read_are_as_old_as_their_names_say(tmp_path: Path) -> None:
    names = ["b-small-20250101-000000", "a-small-20260101-000000", "a-small-20260101-000000-2", "no-time"]
    for name in reversed(names):
        (tmp_path / name).mkdir()
        (tmp_path / name / "run.json").write_text("{")
    assert [path.name for path in list_runs(tmp_path)] == ["no-time", *names[:3]]


@pytest.fixture
def user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The home folder."""
    home = tmp_path / "user"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    return home


def test_a_tilde_means_the_home_folder(
    shell: Shell, user: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CORROBORATE_RUNS", "~/r")
    monkeypatch.setenv("CORROBORATE_HOME", "~/cache")
    assert shell("run", "demo", "--engine", "inline", "--no-report") == ExitCode.OK, shell.err
    (run,) = list_runs(user / "r")
    name = f"~/r/{run.name}"
    for arguments in (
        ["verdicts", "demo", "--runs", "~/r"],
        ["verdicts", name],
        ["report", name, "--out", "~/report"],
        ["table", "demo", "t1", "--run", name, "--out=~/t1.tex"],
        ["reference", name, "--out=~/reference"],
        ["regress", name, "--baseline=~/reference", "--junit=~/junit.xml"],
        ["mirror", "~/mirror"],
    ):
        assert shell(*arguments) == ExitCode.OK, (arguments, shell.err)
    made = {path.name for path in user.iterdir()}
    assert made == {"r", "cache", "report", "t1.tex", "reference", "junit.xml", "mirror"}
    monkeypatch.setenv("CORROBORATE_MIRROR", "~/mirror")
    assert shell("doctor") == ExitCode.OK
    assert f"mirror      {user / 'mirror'}" in shell.out
    assert not list(tmp_path.rglob("~*"))


def test_a_tilde_that_is_nobodys_home_is_a_name(user: Path) -> None:
    assert runs_folder("~no-such-user/runs") == Path("~no-such-user/runs")


def test_many_runs_start_at_once(tmp_path: Path) -> None:
    barrier = threading.Barrier(AT_ONCE)

    def start(_: int) -> str:
        barrier.wait()
        folder = new_run_folder(tmp_path / "new" / "runs", "toy", "small")
        with RunWriter(folder):
            barrier.wait(timeout=60)
        return folder.name

    with ThreadPoolExecutor(AT_ONCE) as pool:
        names = list(pool.map(start, range(AT_ONCE)))
    assert len(set(names)) == AT_ONCE


@dataclass(frozen=True, kw_only=True)
class Unlogged(Method[Numbers, float]):
    """Prints, and takes the place of its log away as a full disk would."""

    problem_type: ClassVar[type] = Numbers
    runs: str = param("", source="ours")

    def run(self, problem: Numbers, ctx: Context) -> float:
        print("said")  # noqa: T201 - logs are kept
        for logs in Path(self.runs).glob("*/logs"):
            shutil.rmtree(logs)
        return 3.0


def test_a_log_that_cannot_be_kept_is_a_note_and_the_run_goes_on(tmp_path: Path) -> None:
    suite = toy_suite(methods={"mean": Unlogged(runs=str(tmp_path / "runs"))}, seeds=(100, 101))
    finished_run, reader, recorder = run_toy(suite, tmp_path)
    assert not finished_run.summary.failed
    assert [record.status for record in reader.trials.values()] == ["ok", "ok"]
    assert any("log was not kept" in note for note in recorder.notes)
