from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import pytest

from harness.cli import live_page
from harness.cli.live_page import FIRST_SECONDS, LEAST_SECONDS, SHARE, LivePage
from harness.errors import ExitCode
from harness.store.records import Cost, TrialRecord
from tests.harness.cli.conftest import Shell


class Quiet:
    """A display that shows nothing."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *_: self.heard.append(name)


class Writer:
    """A process that writes a page until it is told that it has ended."""

    begun: list[list[str]]
    killed: int

    def __init__(self, command: list[str], **_: object) -> None:
        Writer.begun.append(command)
        self.code: int | None = None

    def poll(self) -> int | None:
        return self.code

    def kill(self) -> None:
        Writer.killed += 1

    def wait(self, _: float) -> int:
        return 0


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """A page with a clock that is set by hand, of a run with an experiment that measures time."""
    monkeypatch.setattr(subprocess, "Popen", Writer)
    Writer.begun, Writer.killed = [], 0
    experiments = [SimpleNamespace(id="plain", timed=None), SimpleNamespace(id="times", timed=object())]
    suite = SimpleNamespace(slug="demo", experiments=lambda _: experiments)
    now = SimpleNamespace(seconds=0.0)
    request: Any = SimpleNamespace(suite=suite, scale=None)
    made = LivePage(Quiet(), request, {}, lambda: now.seconds)  # type: ignore[arg-type]
    made.opened(tmp_path)
    made.total(["plain/t/m/100", "plain/t/m/101", "times/t/m/100"])
    yield SimpleNamespace(page=made, now=now)
    made.__exit__(None)


def record(trial: str, status: Literal["ok", "failed"] = "ok") -> TrialRecord:
    return TrialRecord(
        trial=trial, status=status, fingerprint="f", environment="e", cost=Cost(wall_s=1, peak_memory_mb=1)
    )


def test_a_page_is_begun_after_a_while_and_says_how_far_the_run_is(page: Any) -> None:
    page.page.started("plain/t/m/100")
    page.page.finished(record("plain/t/m/100", "failed"))
    assert Writer.begun == []
    page.now.seconds = FIRST_SECONDS
    page.page.started("plain/t/m/101")
    told = json.loads(Writer.begun[0][-1])
    assert (told["done"], told["total"], told["failed"]) == (1, 3, 1)


def test_pages_take_a_small_share_of_the_time(page: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    used = iter((5.0, 17.0))
    seconds = lambda _: SimpleNamespace(ru_utime=next(used), ru_stime=1.0)  # noqa: E731
    monkeypatch.setattr(resource, "getrusage", seconds)
    page.now.seconds = FIRST_SECONDS
    page.page.started("plain/t/m/100")
    page.page._writer.code = 0
    page.page.finished(record("plain/t/m/100"))
    page.now.seconds += 12 / SHARE - 1
    page.page.started("plain/t/m/101")
    assert len(Writer.begun) == 1
    page.now.seconds += 1
    page.page.finished(record("plain/t/m/101"))
    assert len(Writer.begun) == 2


def test_nothing_is_written_beside_a_trial_that_measures_time(page: Any) -> None:
    page.now.seconds = FIRST_SECONDS
    page.page.started("plain/t/m/100")
    page.page.started("times/t/m/100")
    assert Writer.killed == 1
    page.now.seconds += 10 * LEAST_SECONDS
    page.page.progress(SimpleNamespace())
    assert len(Writer.begun) == 1
    page.page.finished(record("times/t/m/100"))
    assert len(Writer.begun) == 2


def test_a_writer_that_cannot_be_started_stops_nothing(page: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("no more processes")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    page.now.seconds = FIRST_SECONDS
    page.page.started("plain/t/m/100")
    page.now.seconds += 1e6
    page.page.finished(record("plain/t/m/100"))
    assert page.page._shown.heard[-1] == "finished"


def test_a_page_says_how_far_the_run_is_then_that_it_was_interrupted_and_then_nothing_of_it(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shell("run", "demo", "--engine", "inline", "--no-report") == ExitCode.OK
    folder = next(path for path in Path("runs").iterdir() if (path / "run.json").is_file())
    assert not (folder / "report").exists()
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    monkeypatch.setattr(os, "nice", lambda _: 0)
    told = json.dumps({"done": 2, "total": 5, "failed": 1, "left": "about <5 min> left"})
    live_page.main(str(folder), told)
    path = folder / "report" / "index.html"
    text = path.read_text(encoding="utf-8")
    assert 'http-equiv="refresh"' in text
    assert "Still running: 2 of 5 trials, 1 without a result, about &lt;5 min&gt; left." in text
    assert {path: path.read_bytes() for path in before} == before

    request: Any = SimpleNamespace(suite=SimpleNamespace(slug="demo", experiments=lambda _: []), scale=None)
    page = LivePage(Quiet(), request, {})  # type: ignore[arg-type]
    page.opened(folder)
    page.__exit__(KeyboardInterrupt)
    text = path.read_text(encoding="utf-8")
    assert "Still running" not in text
    assert 'http-equiv="refresh"' not in text
    assert f"corroborate run demo --resume {folder.name}" in text

    assert shell("report", folder.name, "--format", "html") == ExitCode.OK
    assert "Interrupted." not in path.read_text(encoding="utf-8")


def test_a_killed_writer_leaves_no_half_page(tmp_path: Path, page: Any) -> None:
    (tmp_path / "report").mkdir()
    torn = tmp_path / "report" / ".index.html.abc"
    torn.write_text("half", encoding="utf-8")
    page.now.seconds = FIRST_SECONDS
    page.page.started("plain/t/m/100")
    page.page._stop()
    assert not torn.exists()


@pytest.mark.slow
def test_the_writer_is_a_program_that_ends_with_an_error_where_there_is_no_run(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "harness.cli.live_page", str(tmp_path), "{}"]
    start = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode != 0
    assert "holds no run" in done.stderr
    assert time.monotonic() - start < 60
