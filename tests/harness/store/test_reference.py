"""Committed results hold what fits, say what does not, and read like a run."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from harness.errors import RecordError
from harness.store import RunWriter, open_run, write_reference
from harness.store.records import VerdictsRecord
from tests.harness.running import run
from tests.harness.toy import Noisy, Shrunk, toy_suite


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    """A run with verdicts (none of them), whose trials have one or two parts."""
    done, reader, _ = run(toy_suite(methods={"noisy": Noisy(), "mean": Shrunk()}), tmp_path)
    with RunWriter(done.folder) as writer:
        writer.verdicts(VerdictsRecord(run=reader.record.run, suite="toy", profile="small", verdicts=[]))
    return done.folder


def test_committed_results_read_like_the_run(finished: Path, tmp_path: Path) -> None:
    before = open_run(finished)
    folder = tmp_path / "reference/small"
    assert write_reference(before, folder) == []
    after = open_run(folder)
    assert after.record == before.record
    assert after.verdicts == before.verdicts
    assert after.trials == before.trials
    for trial, record in before.trials.items():
        for part in record.parts:
            one, two = before.table(trial, part), after.table(trial, part)
            assert one.keys() == two.keys()
            assert all(np.array_equal(one[name], two[name]) for name in one)


def test_what_does_not_fit_is_listed_and_refused(finished: Path, tmp_path: Path) -> None:
    folder = tmp_path / "reference/small"
    reader = open_run(finished)
    write_reference(reader, folder)
    whole = sum(path.stat().st_size for path in folder.iterdir())
    omitted = write_reference(reader, folder, limit_mb=(whole - 100) / 1e6)
    assert omitted
    assert json.loads((folder / "omitted.json").read_text()) == omitted
    assert sum(path.stat().st_size for path in folder.iterdir()) <= whole - 100
    trial, _, part = omitted[0].partition(":")
    with pytest.raises(RecordError, match="not among the committed results"):
        open_run(folder).table(trial, part)
    with pytest.raises(RecordError, match="too large"):
        write_reference(reader, folder, limit_mb=0.001)


def test_folders_of_the_machine_are_not_committed(finished: Path, tmp_path: Path) -> None:
    written = finished / "run.json"
    run_json = json.loads(written.read_text())
    run_json["provenance"]["command"] = ["corroborate", "run", "toy", "--runs", "/a/b", "--bind", "x=/c/d"]
    written.write_text(json.dumps(run_json))
    write_reference(open_run(finished), tmp_path / "reference")
    kept = open_run(tmp_path / "reference").record.provenance.command
    assert kept == ["corroborate", "run", "toy", "--runs", "b", "--bind", "x=d"]


def test_a_run_without_verdicts_is_refused(tmp_path: Path) -> None:
    _, reader, _ = run(toy_suite(seeds=(100,)), tmp_path)
    with pytest.raises(RecordError, match="no verdicts"):
        write_reference(reader, tmp_path / "reference")


def test_types_of_a_part_may_differ_between_trials(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = open_run(finished)
    names = [name for name, record in sorted(reader.trials.items()) if record.parts][:3]
    ids = ([1, 2], ["a", "b"], [True, False])
    tables = {
        name: {"unit_id": np.array(own), "score": np.ones(2)} for name, own in zip(names, ids, strict=True)
    }
    original = type(reader).table

    def table(self: object, trial: str, part: str) -> object:
        return tables[trial] if trial in tables else original(reader, trial, part)

    monkeypatch.setattr(type(reader), "table", table)
    folder = tmp_path / "reference/small"
    write_reference(reader, folder)
    monkeypatch.undo()
    after = open_run(folder)
    for name, own in tables.items():
        part = reader.trials[name].parts[0]
        assert after.table(name, part)["unit_id"].tolist() == own["unit_id"].tolist()
