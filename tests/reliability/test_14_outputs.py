"""A place that cannot be written is refused before the work, and never costs results that are there."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from harness.errors import ExitCode
from harness.store import list_runs
from tests.reliability.toys_cli import RUN, Shell, demo_shell

REPORTED = RUN[:-1]
"""As :data:`RUN`, with a report."""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One run of ``demo``, to be copied."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("outputs")
        for name in [name for name in os.environ if name.startswith("CORROBORATE_")]:
            patch.delenv(name)
        patch.setenv("CORROBORATE_HOME", str(folder / "home"))
        shell = demo_shell(Silent(), patch, folder)  # type: ignore[arg-type]
        assert shell(*RUN) == ExitCode.OK
    return folder / "runs"


class Silent:
    """In the place of what captures output, which a fixture of a module cannot have."""

    def readouterr(self) -> Silent:
        return self

    out = err = ""


@pytest.fixture
def shell(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, runs: Path
) -> Shell:
    """A shell with a run, a file called ``file`` and a folder called ``folder``."""
    shutil.copytree(runs, tmp_path / "runs")
    (tmp_path / "file").write_text("kept")
    (tmp_path / "folder").mkdir()
    return demo_shell(capsys, monkeypatch, tmp_path)


@pytest.mark.parametrize(
    "arguments",
    [
        ("table", "demo", "t1", "--out", "folder"),
        ("table", "demo", "t1", "--out", "file/t1.tex"),
        ("report", "demo", "--out", "file"),
        ("report", "demo", "--out", "file/report"),
        ("regress", "demo", "--baseline", "demo", "--junit", "folder"),
        ("regress", "demo", "--baseline", "demo", "--junit", "file/junit.xml"),
        ("reference", "demo", "--out", "file"),
        ("reference", "demo", "--out", "file/small"),
        ("rehearse", "demo", "--profile", "gpu", "--json", "folder"),
        ("mirror", "file", "--suite", "demo"),
        ("convert", "--from", "folder", "--to", "file/model"),
    ],
)
def test_a_place_that_cannot_be_written_is_a_usage_error(shell: Shell, arguments: tuple[str, ...]) -> None:
    assert shell(*arguments) == ExitCode.USAGE, shell.err
    assert arguments[-1].partition("/")[0] in shell.err or "mirror" in arguments
    assert "Traceback" not in shell.err
    assert Path("file").read_text() == "kept"
    assert not any(Path("folder").iterdir())


def test_folders_on_the_way_are_made(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reports.render_table", lambda *given, **named: "rows\n", raising=False)
    assert shell("table", "demo", "t1", "--out", "new/deep/t1.tex") == ExitCode.OK
    assert Path("new/deep/t1.tex").read_text() == "rows\n"
    assert shell("regress", "demo", "--baseline", "demo", "--junit", "other/junit.xml") == ExitCode.OK
    assert Path("other/junit.xml").is_file()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full disk here")
def test_a_full_disk_is_told_as_one(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reports.render_table", lambda *given, **named: "rows\n", raising=False)
    assert shell("table", "demo", "t1", "--out", "/dev/full") == ExitCode.INFRASTRUCTURE
    assert "No space left" in shell.err
    assert "Traceback" not in shell.err
    assert shell("regress", "demo", "--baseline", "demo", "--junit", "/dev/full") == ExitCode.INFRASTRUCTURE
    assert "No space left" in shell.err
    assert "\nsame: " in shell.out, "the answer itself is told"


@pytest.mark.parametrize("place", ["nowhere/summary.md", "folder", "file/summary.md"])
def test_a_summary_that_cannot_be_written_is_a_note(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(Path(place).absolute()))
    assert shell(*REPORTED) == ExitCode.OK, shell.err
    assert "GITHUB_STEP_SUMMARY" in shell.err
    assert "report: " in shell.out


def test_a_report_that_cannot_be_written_leaves_the_run(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*given: object, **named: object) -> None:
        raise OSError(28, os.strerror(28), "report/index.html")

    monkeypatch.setattr("reports.write_report", full, raising=False)
    assert shell(*REPORTED) == ExitCode.INFRASTRUCTURE
    assert "No space left on device (report/index.html)" in shell.err
    assert "Traceback" not in shell.err
    assert (list_runs(Path("runs"))[-1] / "verdicts.json").is_file()


@pytest.mark.parametrize("home", ["file", "file/cache"])
def test_a_cache_that_is_a_file_is_told_as_one(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, home: str
) -> None:
    monkeypatch.setenv("CORROBORATE_HOME", str(Path(home).absolute()))
    assert shell(*RUN, "--fresh") == ExitCode.INFRASTRUCTURE
    assert "fault of corroborate" not in shell.err
    assert "Traceback" not in shell.err
    assert "file" in shell.err


def test_without_a_folder_for_temporary_files_it_is_named(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setattr("tempfile._candidate_tempdir_list", lambda: [str(tmp_path / "nowhere")])
    assert shell(*RUN, "--fresh") == ExitCode.INFRASTRUCTURE
    assert "TMPDIR" in shell.err
    assert "Traceback" not in shell.err


def test_a_user_without_a_home_folder_gets_one(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("HOME", "USER", "LOGNAME", "LNAME", "USERNAME", "XDG_CACHE_HOME", "CORROBORATE_HOME"):
        monkeypatch.setenv(name, "")  # Remembers what was there.
        monkeypatch.delenv(name)

    def nobody(user: int) -> None:
        raise KeyError(user)

    monkeypatch.setattr("pwd.getpwuid", nobody)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "folder"))
    assert shell("doctor", "demo", "--profile", "small") == ExitCode.OK, shell.err
    assert "no home folder" in shell.err
    assert str(tmp_path / "folder") in shell.out
    assert shell(*RUN, "--fresh") == ExitCode.OK, shell.err
    assert not Path("~").exists()
