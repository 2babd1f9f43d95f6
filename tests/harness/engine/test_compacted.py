"""Runs are compacted at their end, and go on, are judged and are reused as before."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from harness.claims import Profile
from harness.errors import RecordError
from harness.evidence import judge
from harness.store import RunReader, RunWriter, open_run
from harness.store.view import trials_sha256
from harness.suite import Scale
from tests.harness.running import run
from tests.harness.toy import Shrunk, toy_suite, tuned


def places(folder: Path) -> tuple[int, int]:
    return len(list((folder / "units").iterdir())), len(list((folder / "rows").glob("*.parquet")))


def test_a_finished_run_is_compacted(tmp_path: Path) -> None:
    finished, reader, recorder = run(toy_suite(), tmp_path)
    assert places(finished.folder) == (0, 1)
    assert all(reader.is_whole(name) for name in reader.trials)
    assert not [note for note in recorder.notes if "rows" in note]


def test_verdicts_are_the_same_on_both_forms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    suite = toy_suite()
    with monkeypatch.context() as patch:
        patch.setattr(RunWriter, "compact", lambda self: 0)
        loose, reader, _ = run(suite, tmp_path)
    assert places(loose.folder) == (10, 0)
    scale = Scale(profile=Profile.SMALL)
    before = judge(suite, scale, reader)
    with RunWriter(loose.folder) as writer:
        assert writer.compact() == 10
    packed = open_run(loose.folder)
    assert judge(suite, scale, packed) == before
    assert trials_sha256(packed) == before.trials_sha256


def test_a_compacted_run_goes_on(tmp_path: Path) -> None:
    first, reader, _ = run(toy_suite(methods={"mean": Shrunk(), "tuned": tuned()}), tmp_path)
    again, _, _ = run(toy_suite(methods={"mean": Shrunk(), "tuned": tuned()}), tmp_path, resume=first.folder)
    # Tuning is decided again from the packed rows of its trials.
    assert (again.summary.executed, again.summary.reused) == (0, len(reader.trials))
    assert again.summary.failed == again.summary.missing == []


def test_what_is_lost_of_a_pack_is_executed_again(tmp_path: Path) -> None:
    first, reader, _ = run(toy_suite(), tmp_path)
    (pack,) = (first.folder / "rows").iterdir()
    values = {name: reader.table(name, "main")["error"].tolist() for name in reader.trials}
    pack.write_bytes(pack.read_bytes()[:-10])
    again, after, _ = run(toy_suite(), tmp_path, resume=first.folder)
    assert again.summary.executed == 10
    assert {name: after.table(name, "main")["error"].tolist() for name in after.trials} == values


def test_another_run_takes_packed_trials(tmp_path: Path) -> None:
    _, before, _ = run(toy_suite(), tmp_path)
    second, after, _ = run(toy_suite(), tmp_path)
    assert second.summary.reused == 10
    assert places(second.folder) == (0, 1)
    for name, trial in after.trials.items():
        assert trial.rows_sha256 == before.trials[name].rows_sha256


def test_a_pack_that_cannot_be_written_costs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise RecordError("Cannot write e.main: No space left on device")

    monkeypatch.setattr("harness.store.writer.compact", full)
    finished, reader, recorder = run(toy_suite(), tmp_path)
    assert finished.summary.executed == 10
    assert any("one file a trial" in note and "No space left" in note for note in recorder.notes)
    assert all(reader.is_whole(name) for name in reader.trials)
    assert reader.record.ended


def test_readers_of_a_compacted_run_write_nothing(tmp_path: Path) -> None:
    finished, _, _ = run(toy_suite(), tmp_path)
    copy = shutil.copytree(finished.folder, tmp_path / "copy")
    for path in [*copy.rglob("*"), copy]:
        path.chmod(0o500 if path.is_dir() else 0o400)
    before = {path: path.stat().st_mtime_ns for path in copy.rglob("*")}
    reader = RunReader(copy)
    assert all(reader.is_whole(name) for name in reader.trials)
    assert {path: path.stat().st_mtime_ns for path in copy.rglob("*")} == before
