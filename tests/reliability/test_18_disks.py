"""Disks that are full, or that cannot be written: whole commands on small file systems of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import ExitCode
from harness.store import RunReader, list_runs
from harness.store.reader import read_trials
from tests.reliability.disks import corroborate, on_disk

TRIALS = {f"heavy/t2/{method}/{seed}" for method in ("mean", "trimmed") for seed in range(100, 105)}
RUN = ("run", "demo", "--profile", "smoke", "--engine", "inline", "--runs", "disk/runs")
RESUME = f"if ls disk/runs/*/run.json; then {corroborate(*RUN, '--resume')}; else {corroborate(*RUN)}; fi"


def finished(folder: Path) -> list[str]:
    """The finished trials on a copy of a disk, each as often as it was stored, with rows that can be read."""
    found: list[str] = []
    for run in list_runs(folder / "runs"):
        reader = RunReader(run)
        lines = read_trials(run / "trials.jsonl", reader.damaged)
        found += [line.trial for line in lines if line.kind == "trial"]
        assert reader.damaged == []
        assert all(map(reader.is_whole, found))
    return sorted(found)


@pytest.mark.slow
@pytest.mark.parametrize("size", [f"{kib}k" for kib in (8, 16, 24, 32, 40, 48, 56, 64, 128)])
def test_a_full_disk_ends_a_run_that_goes_on_when_there_is_room(size: str, tmp_path: Path) -> None:
    ended, _, room, again, _ = on_disk(
        tmp_path,
        size,
        corroborate(*RUN),
        "cp -r disk full",
        "mount -o remount,size=64m disk",
        RESUME,
        "cp -r disk after",
    )
    assert ended.code == ExitCode.INFRASTRUCTURE, ended.err
    assert "No space left on device" in ended.err
    assert "Traceback" not in ended.err
    before = finished(tmp_path / "full")
    assert room.code == 0
    assert again.code == ExitCode.OK, again.err
    after = finished(tmp_path / "after")
    assert set(after) == TRIALS
    assert all(after.count(trial) == 1 for trial in before), "nothing that was finished is executed again"


READERS = {
    "verdicts": (),
    "verify": (),
    "controls": (),
    "table": ("t1",),
    "query": ("SELECT count(*) FROM trials",),
    "report": ("--out", "written/report"),
    "bundle": ("--out", "written/bundle.zip"),
    "compare": ("demo",),
    "regress": ("--baseline", "demo"),
}
"""Commands that read a run, with what they are given beside it."""


@pytest.mark.slow
def test_a_store_that_is_read_only_is_read_and_refuses_the_rest(tmp_path: Path) -> None:
    """Run, cache and all: readers answer, and what would write says so before it works."""
    at = ("--runs", "disk/runs")
    readers = [corroborate(name, "demo", *more, *at) for name, more in READERS.items()]
    new = ("run", "demo", "--profile", "smoke", "--engine", "inline", "--fresh", "--no-report")
    home = "CORROBORATE_HOME=disk/home"
    made, _, *rest = on_disk(
        tmp_path,
        "64m",
        f"{home} {corroborate(*new, *at)}",
        "mount -o remount,ro disk",
        *readers,
        corroborate(*new, *at),
        corroborate(*new, *at, "--resume"),
        f"{home} {corroborate(*new, '--runs', 'elsewhere')}",
        f"{home} {corroborate(*new[:3], 'small', *new[4:], '--runs', 'elsewhere')}",
        "find disk -newer said/1.code",
    )
    assert made.code == ExitCode.OK, made.err
    *read, again, resumed, cached, uncached, changed = rest
    for name, done in zip(READERS, read, strict=True):
        assert done.code == ExitCode.OK, (name, done.err, done.out)
    for refused in (again, resumed):
        assert refused.code == ExitCode.INFRASTRUCTURE
        assert "Read-only file system" in refused.err
        assert "10 trials" not in refused.err, "it is said before any work"
    assert cached.code == ExitCode.OK, "what is in the cache serves"
    assert uncached.code == ExitCode.OK, uncached.err
    assert "Read-only file system" in uncached.err, "what is not is left out, and it is said"
    assert changed.out == ""
