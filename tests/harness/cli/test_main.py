from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.cli import doctor
from harness.cli import main as cli
from harness.errors import ExitCode, NothingComparableError, ResourceError
from tests.harness.cli.conftest import Shell

HEAVY = [
    "torch",
    "transformers",
    "datasets",
    "scipy",
    "pandas",
    "sklearn",
    "statsmodels",
    "matplotlib",
    "numpy",
]
RECORDED = """
import json, sys
from harness.cli.main import main
try:
    code = main()
finally:
    json.dump(sorted(sys.modules), open("modules", "w"))
sys.exit(code)
"""


def process(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", RECORDED, *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)


def test_help_and_list_import_nothing_heavy(tmp_path: Path) -> None:
    """Seconds would depend on the machine; what is imported does not."""
    loaded = {}
    for command in ("--help", "list"):
        done = process(tmp_path, command)
        assert done.returncode == 0, done.stderr
        loaded[command] = {name.partition(".")[0] for name in json.loads((tmp_path / "modules").read_text())}
    assert not {*HEAVY, "jinja2", "methods", "suites"} & loaded["list"]
    assert not {*HEAVY, "jinja2", "methods", "suites", "pydantic"} & loaded["--help"]


@pytest.mark.parametrize("name", sorted(cli.COMMANDS))
def test_every_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([name, "--help"])
    assert ended.value.code == 0
    assert name in capsys.readouterr().out


def test_an_unknown_command_gives_the_nearest(shell: Shell) -> None:
    assert shell("verdict") == ExitCode.USAGE
    assert "verdicts" in shell.err


def test_no_command_is_a_usage_error(shell: Shell) -> None:
    assert shell() == ExitCode.USAGE
    assert "commands" in shell.out


def test_list_tells_compound_claims_from_those_that_are_not_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["list", "ibws", "--profile", "smoke"]) == ExitCode.OK
    shown = capsys.readouterr().out
    assert "  C1     compound         Best-worst" in shown
    assert "  C1b    not run          With four" in shown
    assert "  C1d    NotComparable    Without" in shown


def test_an_unknown_option_is_a_usage_error(shell: Shell) -> None:
    with pytest.raises(SystemExit) as ended:
        shell("list", "--nope")
    assert ended.value.code == ExitCode.USAGE


@pytest.mark.parametrize("arguments", [("list", "--prof", "smoke"), ("--vers",)])
def test_options_are_written_out(shell: Shell, arguments: tuple[str, ...]) -> None:
    """Or the next option that begins alike would break the scripts of users."""
    with pytest.raises(SystemExit) as ended:
        shell(*arguments)
    assert ended.value.code == ExitCode.USAGE


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ResourceError("It is gone", where="here", fix="Fetch it."), ExitCode.INFRASTRUCTURE),
        (NothingComparableError("No pair"), ExitCode.NOTHING_COMPARABLE),
        (RuntimeError("a bug"), ExitCode.INFRASTRUCTURE),
        (KeyboardInterrupt(), cli.INTERRUPTED),
    ],
)
def test_errors_become_exit_codes(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int
) -> None:
    def fail(args: object) -> ExitCode:
        raise error

    monkeypatch.setattr(doctor, "main", fail)
    assert shell("doctor") == code
    assert shell.out == ""
    assert ("Traceback" in shell.err) == isinstance(error, RuntimeError)


@pytest.mark.parametrize(
    ("command", "goes_on"),
    [
        (["run", "demo"], "'run --resume' goes on"),
        (["noise", "demo"], "the same command goes on"),
        (["plan", "demo"], ""),
    ],
)
def test_an_interrupted_command_says_how_to_go_on(
    command: list[str], goes_on: str, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(args: object) -> ExitCode:
        raise KeyboardInterrupt

    monkeypatch.setattr(f"harness.cli.{command[0]}.main", stop)
    assert shell(*command) == cli.INTERRUPTED
    assert goes_on in shell.err
    assert ("goes on" in shell.err) == bool(goes_on)


def test_a_reader_that_goes_away_is_no_fault(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "harness.cli.main", "list"],
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    os.close(write)
    assert done.returncode == ExitCode.OK
    assert done.stderr == ""
