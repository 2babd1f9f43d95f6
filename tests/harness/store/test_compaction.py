"""Compacted runs: the same rows in few files, whatever happens on the way."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import RecordError
from harness.method import Scores
from harness.store import RunReader, RunWriter, packs
from harness.store.content import content_of, rows_hash
from harness.store.records import TrialRecord
from harness.store.units import encode
from tests.harness.store.test_store import run_record

KILLED = 9


def record(experiment: str, method: str, seed: int) -> TrialRecord:
    return TrialRecord(
        trial=f"{experiment}/t/{method}/{seed}",
        status="ok",
        experiment=experiment,
        task="t",
        method=method,
        seed=seed,
        fingerprint="f",
        environment="e",
    )


def scores(seed: int, rows: int = 4) -> Any:
    draw = np.random.default_rng(seed)
    ids = [f"ü{number}" for number in range(rows)]
    return {
        "main": {"unit_id": ids, "error": draw.normal(size=rows), "hit": draw.random(rows) < 0.5},
        "held/out": {"unit_id": ids[:2], "text": ["a\0b", None], "n": np.array([seed, -1], dtype=np.int32)},
        "none": {"unit_id": np.array([], dtype=np.int64), "error": np.array([], dtype=np.float32)},
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run of two experiments; one method of the second gives whole numbers where others do not."""
    made = tmp_path / "toy-small-1"
    with RunWriter(made) as writer:
        writer.start(run_record(made))
        for seed in (100, 101, 102):
            writer.append(record("e", "m", seed), Scores(scores(seed)))
            writer.append(record("e", "n", seed), Scores(scores(seed + 50, rows=7)))
            for method, value in (("whole", 0), ("real", 0.5)):
                table: dict[str, Any] = {"unit_id": [1, 2], "error": [seed + value, value]}
                writer.append(record("f", method, seed), Scores({"main": table}))
        writer.append(record("f", "broken", 100).model_copy(update={"status": "failed"}))
    return made


def compacted(folder: Path) -> int:
    with RunWriter(folder) as writer:
        return writer.compact()


def contents(folder: Path) -> dict[tuple[str, str], Any]:
    """All rows of a run, with types, as a fresh reader gives them."""
    reader = RunReader(folder)
    found: dict[tuple[str, str], Any] = {}
    for name, trial in reader.trials.items():
        for part in trial.parts:
            table = reader.table(name, part)
            found[name, part] = {
                key: (str(column.dtype), repr(column.tolist())) for key, column in table.items()
            }
    return found


def files(folder: Path) -> tuple[int, int]:
    return len(list((folder / "units").iterdir())), len(list((folder / "rows").glob("*")))


def test_readers_give_the_same_rows_of_both_forms(folder: Path) -> None:
    before = contents(folder)
    lines = (folder / "trials.jsonl").read_bytes()
    assert compacted(folder) == 12
    # Two experiments; three parts of one, and two types of column in the other.
    assert files(folder) == (0, 5)
    assert contents(folder) == before
    assert (folder / "trials.jsonl").read_bytes() == lines
    reader = RunReader(folder)
    assert all(reader.is_whole(name) for name, trial in reader.trials.items() if trial.status == "ok")
    assert reader.damaged == []


def test_a_trial_is_read_without_the_others(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packs, "GROUP_ROWS", 5)
    before = contents(folder)
    compacted(folder)
    assert contents(folder) == before
    (path,) = (folder / "rows").glob("e.main-*")
    assert [pq.ParquetFile(path).metadata.row_group(at).num_rows for at in range(4)] == [8, 11, 7, 7]
    taken: list[int] = []
    whole = packs._read_group

    def noted(file: pq.ParquetFile, schema: pa.Schema, group: int) -> pa.Table:
        taken.append(group)
        return whole(file, schema, group)

    monkeypatch.setattr(packs, "_read_group", noted)
    assert len(RunReader(folder).table("e/t/n/102", "main")["error"]) == 7
    assert taken == [3]


def test_the_bytes_of_a_packed_trial_are_a_file_of_the_same_rows(folder: Path) -> None:
    before = RunReader(folder).trials["e/t/m/100"]
    compacted(folder)
    data = RunReader(folder).units("e/t/m/100")
    assert content_of(data, before.parts, "")["rows_sha256"] == before.rows_sha256


