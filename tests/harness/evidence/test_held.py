"""Columns that are held while there is room, units that are sorted once, answers that are compared once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.evidence.coverage import Coverages, Declared
from harness.evidence.held import HeldColumns, OrderedColumns
from harness.evidence.rows import select_rows
from harness.evidence.unit_sets import UnitSet
from harness.method import Scores
from harness.store import RunReader, RunWriter
from harness.store.answers import answers_of, coverage
from harness.store.memory import MemoryRun
from tests.harness.evidence.worlds import record, trial
from tests.harness.store.test_store import run_record

SEEDS = range(100, 104)


@pytest.fixture(params=[True, False], ids=["packed", "loose"])
def reader(tmp_path: Path, request: pytest.FixtureRequest) -> RunReader:
    """A run whose units are in no order, and repeat."""
    folder = tmp_path / "toy-small-1"
    with RunWriter(folder) as writer:
        writer.start(run_record(folder))
        for seed in SEEDS:
            draw = np.random.default_rng(seed)
            ids = [f"u{number}" for number in draw.integers(0, 30, size=40)]
            table: dict[str, Any] = {
                "unit_id": ids,
                "error": draw.normal(size=40),
                "hit": draw.random(40) < 0.5,
            }
            writer.append(trial("m", seed), Scores({"main": table}))
        if request.param:
            writer.compact()
    return RunReader(folder)


@pytest.mark.parametrize("most_bytes", [1, 700, 1 << 20])
def test_held_columns_are_the_rows_in_order_of_their_units(reader: RunReader, most_bytes: int) -> None:
    held = HeldColumns(reader, most_bytes)
    names = ("hit", "error")
    for name in [*reader.trials, *reader.trials]:
        table = held.table(name, "main", names)
        assert isinstance(table, OrderedColumns)
        found, plain = select_rows(table, names, (), name), dict(reader.table(name, "main"))
        expected = select_rows(plain, names, (), name)
        assert found.units.tolist() == expected.units.tolist()
        assert found.starts.tolist() == expected.starts.tolist()
        for column in names:
            np.testing.assert_array_equal(found.columns[column], expected.columns[column], strict=True)


def test_a_column_is_read_once_while_there_is_room(reader: RunReader) -> None:
    name = "e/t/m/100"
    roomy, narrow = HeldColumns(reader), HeldColumns(reader, 1)
    first, second = (roomy.table(name, "main", ())["error"] for _ in range(2))
    assert first is second
    again = narrow.table(name, "main", ("error", "hit"))
    assert again["error"] is not again["hit"]
    assert again["error"] is again["error"]


def test_a_column_that_is_not_there_is_a_key_error(reader: RunReader) -> None:
    table = HeldColumns(reader).table("e/t/m/100", "main", ("lost",))
    assert "lost" not in table
    with pytest.raises(KeyError):
        table["lost"]
    with pytest.raises(KeyError):
        reader.table("e/t/m/100", "main")["lost"]


@given(st.lists(st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=3), max_size=12))
def test_units_are_sorted_and_counted(ids: list[str]) -> None:
    column = np.array(ids, dtype=np.str_)
    units, sizes = np.unique(column, return_counts=True)
    for lasting in (False, True):
        found = UnitSet(column, lasting=lasting)
        assert found.size == len(units)
        assert found.starts.tolist() == [0, *np.cumsum(sizes)]
        ordered = column if found.order is None else column[found.order]
        assert ordered.tolist() == sorted(ids)
        assert not ids or found.units.tolist() == units.tolist()


UNITS = st.lists(st.sampled_from("abcd"), max_size=5)


@given(st.dictionaries(st.sampled_from("mnopq"), UNITS, min_size=1), st.sets(st.sampled_from("mnopq")))
def test_each_method_is_compared_with_all_others_of_the_suite(
    answered: dict[str, list[str]], own: set[str]
) -> None:
    run = MemoryRun(record([f"e/t/{method}/100" for method in answered]))
    for method, ids in answered.items():
        run.add(trial(method, 100), main={"unit_id": np.array(ids, dtype=np.str_)})
    said = Declared(frozenset(("e", method) for method in own))
    found = Coverages(run, said)
    answers = {method: answers_of(run.table(f"e/t/{method}/100", "main")) for method in answered}
    for method, mine in answers.items():
        others = [
            theirs
            for other, theirs in answers.items()
            if other != method and said.declares("e", other) and theirs.rows
        ]
        expected = coverage(mine, others, belongs=said.declares("e", method))
        assert found.of(f"e/t/{method}/100", "main") == expected
