"""Committed results hold what fits, say what does not, and read like a run."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from harness.errors import OmittedRowsError, RecordError
from harness.store import RunReader, RunWriter, open_run
from harness.store.packing import Reading
from harness.store.records import VerdictsRecord
from harness.store.reference import PackedRun, packed_run
from harness.store.replace import replace_folder
from tests.harness.running import run
from tests.harness.toy import Noisy, Shrunk, toy_suite


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    """A run with verdicts (none of them), whose trials have one or two parts."""
    done, reader, _ = run(toy_suite(methods={"noisy": Noisy(), "mean": Shrunk()}), tmp_path)
    with RunWriter(done.folder) as writer:
        writer.verdicts(VerdictsRecord(run=reader.record.run, suite="toy", profile="small", verdicts=[]))
    return done.folder


def everything(reader: RunReader) -> Reading:
    """All columns of all rows, as if each were read one by one."""
    sets = [(name, part) for name, record in reader.trials.items() for part in record.parts]
    return Reading(needed={place: frozenset(reader.table(*place)) for place in sets})


def write(
    reader: RunReader, folder: Path, reading: Reading | None = None, limit_mb: float = 1.0
) -> PackedRun:
    assert reader.verdicts is not None
    packed = packed_run(reader, reading or everything(reader), reader.verdicts, limit_mb=limit_mb)
    replace_folder(folder, packed.files)
    return packed


def test_committed_results_read_like_the_run(finished: Path, tmp_path: Path) -> None:
    before = open_run(finished)
    folder = tmp_path / "reference/small"
    assert write(before, folder).without == ()
    after = open_run(folder)
    assert after.record == before.record
    assert after.verdicts == before.verdicts
    assert after.trials == before.trials
    for trial, record in before.trials.items():
        for part in record.parts:
            one, two = before.table(trial, part), after.table(trial, part)
            assert one.keys() == two.keys()
            assert all(np.array_equal(one[name], two[name]) for name in one)


def test_columns_and_parts_that_nothing_reads_are_left_out(finished: Path, tmp_path: Path) -> None:
    reader = open_run(finished)
    first, *others = sorted(place for place in everything(reader).needed)
    write(reader, tmp_path / "reference", Reading(needed={first: frozenset()}))
    after = open_run(tmp_path / "reference")
    assert set(after.table(*first)) == set(reader.table(*first)) & {"unit_id", "arm", "block", "step"}
    with pytest.raises(OmittedRowsError, match="Rows left out"):
        after.table(*others[0])


def test_rows_are_kept_as_far_as_there_is_room_and_needed_ones_always(finished: Path, tmp_path: Path) -> None:
    reader = open_run(finished)
    whole = write(reader, tmp_path / "reference").size
    sets = everything(reader).needed
    seeds = sorted({reader.trials[trial].seed for trial, _ in sets})
    useful = write(reader, tmp_path / "reference", Reading(useful=sets), limit_mb=(whole - 500) / 1e6)
    assert 0 < len(useful.without) < len(sets)
    assert useful.size <= whole - 500
    # Earlier seeds come first, so that what is left out is of the last ones.
    assert {reader.trials[trial].seed for trial, _ in useful.without} <= set(seeds[1:])
    with pytest.raises(RecordError, match="are allowed"):
        write(reader, tmp_path / "reference", limit_mb=(whole - 500) / 1e6)


def test_folders_of_the_machine_are_not_committed(finished: Path, tmp_path: Path) -> None:
    written = finished / "run.json"
    run_json = json.loads(written.read_text())
    run_json["provenance"]["command"] = ["corroborate", "run", "toy", "--runs", "/a/b", "--bind", "x=/c/d"]
    written.write_text(json.dumps(run_json))
    write(open_run(finished), tmp_path / "reference")
    kept = open_run(tmp_path / "reference").record.provenance.command
    assert kept == ["corroborate", "run", "toy", "--runs", "b", "--bind", "x=d"]


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
    write(reader, folder)
    monkeypatch.undo()
    after = open_run(folder)
    for name, own in tables.items():
        part = reader.trials[name].parts[0]
        assert after.table(name, part)["unit_id"].tolist() == own["unit_id"].tolist()
