from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness import cuda, provenance


@pytest.fixture(autouse=True)
def _fresh() -> None:
    cuda._driver.cache_clear()


def test_provenance_says_what_a_run_was_made_with() -> None:
    found = provenance.collect(["/somewhere/bin/corroborate", "run", "demo"])
    assert found.command == ["corroborate", "run", "demo"]
    assert found.packages["numpy"]
    assert found.cores >= 1
    assert found.memory_gb > 0
    assert found.python == ".".join(map(str, sys.version_info[:3]))


def test_provenance_names_the_commit_and_changes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def git(*arguments: str) -> str:
        identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        command = ["git", "-C", str(tmp_path), *identity, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    monkeypatch.setattr(provenance, "_repository", lambda: tmp_path)
    git("init", "-q")
    (tmp_path / "constraints.txt").write_text("numpy==2.0\n")
    results = tmp_path / "suites" / "demo" / "reference" / "small" / "verdicts.json"
    results.parent.mkdir(parents=True)
    results.write_text("{}")
    (results.parents[2] / "claims.py").write_text("")
    git("add", ".")
    git("commit", "-qm", "one")
    clean = provenance.collect([])
    assert (clean.commit, clean.dirty) == (git("rev-parse", "HEAD"), False)
    results.write_text("[]")
    (results.parent / "cells.parquet").write_bytes(b"new")
    assert provenance.collect([]).dirty is False  # Results are no code.
    (results.parents[2] / "claims.py").write_text("RULES = {}")
    assert provenance.collect([]).dirty
    (results.parents[2] / "claims.py").write_text("")
    (tmp_path / "constraints.txt").write_text("numpy==2.1\n")
    changed = provenance.collect([])
    assert changed.dirty
    assert changed.lock_sha256 != clean.lock_sha256


def test_without_git_or_a_driver_the_fields_are_empty(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    found = provenance.collect([])
    assert (found.commit, found.gpu, found.driver) == ("", "", "")


def test_the_environment_key_tells_environments_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    key = provenance.environment_key("cpu", 2)
    assert key == provenance.environment_key("cpu", 2)
    assert key != provenance.environment_key("cpu", 1)
    monkeypatch.setattr(provenance, "package_version", lambda name: "99.0" if name == "torch" else "1")
    assert "torch 99.0" in provenance.environment_key("cpu", 2)
    assert provenance.environment_key("cpu", 2) != key


def test_collecting_is_fast_and_imports_no_torch() -> None:
    code = (
        "import sys; from harness.provenance import *\n"
        "collect([]); environment_key('cpu'); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    provenance.collect([])
    times = []
    for _ in range(5):
        start = time.process_time()
        provenance.collect([])
        times.append(time.process_time() - start)
    assert min(times) < 0.1
