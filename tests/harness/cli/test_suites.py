from __future__ import annotations

import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from harness.cli import suites
from harness.errors import ExitCode, SuiteError, UsageError
from tests.harness.cli.conftest import Shell
from tests.harness.cli.demo import SUITE, Trimmed

pytestmark = pytest.mark.usefixtures("shell")


def install(monkeypatch: pytest.MonkeyPatch, name: str, target: str) -> None:
    point = EntryPoint(name, target, suites.SUITE_GROUP)
    monkeypatch.setattr(suites, "_points", lambda group: {name: point})


def test_a_suite_is_found_by_its_name() -> None:
    assert suites.suite_names() == ["demo"]
    assert suites.load_suite("demo").paper is SUITE.paper


def test_an_unknown_suite_gives_the_nearest(shell: Shell) -> None:
    assert shell("list", "dmo") == ExitCode.USAGE
    assert "Did you mean demo" in shell.err


@pytest.mark.parametrize("target", ["tests.harness.cli.absent:SUITE", "tests.harness.cli.demo:ABSENT"])
def test_a_suite_that_cannot_be_imported_is_named(monkeypatch: pytest.MonkeyPatch, target: str) -> None:
    install(monkeypatch, "broken", target)
    with pytest.raises(SuiteError, match=target):
        suites.load_suite("broken")


def test_an_entry_point_that_is_no_suite_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, "broken", "tests.harness.cli.demo:Trimmed")
    with pytest.raises(SuiteError, match="not a Suite"):
        suites.load_suite("broken")


def test_methods_are_found_by_name_and_by_path() -> None:
    assert suites.method_class("guest") is Trimmed
    assert suites.method_class("tests.harness.cli.demo:Trimmed") is Trimmed


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("gest", "Did you mean guest"),
        ("no.such.module:Class", "cannot be imported"),
        ("tests.harness.cli.demo:Absent", "cannot be imported"),
        ("tests.harness.cli.demo:SUITE", "not a Method"),
        ("tests.harness.cli.demo:Centres", "not a Method"),
    ],
)
def test_wrong_methods_are_explained(name: str, part: str) -> None:
    with pytest.raises(UsageError, match=part):
        suites.method_class(name)


def test_list_shows_what_a_suite_declares(shell: Shell) -> None:
    assert shell("list", "demo", "--profile", "smoke") == ExitCode.OK
    for part in [
        "Trimming Helps",
        "heavy",
        "1 task, 2 methods, 5 seeds",
        "C1",
        "Direction",
        "not run",
        "t1",
    ]:
        assert part in shell.out
    assert shell("list", "demo", "--profile", "smok") == ExitCode.USAGE
    assert "smoke" in shell.err


def test_a_suite_that_is_declared_here_and_not_installed_is_told_apart(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    declared = '[project.entry-points."corroborate.suites"]\nfresh = "suites.fresh:SUITE"\n'
    (tmp_path / "pyproject.toml").write_text(declared)
    (tmp_path / "inside").mkdir()
    monkeypatch.chdir(tmp_path / "inside")
    assert shell("list", "fresh") == ExitCode.USAGE
    assert "pip install -e" in shell.err
    assert str(tmp_path / "pyproject.toml") in shell.err
    assert shell("list", "stale") == ExitCode.USAGE
    assert "Unknown suite" in shell.err


def test_a_method_in_the_current_folder_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.path", list(sys.path))
    Path("own_method_here.py").write_text("from tests.harness.cli.demo import Trimmed\n")
    assert suites.method_class("own_method_here:Trimmed") is Trimmed


def test_list_without_a_name_shows_titles_without_importing(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "sample_suite_package"
    folder.mkdir()
    (folder / "__init__.py").write_text("raise RuntimeError('imported')\n")
    (folder / "paper.toml").write_text('title = "A Title"\narxiv = "1234.5678"\n')
    monkeypatch.syspath_prepend(str(folder.parent))
    install(monkeypatch, "sample", "sample_suite_package:SUITE")
    assert shell("list") == ExitCode.OK
    assert "A Title" in shell.out
    assert "1234.5678" in shell.out