class Steps:
    """Ends the process, as a kill would, in place of the step of a number."""

    def __init__(self, number: int) -> None:
        self.left = number

    def wrapped(self, step: Callable[..., Any]) -> Callable[..., Any]:
        def taken(*args: Any, **kwargs: Any) -> Any:
            if self.left == 0:
                os._exit(KILLED)
            self.left -= 1
            return step(*args, **kwargs)

        return taken


def killed_at(folder: Path, number: int) -> bool:
    """Compact in a process that is killed before one of its steps on the disk; whether it came to that."""
    child = os.fork()
    if child == 0:
        steps = Steps(number)
        os.fsync = steps.wrapped(os.fsync)
        Path.replace = steps.wrapped(Path.replace)  # type: ignore[method-assign]
        Path.unlink = steps.wrapped(Path.unlink)  # type: ignore[method-assign]
        code = 1
        try:
            compacted(folder)
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in (0, KILLED)
    return code == KILLED


def test_a_kill_at_any_step_loses_nothing(folder: Path, tmp_path: Path) -> None:
    before = contents(folder)
    number = 0
    while True:
        copy = shutil.copytree(folder, tmp_path / "copy")
        killed = killed_at(copy, number)
        assert contents(copy) == before, f"killed before step {number}"
        # What is not done is done when the run is resumed, and nothing is left lying about.
        compacted(copy)
        assert contents(copy) == before
        assert files(copy) == (0, 5)
        shutil.rmtree(copy)
        if not killed:
            break
        number += 1
    # The run and its name are synced; five packs are synced, renamed and their names synced; then the name of
    # their folder is, and twelve files are removed.
    assert number == 30


def test_what_is_added_joins_the_pack(folder: Path) -> None:
    compacted(folder)
    with RunWriter(folder) as writer:
        writer.append(record("e", "m", 103), Scores(scores(103)))
        before = contents(folder)
        assert writer.compact() == 1
        assert writer.compact() == 0
    assert contents(folder) == before
    assert files(folder) == (0, 5)


def test_a_trial_that_is_run_again_has_its_new_rows(folder: Path) -> None:
    compacted(folder)
    stale = shutil.copytree(folder / "rows", folder.parent / "stale")
    with RunWriter(folder) as writer:
        writer.append(record("e", "m", 100), Scores(scores(7)))
        before = contents(folder)
        writer.compact()
    assert contents(folder) == before
    (path,) = (folder / "rows").glob("e.main-*")
    names = pq.read_table(path)[packs.TRIAL].to_pylist()
    assert names.count("e/t/m/100") == 4
    # A pack with the rows of before is passed over, if a kill has left it.
    shutil.copytree(stale, folder / "rows", dirs_exist_ok=True)
    assert contents(folder) == before


