"""A name means the run that its record says, not whichever begins alike."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.errors import CorroborateError, UsageError
from harness.store import find_run


def made(runs: Path, folder: str, suite: str, profile: str, created: str) -> Path:
    path = runs / folder
    path.mkdir(parents=True)
    record = {"run": folder, "suite": suite, "profile": profile, "provenance": {"created": created}}
    (path / "run.json").write_text(json.dumps(record))
    return path


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Runs of suites whose names begin alike; those of 2026 are newer."""
    made(tmp_path, "robust-small-20250101-000000", "robust", "small", "2025-01-01T00:00:00+00:00")
    made(tmp_path, "robust-smoke-20250102-000000", "robust", "smoke", "2025-01-02T00:00:00+00:00")
    made(tmp_path, "robust-2026-small-20260101-000000", "robust-2026", "small", "2026-01-01T00:00:00+00:00")
    made(tmp_path, "robust-small-gpu-20260102-000000", "robust-small", "gpu", "2026-01-02T00:00:00+00:00")
    made(tmp_path, "kept", "renamed", "small", "2026-01-03T00:00:00+00:00")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("robust", "robust-smoke-20250102-000000"),
        ("robust-smoke", "robust-smoke-20250102-000000"),
        ("robust-smoke-20250102", "robust-smoke-20250102-000000"),
        ("robust-2026", "robust-2026-small-20260101-000000"),
        ("robust-2026-small", "robust-2026-small-20260101-000000"),
        ("robust-small", "robust-small-gpu-20260102-000000"),
        ("robust-small-gpu", "robust-small-gpu-20260102-000000"),
        ("robust-small-20250101", "robust-small-20250101-000000"),
        ("renamed", "kept"),
        ("renamed-small", "kept"),
        ("kept", "kept"),
    ],
)
def test_a_name_means_its_suite(runs: Path, name: str, found: str) -> None:
    assert find_run(name, runs).name == found


@pytest.mark.parametrize("name", ["rob", "robust-20", "robust-gpu", "robust-2026-gpu"])
def test_the_beginning_of_another_name_means_nothing(runs: Path, name: str) -> None:
    with pytest.raises(UsageError):
        find_run(name, runs)


def test_a_suite_without_runs_does_not_take_those_of_another(tmp_path: Path) -> None:
    made(tmp_path, "robust-2026-small-20260101-000000", "robust-2026", "small", "2026-01-01T00:00:00+00:00")
    with pytest.raises(CorroborateError, match="robust-2026-small"):
        find_run("robust", tmp_path)


def test_a_run_that_cannot_be_read_is_found_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "robust-2026-small-20260101-000000-2"
    path.mkdir()
    (path / "run.json").write_text("{")
    for name in ("robust-2026", "robust-2026-small", path.name, str(path)):
        assert find_run(name, tmp_path) == path
    with pytest.raises(UsageError):
        find_run("robust", tmp_path)
