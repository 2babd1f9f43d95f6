"""Runs of the demo suite, and results committed with it, for the tests of what reads them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import ExitCode
from harness.store import list_runs
from tests.harness.cli import demo
from tests.harness.cli.conftest import Shell

RUN = ("run", "demo", "--engine", "inline", "--no-report")


def own_suite_folder(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let the demo suite's committed results lie in a folder of the test."""
    monkeypatch.setattr(demo, "SUITE", replace(demo.SUITE, folder=folder))


def finished(shell: Shell, *options: str) -> Path:
    """A new run of the demo suite."""
    before = set(list_runs(Path("runs")))
    assert shell(*RUN, *options) == ExitCode.OK, shell.err
    (made,) = set(list_runs(Path("runs"))) - before
    return made.absolute()


def committed(shell: Shell, run: Path, folder: Path, *, cut: bool = False) -> Path:
    """The run as committed results, with ``cut`` without the rows of some trials."""
    assert shell("reference", str(run), "--out", str(folder)) == ExitCode.OK, shell.err
    if cut:
        size = sum(path.stat().st_size for path in folder.iterdir())
        limit = str((size - 100) / 1e6)
        assert shell("reference", str(run), "--out", str(folder), "--limit-mb", limit) == ExitCode.OK
        assert (folder / "omitted.json").is_file()
    return folder


def state(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Content and time of change of everything below a folder."""
    return {
        path.relative_to(folder).as_posix(): (
            path.read_bytes() if path.is_file() else b"",
            path.stat().st_mtime_ns,
        )
        for path in sorted(folder.rglob("*"))
    }
