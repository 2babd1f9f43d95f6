"""A run's commit is what git says of the code's own repository; what git does not say is unknown."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness import provenance
from harness.evidence.compare import differences
from harness.store import open_run
from harness.store.records import Provenance
from reports import write_index
from tests.harness.running import run
from tests.harness.toy import toy_suite


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def repository(folder: Path, name: str = "own") -> Path:
    """A repository with one commit and no changes."""
    place = folder / name
    place.mkdir()
    git(place, "init", "-q")
    (place / "file.txt").write_text(name)
    git(place, "add", ".")
    git(place, "commit", "-qm", "one")
    return place


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    found = repository(tmp_path)
    monkeypatch.setattr(provenance, "_repository", lambda: found)
    return found


def fake_git(monkeypatch: pytest.MonkeyPatch, folder: Path, script: str) -> None:
    """Put a program called git before the true one, which the script knows as ``$GIT``."""
    true = subprocess.run(["which", "git"], check=True, capture_output=True, text=True).stdout.strip()
    tools = folder / "tools"
    tools.mkdir()
    (tools / "git").write_text(f"#!/bin/sh\nGIT={true}\n{script}\n")
    (tools / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")


STATUS = 'case "$*" in *porcelain*) {answer};; *) exec "$GIT" "$@";; esac'


@pytest.mark.parametrize("answer", ["sleep 20", "exit 128"])
def test_a_status_that_is_slow_or_fails_is_not_clean(
    own: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: str
) -> None:
    monkeypatch.setattr(provenance, "_GIT_TIMEOUT_S", 1.0)
    fake_git(monkeypatch, tmp_path, STATUS.format(answer=answer))
    (own / "file.txt").write_text("changed")
    found = provenance.collect([])
    assert found.commit == git(own, "rev-parse", "HEAD")
    assert found.dirty is None


@pytest.mark.parametrize("script", ["echo refused >&2; exit 128", "exec /nowhere/git"])
def test_a_repository_that_git_refuses_is_unknown(
    own: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str
) -> None:
    fake_git(monkeypatch, tmp_path, script)
    found = provenance.collect([])
    assert (found.commit, found.dirty) == ("", None)


def test_without_git_a_checkout_is_unknown(
    own: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert provenance.collect([]).dirty is None


def test_outside_a_repository_there_are_no_changes_to_know_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provenance, "_repository", lambda: None)
    found = provenance.collect([])
    assert (found.commit, found.dirty) == ("", False)


def test_another_projects_repository_is_not_taken_for_ours(
    own: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = repository(tmp_path, "other")
    (other / "file.txt").write_text("changed")
    # As git sets them for its hooks, and some servers for their jobs.
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    monkeypatch.chdir(other)
    found = provenance.collect([])
    monkeypatch.delenv("GIT_DIR")
    monkeypatch.delenv("GIT_WORK_TREE")
    assert (found.commit, found.dirty) == (git(own, "rev-parse", "HEAD"), False)


def test_asking_writes_nothing_into_the_repository(own: Path) -> None:
    index = own / ".git" / "index"
    os.utime(own / "file.txt", (1, 1))  # Git would like to note that the file is still the same.
    before = index.read_bytes()
    assert provenance.collect([]).dirty is False
    assert index.read_bytes() == before


def test_readers_are_told_that_changes_are_unknown(
    own: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    known, _, _ = run(toy_suite(), tmp_path)
    fake_git(monkeypatch, tmp_path, STATUS.format(answer="exit 128"))
    unknown, view, _ = run(toy_suite(), tmp_path)
    assert json.loads((unknown.folder / "run.json").read_text())["provenance"]["dirty"] is None
    (commit,) = [item for item in differences(open_run(known.folder), view) if item.field == "commit"]
    assert "unknown" in commit.right
    assert "unknown" not in commit.left
    page = write_index(tmp_path / "runs").read_text(encoding="utf-8")
    assert page.count("local changes unknown") == 1


def test_records_from_before_say_what_they_said() -> None:
    for dirty in (True, False):
        old: dict[str, object] = {
            "created": "now",
            "command": [],
            "corroborate": "0",
            "commit": "c" * 40,
            "dirty": dirty,
        }
        assert Provenance.model_validate_json(json.dumps(old)).dirty is dirty


def test_names_of_files_in_another_encoding_are_no_fault(own: Path) -> None:
    git(own, "config", "core.quotepath", "false")
    (own / "é.txt").write_text("new")
    code = f"""
from pathlib import Path
from harness import provenance
provenance._repository = lambda: Path({str(own)!r})
print(provenance.collect([]).dirty)
"""
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **plain}, check=False)
    assert done.stdout == "True\n", done.stderr
