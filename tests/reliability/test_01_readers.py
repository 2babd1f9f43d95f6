"""Commands that read write nothing, and committed results are replaced as a whole or not at all."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from harness.cli.main import COMMANDS
from harness.errors import ExitCode
from tests.harness.cli import conftest
from tests.harness.cli.conftest import Shell
from tests.reliability.committed import committed, finished, own_suite_folder, state

shell = conftest.shell

READERS = {
    "verdicts": ["verdicts", "{run}"],
    "verdicts as JSON": ["verdicts", "{run}", "--json"],
    "report": ["report", "{run}", "--out", "{out}"],
    "table": ["table", "demo", "t1", "--run", "{run}"],
    "unknown table": ["table", "demo", "t9", "--run", "{run}"],
    "query": ["query", "{run}", "select count(*) from trials join units_main using (trial), verdicts"],
    "query that writes": ["query", "{run}", "create table trials as select 1"],
    "compare": ["compare", "{run}", "{other}"],
    "compare the other way": ["compare", "{other}", "{run}"],
    "regress": ["regress", "{run}", "--baseline", "{other}"],
    "regress the other way": ["regress", "{other}", "--baseline", "{run}"],
    "bundle": ["bundle", "{run}", "--out", "{out}/run.zip"],
    "verify": ["verify", "{run}"],
    "verify as JSON": ["verify", "{run}", "--json"],
    "verify by the suite's name": ["verify", "demo", "--reference"],
    "controls": ["controls", "{run}"],
    "why": ["why", "heavy/t2/mean/100", "--run", "{run}"],
    "list": ["list", "demo"],
    "plan": ["plan", "demo"],
    "doctor": ["doctor"],
    "cache": ["cache", "show"],
    "resuming committed results": ["run", "demo", "--engine", "inline", "--resume", "{reference}"],
    "committing committed results": ["reference", "{reference}"],
    "an index": ["report", "--index"],
}
WRITERS = {"run-trial", "rehearse", "noise", "new-suite", "check-method", "mirror", "convert"}
"""Commands that take no run: what they make is their own."""


@pytest.fixture
def suite_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    own_suite_folder(monkeypatch, tmp_path / "suite")
    return tmp_path / "suite"


def test_reading_leaves_runs_and_committed_results_as_they_are(
    shell: Shell, suite_folder: Path, tmp_path: Path
) -> None:
    run, other = finished(shell), finished(shell)
    (run / "verdicts.json").unlink()
    older = committed(shell, other, suite_folder / "reference" / "smoke", cut=True)
    reference = committed(shell, other, suite_folder / "reference" / "small")
    names = {"other": other, "reference": reference, "out": tmp_path / "out"}
    shell("report", "--index")
    before = state(tmp_path / "runs" / other.name), state(tmp_path / "runs" / run.name), state(suite_folder)
    for what, arguments in READERS.items():
        for read in (run, reference, older):
            shell(*(argument.format(run=read, **names) for argument in arguments))
            after = state(tmp_path / "runs" / other.name), state(tmp_path / "runs" / run.name)
            assert (*after, state(suite_folder)) == before, what


def test_verdicts_of_older_committed_results_are_the_stored_ones_and_it_is_said(
    shell: Shell, suite_folder: Path
) -> None:
    reference = committed(shell, finished(shell), suite_folder / "reference" / "small", cut=True)
    stored = json.loads((reference / "verdicts.json").read_text())
    assert shell("verdicts", str(reference), "--json") == ExitCode.OK
    assert json.loads(shell.out)["verdicts"] == stored["verdicts"]
    assert "stored with them, not judged again" in shell.err
    assert "left out for their size" in shell.err


def test_a_report_of_committed_results_names_what_was_left_out(
    shell: Shell, suite_folder: Path, tmp_path: Path
) -> None:
    reference = committed(shell, finished(shell), suite_folder / "reference" / "small", cut=True)
    out = tmp_path / "out"
    assert shell("report", str(reference), "--out", str(out)) == ExitCode.OK, shell.err
    for name in ("index.html", "report.tex", "report.md", "csv/t1.csv"):
        assert "left out for their size" in (out / name).read_text(), name
    assert "has no result" not in (out / "index.html").read_text()
    assert shell("table", "demo", "t1", "--run", str(reference), "--format", "csv") == ExitCode.OK
    assert "left out for their size" in shell.out


def test_a_report_of_committed_results_goes_beside_the_runs(
    shell: Shell, suite_folder: Path, tmp_path: Path
) -> None:
    reference = committed(shell, finished(shell), suite_folder / "reference" / "small")
    before = state(suite_folder)
    assert shell("report", str(reference)) == ExitCode.OK, shell.err
    assert state(suite_folder) == before
    assert list((tmp_path / "runs").rglob("report.tex"))


def test_every_command_that_takes_a_run_is_among_the_readers() -> None:
    assert {arguments[0] for arguments in READERS.values()} | WRITERS == set(COMMANDS)


@pytest.mark.parametrize("ends_by", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("at", [1, 3])
def test_a_reference_that_dies_half_way_leaves_the_old_one(
    shell: Shell,
    suite_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    ends_by: BaseException,
    at: int,
) -> None:
    first, second = finished(shell), finished(shell, "--fresh", "--set", "trimmed.share=0.1")
    folder = committed(shell, first, suite_folder / "reference" / "small")
    before = state(folder)
    calls = iter(range(1, 100))

    def fsync(_: int) -> None:
        if next(calls) >= at:
            raise ends_by

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        assert shell("reference", str(second), "--out", str(folder)) != ExitCode.OK
    assert state(folder) == before
    assert [path.name for path in folder.parent.iterdir()] == ["small"]
    committed(shell, second, folder)
    assert state(folder) != before


def test_what_readers_used_to_leave_in_committed_results_does_not_stop_the_next(
    shell: Shell, suite_folder: Path
) -> None:
    run = finished(shell)
    folder = committed(shell, run, suite_folder / "reference" / "small")
    expected = {name: content for name, (content, _) in state(folder).items()}
    for name in ("units", "logs"):
        (folder / name).mkdir()
    (folder / ".lock").touch()
    committed(shell, run, folder)
    assert {name: content for name, (content, _) in state(folder).items()} == expected
