"""The tables of a run are those that ``docs/records.md`` documents, whatever form its rows have."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa
import pytest

from harness.errors import UsageError
from harness.method import Scores
from harness.query import RunTables, open_tables
from harness.query.declared import TABLES, page
from harness.query.page import MARK, PAGE
from harness.query.sql import run_query
from harness.store import RunReader, RunWriter
from harness.store.records import TrialRecord
from tests.harness.running import run
from tests.harness.store.test_compaction import contents, folder, record
from tests.harness.toy import toy_suite

__all__ = ["folder"]
ROOT = Path(__file__).parents[3]


def test_the_page_documents_every_table() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text.partition(MARK)[2].strip() == page().strip(), "run python -m harness.query.page"


@pytest.mark.parametrize("name", sorted(TABLES))
def test_a_table_has_the_columns_that_are_documented(name: str, tmp_path: Path) -> None:
    from harness.claims import Profile
    from harness.evidence import judge
    from harness.suite import Scale

    suite = toy_suite()
    _, reader, _ = run(suite, tmp_path)
    table = RunTables(reader, judge(suite, Scale(profile=Profile.SMALL), reader), suite)[name]
    section = re.search(rf"### `{name}`\n.*?(?=\n###|\Z)", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert section is not None
    told = dict(re.findall(r"^\| `(\w+)` \| (\w+) \|", section[0], re.MULTILINE))
    types = {"string": "text", "int64": "integer", "double": "real", "bool": "boolean"}
    assert {item.name: types[str(item.type)] for item in table.schema} == told
    # Toys have no controls and ask no models; every other table of a judged run has rows.
    assert table.num_rows > 0 or name in ("controls", "models")


def test_three_lines_of_python(folder: Path) -> None:
    (code,) = re.findall(
        r"```python title=\"three lines\"\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL
    )
    assert len([line for line in code.splitlines() if line]) == 3
    scope: dict[str, object] = {}
    exec(re.sub(r'"runs/[^"]*"', repr(str(folder)), code), scope)  # noqa: S102 - our own page
    trials = scope["trials"]
    assert list(trials["trial"]) == list(RunReader(folder).trials)  # type: ignore[index]


def test_a_column_has_what_the_records_have(folder: Path) -> None:
    reader = RunReader(folder)
    trials = open_tables(folder)["trials"].to_pandas().set_index("trial")
    for name, trial in reader.trials.items():
        assert (trials.status[name], trials.seed[name], trials.wall_s[name]) == (
            trial.status,
            trial.seed,
            trial.cost.wall_s,
        )


def unit_rows(table: pa.Table) -> list[str]:
    return sorted(map(repr, table.select(sorted(table.column_names)).to_pylist()))


@pytest.mark.parametrize("name", ["units_main", "units_held_out"])
def test_rows_are_the_same_in_both_forms_and_both_ways(name: str, folder: Path) -> None:
    loose, sql = open_tables(folder)[name], f"from {name}"
    assert unit_rows(run_query(open_tables(folder), sql)) == unit_rows(loose)
    with RunWriter(folder) as writer:
        writer.compact()
        packed = open_tables(folder)
        assert unit_rows(packed[name]) == unit_rows(loose)
        assert unit_rows(run_query(packed, sql)) == unit_rows(loose)
        writer.append(record("e", "m", 104), Scores({"main": {"unit_id": ["x"], "other": [1]}}))
    # A trial that is not packed yet, with other columns.
    more = run_query(open_tables(folder), "select trial, other from units_main where other is not null")
    assert more.to_pylist() == [{"trial": "e/t/m/104", "other": 1}]


def test_rows_of_before_a_trial_was_run_again_are_not_there(folder: Path) -> None:
    with RunWriter(folder) as writer:
        writer.compact()
        writer.append(
            record("e", "m", 100), Scores({"main": {"unit_id": ["x"], "error": [7.0], "hit": [True]}})
        )
    rows = run_query(open_tables(folder), "select unit_id from units_main where trial = 'e/t/m/100'")
    assert rows.to_pylist() == [{"unit_id": "x"}]
    assert len(contents(folder)) == open_tables(folder)["evaluation_sets"].num_rows


def test_parts_whose_names_differ_in_signs_have_tables_of_their_own(tmp_path: Path) -> None:
    made = tmp_path / "run"
    with RunWriter(made) as writer:
        parts = {name: {"unit_id": np.array([name])} for name in ("a-b", "a_b", "A b")}
        trial = TrialRecord(trial="e/t/m/1", status="ok", fingerprint="f", environment="x")
        writer.append(trial, Scores(parts))
    tables = RunTables(RunReader(made))
    found = {name: tables[name]["unit_id"].to_pylist() for name in tables.units.parts}
    assert sorted(found) == ["units_a_b", "units_a_b__2", "units_a_b__3"]
    assert sorted(name for (name,) in found.values()) == ["A b", "a-b", "a_b"]


def test_an_unknown_table_gives_the_nearest(folder: Path) -> None:
    with pytest.raises(UsageError, match="trials"):
        open_tables(folder)["trails"]


def test_memory_is_in_the_units_that_the_page_says() -> None:
    """Linux tells kibibytes; a mebibyte is a twentieth more than a megabyte."""
    from harness.engine.execute import _peak_mb
    from harness.provenance import _memory_gb

    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    kibibytes = int(next(line for line in lines if line.startswith("VmHWM")).split()[1])
    units = {column.name: column.unit for table in TABLES.values() for column in table.columns}
    assert units["peak_memory_mb"] == "MiB (2²⁰ bytes)"
    assert _peak_mb() == pytest.approx(kibibytes * 1024 / 2**20, rel=0.01)
    assert units["memory_gb"] == "GiB (2³⁰ bytes)"
    assert _memory_gb() == pytest.approx(psutil.virtual_memory().total / 2**30, abs=0.06)
