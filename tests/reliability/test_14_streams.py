"""What standard output and error are connected to ends no run, and changes no result."""

from __future__ import annotations

import errno
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import ExitCode
from harness.store import list_runs, open_run
from tests.reliability.toys_cli import ROOT, RUN, WITH_DEMO, Shell, demo_shell, process

ASCII = {
    "PYTHONIOENCODING": "ascii",
    "PYTHONUTF8": "0",
    "PYTHONCOERCECLOCALE": "0",
    "LC_ALL": "C",
}
DEMO = ("-c", WITH_DEMO)


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Shell:
    return demo_shell(capsys, monkeypatch, tmp_path)


def finished(folder: Path) -> None:
    """The run there has all its trials, and verdicts."""
    (run,) = list_runs(folder / "runs")
    view = open_run(run)
    assert set(view.trials) >= set(view.record.planned) > set()
    assert view.verdicts is not None


class Gone(io.StringIO):
    """A terminal that has been closed."""

    def write(self, text: str) -> int:
        raise OSError(errno.EIO, "Input/output error")


def test_a_terminal_that_goes_away_does_not_end_a_run(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("sys.stderr", Gone())
    assert shell(*RUN) == ExitCode.OK
    finished(tmp_path)


def test_an_output_that_cannot_be_written_leaves_the_run_whole(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("sys.stdout", Gone())
    assert shell(*RUN) == ExitCode.INFRASTRUCTURE
    finished(tmp_path)
    assert "could not be written" in shell.err
    assert "Traceback" not in shell.err


@pytest.mark.parametrize(
    ("redirect", "code"),
    [("<&- >&- 2>&-", ExitCode.OK), ("2>/dev/full", ExitCode.OK)],
)
def test_a_run_with_closed_streams_ends_as_any_other(tmp_path: Path, redirect: str, code: int) -> None:
    done = process(tmp_path, *RUN, program=DEMO, redirect=redirect)
    assert done.returncode == code, done.stderr
    finished(tmp_path)
    (run,) = list_runs(tmp_path / "runs")
    # Files of the run have not taken the numbers of the streams.
    for line in (run / "trials.jsonl").read_text(encoding="utf-8").splitlines():
        json.loads(line)


@pytest.mark.parametrize("redirect", [">&-", ">/dev/full"])
def test_a_list_without_an_output_is_no_fault(tmp_path: Path, redirect: str) -> None:
    done = process(tmp_path, "list", redirect=redirect)
    assert done.returncode == (ExitCode.OK if redirect == ">&-" else ExitCode.INFRASTRUCTURE)
    assert "Traceback" not in done.stderr
    assert "fault of corroborate" not in done.stderr


def test_a_report_is_written_though_the_reader_of_the_output_has_gone(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-c", WITH_DEMO, *RUN[:-1]]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, stdout=write, stderr=subprocess.PIPE, cwd=tmp_path, env=environment, check=False
    )
    os.close(write)
    assert done.returncode == ExitCode.OK
    (run,) = list_runs(tmp_path / "runs")
    assert (run / "report" / "index.html").is_file()


def test_letters_that_an_encoding_lacks_are_escaped(tmp_path: Path) -> None:
    small = ["run", "demo", "--profile", "small", "--engine", "inline"]
    done = process(tmp_path, *small, program=DEMO, environment=ASCII)
    assert done.returncode == ExitCode.OK, done.stderr
    (run,) = list_runs(tmp_path / "runs")
    assert (run / "report" / "index.html").is_file()
    told = process(tmp_path, "verdicts", "demo", program=DEMO, environment=ASCII)
    assert told.returncode == ExitCode.OK, told.stderr
    assert r"\u03b8 = " in told.stdout
    verdicts = process(tmp_path, "verdicts", "demo", "--json", program=DEMO, environment=ASCII)
    assert json.loads(verdicts.stdout)["suite"] == "demo"


def test_a_table_is_not_printed_with_escapes_in_it(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert shell(*RUN) == ExitCode.OK
    monkeypatch.setattr("reports.render_table", lambda *given, **named: "0.5 ± 0.1\n", raising=False)
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    assert shell("table", "demo", "t1") == ExitCode.USAGE
    assert "--out" in shell.err
    assert shell("table", "demo", "t1", "--out", "t1.tex") == ExitCode.OK
    assert Path("t1.tex").read_text(encoding="utf-8") == "0.5 ± 0.1\n"
