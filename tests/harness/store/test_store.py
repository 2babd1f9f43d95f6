"""Records survive what happens to files."""

from __future__ import annotations

import errno
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import ExitCode, ProblemError, RecordError, UsageError
from harness.method import Scores
from harness.store import RunReader, RunWriter, find_run, open_run
from harness.store.reader import whole_length
from harness.store.records import Provenance, RunRecord, TrialRecord
from harness.store.units import decode, encode, units_name


def record(trial: str = "e/t/m/100", **changes: Any) -> TrialRecord:
    return TrialRecord(**{"trial": trial, "status": "ok", "fingerprint": "f", "environment": "x", **changes})


def run_record(folder: Path) -> RunRecord:
    provenance = Provenance(created="now", command=[], corroborate="0")
    return RunRecord(run=folder.name, suite="toy", profile="small", claims_sha256="", provenance=provenance)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run with two finished trials."""
    path = tmp_path / "toy-small-1"
    with RunWriter(path) as writer:
        writer.start(run_record(path))
        for seed in (100, 101):
            scores = Scores(
                {
                    "main": {"unit_id": ["a", "b"], "x": [float(seed), 2.0]},
                    "other": {"unit_id": [1], "n": [3]},
                }
            )
            writer.append(record(f"e/t/m/{seed}"), scores)
    return path


def test_what_is_written_is_read_back(folder: Path) -> None:
    reader = open_run(folder)
    assert list(reader.trials) == ["e/t/m/100", "e/t/m/101"]
    assert list(reader.table("e/t/m/101", "main")["x"]) == [101.0, 2.0]
    assert set(reader.table("e/t/m/101", "other")) == {"unit_id", "n"}
    assert all(reader.is_whole(trial) for trial in reader.trials)


def test_a_torn_last_line_is_passed_over_explained_and_repaired(folder: Path) -> None:
    path = folder / "trials.jsonl"
    data = path.read_bytes()
    path.write_bytes(data[:-20])
    reader = RunReader(folder)
    assert list(reader.trials) == ["e/t/m/100"]
    assert "cut off" in reader.damaged[0]
    with RunWriter(folder) as writer:
        assert "cut off" in writer.repair()[0]
        assert writer.repair() == []
        writer.append(record("e/t/m/102"))
    with path.open("ab") as file:
        file.write(b"torn again" + bytes(50))
    with RunWriter(folder) as writer:
        assert "60 bytes" in writer.repair()[0]
    assert len(list(folder.glob("trials.jsonl.torn-*"))) == 2, "what was cut off before is kept"
    assert list(RunReader(folder).trials) == ["e/t/m/100", "e/t/m/102"]


@given(cut=st.integers(0, 400))
def test_every_cut_leaves_only_whole_lines(cut: int) -> None:
    lines = [record(f"e/t/m/{seed}").model_dump_json().encode() + b"\n" for seed in range(3)]
    data = b"".join(lines)
    torn = data[: max(len(data) - cut, 0)]
    whole = torn[: whole_length(torn)]
    assert data.startswith(whole)
    assert all(json.loads(line) for line in whole.splitlines())
    assert whole.count(b"\n") == sum(len(b"".join(lines[: n + 1])) <= len(torn) for n in range(3))


def test_a_missing_or_changed_units_file_is_noticed(folder: Path) -> None:
    (folder / "units" / units_name("e/t/m/100")).unlink()
    with (folder / "units" / units_name("e/t/m/101")).open("ab") as file:
        file.write(b"x")
    reader = RunReader(folder)
    with pytest.raises(RecordError, match="missing"):
        reader.table("e/t/m/100", "main")
    with pytest.raises(RecordError, match="not those that were recorded"):
        reader.table("e/t/m/101", "main")
    assert not any(reader.is_whole(trial) for trial in reader.trials)
    assert len(reader.damaged) == 2


def test_another_schema_is_refused_with_its_version(folder: Path) -> None:
    path = folder / "trials.jsonl"
    lines = path.read_text().replace('"schema_version":1', '"schema_version":7', 1)
    path.write_text(lines)
    with pytest.raises(RecordError, match="version 7") as error:
        _ = RunReader(folder).trials
    assert "line 1" in str(error.value)
    other = json.loads((folder / "run.json").read_text()) | {"schema_version": 0}
    (folder / "run.json").write_text(json.dumps(other))
    with pytest.raises(RecordError, match="version 0"):
        open_run(folder)


def test_damage_in_the_middle_is_an_error_that_names_the_line(folder: Path) -> None:
    path = folder / "trials.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"status":"ok"', b'"status":"good"', 1))
    with pytest.raises(RecordError, match="status"):
        _ = RunReader(folder).trials


def test_a_second_writer_is_refused(folder: Path) -> None:
    code = "import sys, pathlib; from harness.store import RunWriter; RunWriter(pathlib.Path(sys.argv[1]))"
    with RunWriter(folder):
        done = subprocess.run(
            [sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=False
        )
    assert done.returncode != 0
    assert "Another process is writing to this run" in done.stderr
    RunWriter(folder).close()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_explained(folder: Path) -> None:
    folder.chmod(0o500)
    try:
        with pytest.raises(RecordError, match="cannot be written"):
            RunWriter(folder / "new")
    finally:
        folder.chmod(0o700)


def test_a_full_disk_loses_nothing_that_was_stored(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with RunWriter(folder) as writer:
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(RecordError, match="No space left on device"):
            writer.append(record("e/t/m/102"), Scores({"main": {"unit_id": [1]}}))
        monkeypatch.undo()
    assert list(RunReader(folder).trials) == ["e/t/m/100", "e/t/m/101"]
    assert not list((folder / "units").glob(".*"))


def limited(room: int, write: Callable[[], None]) -> int:
    """Call ``write`` in a process that may make no file larger than ``room`` bytes; gives its exit code."""
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
        code = 1
        try:
            write()
            code = 0
        except RecordError:
            code = 4
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.parametrize("part", [0, 1, 50, -1])
def test_of_a_line_for_which_there_is_room_in_part_nothing_is_left(folder: Path, part: int) -> None:
    """The system writes what there is room for, and says so without an error."""
    path = folder / "trials.jsonl"
    before = path.read_bytes()
    line = record("e/t/m/102", error="x" * 500)
    room = len(before) + part % (len(line.as_json()) + 1)

    def write() -> None:
        with RunWriter(folder) as writer:
            writer.append(line)

    assert limited(room, write) == ExitCode.INFRASTRUCTURE
    assert path.read_bytes() == before
    assert limited(room + 2000, write) == ExitCode.OK
    assert list(RunReader(folder).trials) == ["e/t/m/100", "e/t/m/101", "e/t/m/102"]


@pytest.mark.parametrize("table", [{"x": [1]}, {"unit_id": [1, 2], "x": [1]}])
def test_malformed_tables_are_refused(table: dict[str, Any], folder: Path) -> None:
    with RunWriter(folder) as writer, pytest.raises(ProblemError, match="main"):
        writer.append(record("e/t/m/102"), Scores({"main": table}))


@given(
    st.lists(
        st.tuples(st.text(), st.floats(allow_nan=False), st.integers(-(2**40), 2**40), st.booleans()),
        min_size=1,
    )
)
def test_all_column_types_come_back_as_they_were(rows: list[tuple[str, float, int, bool]]) -> None:
    ids, floats, integers, flags = (list(column) for column in zip(*rows, strict=True))
    data = encode({"a": {"unit_id": ids, "x": floats, "n": integers, "f": flags}})
    table = decode(data, "a", "here")
    assert list(table["unit_id"]) == ids
    assert np.array_equal(table["x"], floats)
    assert table["n"].tolist() == integers
    assert table["f"].tolist() == flags


def test_runs_are_found_by_path_name_and_suite(folder: Path) -> None:
    runs = folder.parent
    assert find_run(str(folder), runs) == folder
    assert find_run("toy-small-1", runs) == folder
    assert find_run("toy", runs) == folder
    with pytest.raises(UsageError, match="toy-small-1"):
        find_run("tyo-small-1", runs)


THREADS = """
import os
import pyarrow.parquet
from harness.store.units import decode_rows, encode
data = encode({"main": {"unit_id": ["a"], "x": [1.0]}})
before = len(os.listdir("/proc/self/task"))
decode_rows(data, "main", "")
print(len(os.listdir("/proc/self/task")) - before)
"""


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="threads cannot be counted here")
def test_reading_rows_leaves_no_thread_that_the_program_must_outlive() -> None:
    """One that holds an object of Python when the program ends takes its exit code with it."""
    done = subprocess.run([sys.executable, "-c", THREADS], capture_output=True, text=True, check=True)
    assert done.stdout == "0\n"
