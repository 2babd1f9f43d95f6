"""A user's package that has the name of one of ours gets a clear word, and is never run in its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import ExitCode
from tests.reliability.toys_cli import ROOT, process

COMMAND = ROOT / "harness" / "command" / "main.py"
"""As a file: installed it is a package of its own, and found whatever hides `harness`."""


def users(folder: Path, name: str) -> Path:
    """A user's package with that name, and a method in it."""
    place = folder / name
    place.mkdir(parents=True)
    (place / "__init__.py").touch()
    (place / "mine.py").write_text("from tests.harness.cli.demo import Mean as Mine\n")
    return place


@pytest.mark.parametrize("name", ["methods", "suites", "reports"])
@pytest.mark.parametrize("command", [("list",), ("plan", "ibws"), ("check-method", "mine:Mine")])
def test_what_hides_ours_is_named(tmp_path: Path, name: str, command: tuple[str, ...]) -> None:
    place = users(tmp_path / "path", name)
    done = process(tmp_path, *command, path=(place.parent,))
    assert done.returncode == ExitCode.USAGE
    assert f"'{name}'" in done.stderr
    assert str(place) in done.stderr
    assert str(ROOT / name) in done.stderr
    assert "Rename" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_folder_that_python_is_started_in_counts(tmp_path: Path) -> None:
    place = users(tmp_path, "reports")
    done = process(tmp_path, "list")
    assert done.returncode == ExitCode.USAGE
    assert str(place) in done.stderr


@pytest.mark.parametrize("name", ["methods", "suites", "reports", "harness"])
def test_the_command_itself_cannot_be_hidden(tmp_path: Path, name: str) -> None:
    place = users(tmp_path / "path", name)
    done = process(tmp_path, "list", program=(str(COMMAND),), path=(place.parent,))
    assert done.returncode == ExitCode.USAGE
    assert str(place) in done.stderr
    assert str(ROOT / name) in done.stderr


@pytest.mark.parametrize("name", ["methods", "harness"])
def test_a_method_in_a_package_that_ours_hides_is_told_so(tmp_path: Path, name: str) -> None:
    place = users(tmp_path, name)
    # As the installed command starts: the current folder is not on the path.
    program = ("-P", "-m", "harness.cli.main")
    done = process(tmp_path, "check-method", f"{name}.mine:Mine", program=program)
    assert done.returncode == ExitCode.USAGE
    assert str(place) in done.stderr
    assert "Rename" in done.stderr


def test_without_such_packages_nothing_is_said(tmp_path: Path) -> None:
    (tmp_path / "reports").mkdir()  # A folder of files is no package.
    done = process(tmp_path, "list", program=(str(COMMAND),))
    assert done.returncode == ExitCode.OK
    assert done.stderr == ""
