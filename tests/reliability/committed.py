"""Runs of the demo suite, and results committed with it, for the tests of what reads them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
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
    """The run as committed results, with ``cut`` as older ones were: without the rows of some trials."""
    assert shell("reference", str(run), "--out", str(folder)) == ExitCode.OK, shell.err
    if cut:
        as_before(folder)
    return folder


def as_before(folder: Path) -> None:
    """Committed results as they were before values by replicate were kept: rows are left out, and listed."""
    for name in ("cells.parquet", "numbers.json.gz", "manifest.json"):
        (folder / name).unlink()
    verdicts = json.loads((folder / "verdicts.json").read_text())
    del verdicts["manifest"]
    (folder / "verdicts.json").write_text(json.dumps(verdicts))
    units = pq.read_table(folder / "units.parquet")
    last = max(name.rpartition("/")[2] for name in units["__trial__"].to_pylist())
    gone = [name.endswith(f"/{last}") for name in units["__trial__"].to_pylist()]
    omitted = {name for name, out in zip(units["__trial__"].to_pylist(), gone, strict=True) if out}
    pq.write_table(units.filter(pc.invert(pa.array(gone))), folder / "units.parquet")
    (folder / "omitted.json").write_text(json.dumps([f"{name}:main" for name in sorted(omitted)]))


def state(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Content and time of change of everything below a folder."""
    return {
        path.relative_to(folder).as_posix(): (
            path.read_bytes() if path.is_file() else b"",
            path.stat().st_mtime_ns,
        )
        for path in sorted(folder.rglob("*"))
    }
