"""Only what the product wrote, and can prove to be its own, is removed or written over."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from harness.errors import ExitCode, ResourceError
from harness.method.references import HubSource
from harness.resources import Resolver
from tests.harness.cli import conftest
from tests.harness.cli.conftest import Shell
from tests.harness.cli.demo import NUMBERS
from tests.reliability.committed import committed, finished, own_suite_folder, state

shell = conftest.shell


@pytest.fixture
def run(shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    own_suite_folder(monkeypatch, tmp_path / "suite")
    return finished(shell)


def written(path: Path, text: str = "mine") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.mark.parametrize("name", ["notes.txt", "run.json", "units.parquet", "folder/notes.txt"])
def test_a_folder_of_others_does_not_become_committed_results(
    shell: Shell, run: Path, tmp_path: Path, name: str
) -> None:
    written(tmp_path / "mine" / name)
    before = state(tmp_path / "mine")
    assert shell("reference", str(run), "--out", "mine") == ExitCode.USAGE
    assert "nothing was changed" in shell.err
    assert state(tmp_path / "mine") == before


def test_neither_a_run_nor_results_of_another_suite_become_committed_results(
    shell: Shell, run: Path, tmp_path: Path
) -> None:
    other = committed(shell, run, tmp_path / "other")
    record = json.loads((other / "run.json").read_text())
    (other / "run.json").write_text(json.dumps(record | {"suite": "another"}))
    for folder in (other, run):
        before = state(folder)
        assert shell("reference", str(run), "--out", str(folder)) == ExitCode.USAGE
        assert state(folder) == before


def test_a_file_beside_committed_results_is_not_lost(shell: Shell, run: Path, tmp_path: Path) -> None:
    folder = committed(shell, run, tmp_path / "reference")
    written(folder / "README.md")
    before = state(folder)
    assert shell("reference", str(run), "--out", str(folder)) == ExitCode.USAGE
    assert "README.md" in shell.err
    assert state(folder) == before


@pytest.mark.parametrize("option", [["--unused"], ["--older-than", "1h"]])
def test_a_cache_in_a_folder_of_others_is_pruned_of_its_own_only(
    shell: Shell, run: Path, option: list[str]
) -> None:
    home = Path(os.environ["CORROBORATE_HOME"])
    theirs = [
        written(home / "artifacts" / "thesis" / "chapter.tex"),
        written(home / "artifacts" / "model-0123456789abcdef-01234567" / "artifact.json", "{}"),
        written(home / "artifacts" / "site" / "artifact.json", '{"fingerprint": "0123456789abcdef"}'),
        written(home / "artifacts" / ".cache" / "state"),
        written(home / "resources" / "images" / "summer" / "a.png"),
        written(home / "resources" / "images" / "winter.partial" / "a.png"),
        written(home / "resources" / "images" / "0123456789ab" / "a.png"),
        written(home / "resources" / "images" / "0123456789ab.partial" / "a.png"),
        written(home / "resources" / "texts" / "0123456789ab" / "source.json", '{"name": "texts"}'),
    ]
    ours = [
        Resolver({}, frozenset(), home, None).path(NUMBERS).parent,
        next((home / "artifacts").glob("offset-*-*")),
    ]
    interrupted = written(ours[0].with_name(f"{ours[0].name}.partial") / "files" / "test.jsonl.gz")
    building = written(home / "artifacts" / f".{ours[1].name}.building" / "offset")
    for path in home.rglob("*"):
        os.utime(path, (1, 1))
    assert shell("cache", "show") == ExitCode.OK
    assert "4 entries" in shell.out
    assert shell("cache", "prune", *option) == ExitCode.OK
    assert [path for path in theirs if not path.exists()] == []
    assert not interrupted.exists()
    assert not building.exists()
    assert [path.exists() for path in ours] == [option == ["--unused"]] * 2


@pytest.mark.parametrize("content", ['{"thesis": "a"}', "mine"])
def test_files_of_others_in_the_folder_of_the_cache_are_left_alone(
    shell: Shell, content: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("harness.resources.hashing._SETTLED_S", -1.0)
    home = Path(os.environ["CORROBORATE_HOME"])
    names = ("hashes.json", "licences.json", "hub-lock.json")
    theirs = [written(home / name, content) for name in names]
    assert shell("plan", "demo", "--accept-licence", "terms") == ExitCode.INFRASTRUCTURE
    assert "CORROBORATE_HOME" in shell.err
    resolver = Resolver({}, frozenset(), home, None)
    for _ in range(2):
        assert resolver.path(NUMBERS).is_dir()
    with pytest.raises(ResourceError, match="CORROBORATE_HOME"):
        resolver.lock.commit(HubSource("some/model", revision="main"))
    assert [path.read_text() for path in theirs] == [content] * 3


def test_a_mirror_takes_no_place_of_others(shell: Shell, tmp_path: Path) -> None:
    theirs = [
        written(tmp_path / "numbers" / "thesis.txt"),
        written(tmp_path / ".numbers.partial" / "draft.txt"),
        written(tmp_path / "README.md"),
    ]
    assert shell("mirror", str(tmp_path)) == ExitCode.INFRASTRUCTURE
    assert "did not make" in shell.out
    assert [path.read_text() for path in theirs] == ["mine"] * 3
    for folder in ("numbers", ".numbers.partial"):
        (tmp_path / folder).rename(tmp_path / f"{folder}-moved")
    for _ in range(2):
        assert shell("mirror", str(tmp_path)) == ExitCode.OK
    assert (tmp_path / "README.md").read_text() == "mine"
    assert (tmp_path / "numbers" / "test.jsonl.gz").is_file()


@pytest.mark.parametrize("name", ["index.html", "report.md", "csv/t1.csv"])
def test_a_report_does_not_write_over_files_of_others(
    shell: Shell, run: Path, tmp_path: Path, name: str
) -> None:
    path = written(tmp_path / "site" / name)
    assert shell("report", str(run), "--out", "site") == ExitCode.USAGE
    assert name in shell.err
    assert path.read_text() == "mine"
    path.unlink()
    for _ in range(2):
        assert shell("report", str(run), "--out", "site") == ExitCode.OK, shell.err


def test_the_index_does_not_write_over_a_page_of_others(shell: Shell, run: Path, tmp_path: Path) -> None:
    page = written(tmp_path / "runs" / "index.html", "<p>mine</p>")
    assert shell("report", "--index") == ExitCode.USAGE
    assert page.read_text() == "<p>mine</p>"
    page.unlink()
    for _ in range(2):
        assert shell("report", "--index") == ExitCode.OK