def test_large_packs_are_left_as_they_are(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.store.compaction.MERGED_ROWS", 10)
    compacted(folder)
    kept = {path.name for path in (folder / "rows").glob("e.main-*")}
    with RunWriter(folder) as writer:
        writer.append(record("e", "m", 103), Scores(scores(103)))
        writer.compact()
    assert kept < {path.name for path in (folder / "rows").glob("e.main-*")}


def test_trials_of_older_records_keep_their_files(folder: Path) -> None:
    lines = (folder / "trials.jsonl").read_text().splitlines()
    older = [TrialRecord.model_validate_json(line).model_copy(update={"rows_sha256": {}}) for line in lines]
    (folder / "trials.jsonl").write_text("".join(item.as_json() + "\n" for item in older))
    before = contents(folder)
    assert compacted(folder) == 0
    assert contents(folder) == before


def test_damaged_files_stay_where_they_are(folder: Path) -> None:
    name = RunReader(folder).trials["e/t/m/100"].units_file
    with (folder / "units" / name).open("ab") as file:
        file.write(b"x")
    assert compacted(folder) == 11
    assert [path.name for path in (folder / "units").iterdir()] == [name]
    with pytest.raises(RecordError, match="not those that were recorded"):
        RunReader(folder).table("e/t/m/100", "main")


def rewritten(path: Path, change: Callable[[pa.Table], pa.Table]) -> None:
    """Write a pack again with other rows and the same footer."""
    old = pq.ParquetFile(path)
    footer = old.metadata.metadata[b"corroborate"]
    table = change(old.read())
    with pq.ParquetWriter(path, table.schema) as writer:
        writer.write_table(table)
        writer.add_key_value_metadata({b"corroborate": footer})


def add_one(table: pa.Table, row: int = 0) -> pa.Table:
    at = table.column_names.index("error")
    values = table["error"].to_numpy().copy()
    values[row] += 1
    return table.set_column(at, "error", pa.array(values))


@pytest.mark.parametrize(
    "change",
    [
        add_one,
        lambda table: table.rename_columns([name.replace("hit", "miss") for name in table.column_names]),
        lambda table: table.take([1, 0, *range(2, table.num_rows)]),
        lambda table: table.slice(0, table.num_rows - 1),
    ],
    ids=["value", "name", "order", "length"],
)
def test_changed_packs_are_noticed(folder: Path, change: Callable[[pa.Table], pa.Table]) -> None:
    compacted(folder)
    (path,) = (folder / "rows").glob("e.main-*")
    rewritten(path, change)
    reader = RunReader(folder)
    faults = []
    for name in reader.trials:
        try:
            if reader.trials[name].parts:
                reader.check(name)
        except RecordError as error:
            faults.append((name, error.what))
    assert faults
    assert all("not those that were recorded" in what and name.startswith("e/") for name, what in faults)
    assert not all(reader.is_whole(name) for name in reader.trials if name.startswith("e/"))


def test_a_cut_pack_is_named(folder: Path) -> None:
    compacted(folder)
    (path,) = (folder / "rows").glob("e.main-*")
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(RecordError, match=r"missing; e\.main-"):
        RunReader(folder).table("e/t/m/100", "main")
    assert len(RunReader(folder).table("f/t/real/100", "main")["error"]) == 2


def test_a_reader_that_was_there_before_reads_on(folder: Path) -> None:
    before = contents(folder)
    reader = RunReader(folder)
    _ = reader.packs.all
    compacted(folder)
    assert len(reader.table("e/t/m/100", "main")["error"]) == len(before["e/t/m/100", "main"]) + 1
    with RunWriter(folder) as writer:
        writer.append(record("e", "m", 103), Scores(scores(103)))
        writer.compact()
    # The pack that it knew has been merged into another.
    assert len(reader.table("e/t/m/101", "main")["error"]) == 4


def test_a_record_that_lies_about_its_units_is_noticed(folder: Path) -> None:
    compacted(folder)
    lines = (folder / "trials.jsonl").read_text().splitlines()
    told = [TrialRecord.model_validate_json(line) for line in lines]
    other = told[1].unit_ids_sha256
    assert told[0].unit_ids_sha256["main"] != other["main"]
    told[0] = told[0].model_copy(update={"unit_ids_sha256": other})
    (folder / "trials.jsonl").write_text("".join(item.as_json() + "\n" for item in told))
    with pytest.raises(RecordError, match="not those that were recorded"):
        RunReader(folder).check(told[0].trial)


@given(
    st.lists(
        st.tuples(st.text(), st.floats(), st.integers(-(2**40), 2**40), st.booleans(), st.none() | st.text()),
        min_size=1,
    )
)
def test_the_hash_of_rows_does_not_depend_on_the_file(rows: list[tuple[Any, ...]]) -> None:
    names = ("unit_id", "x", "n", "flag", "note")
    table = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    alone = content_of(encode({"a": table}), ["a"], "")["rows_sha256"]["a"]
    beside = encode({"b": {"unit_id": [1], "x": ["other"]}, "a": table}, level=9)
    assert content_of(beside, ["a"], "")["rows_sha256"]["a"] == alone
    arrow = pa.table(table)
    padded = pa.concat_tables([arrow, arrow, arrow]).combine_chunks()
    assert rows_hash(padded.slice(arrow.num_rows, arrow.num_rows)) == alone


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ({"x": [0.0]}, {"x": [-0.0]}),
        ({"x": [1]}, {"x": [1.0]}),
        ({"x": [1]}, {"y": [1]}),
        ({"x": ["ab", "c"]}, {"x": ["a", "bc"]}),
        ({"x": [None, "a"]}, {"x": ["", "a"]}),
        ({"x": [1, 2]}, {"x": [2, 1]}),
        ({"x": [1], "y": [2]}, {"y": [2], "x": [1]}),
        ({"x": [[1], [2]]}, {"x": [[1, 2], []]}),
        ({"x": [True]}, {"x": [False]}),
        ({"x": pa.array([], pa.int64())}, {"x": pa.array([], pa.int32())}),
    ],
)
def test_rows_that_differ_have_other_hashes(left: dict[str, Any], right: dict[str, Any]) -> None:
    assert rows_hash(pa.table(left)) != rows_hash(pa.table(right))
