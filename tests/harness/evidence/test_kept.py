"""What committed results keep gives the verdicts, numbers and comparisons that the rows gave."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from harness.claims import Replication
from harness.claims.findings import NotMeasuredError
from harness.errors import OmittedRowsError
from harness.evidence import estimate, judge
from harness.evidence.compare import compare_runs
from harness.evidence.coverage import declared
from harness.evidence.reading import reading_of
from harness.evidence.regress import regress_run
from harness.evidence.tuning_scores import kept_score, score_key, tuning_score
from harness.store.answers import Coverage
from harness.store.kept import KeptCell, KeptValue, decode_kept, encode_kept
from harness.store.memory import MemoryRun
from harness.store.packing import Reading
from harness.suite import Suite
from tests.harness.evidence.worlds import (
    SCORE,
    SMALL,
    cell,
    claim,
    direction,
    gain,
    run_of,
    seeded,
    suite,
    timed_experiment,
    timed_run,
    trial,
)

EFFECTS = np.array([0.19, 0.22, 0.17, 0.24, 0.18])


class Committed(MemoryRun):
    """A run of which only what was read is left: the needed rows, and values."""

    def table(self, trial: str, part: str) -> dict[str, np.ndarray]:
        if (trial, part) not in self.tables:
            raise OmittedRowsError("Rows left out", where=trial)
        return self.tables[trial, part]


def committed(view: MemoryRun, reading: Reading) -> Committed:
    tables = {
        place: {name: view.tables[place][name] for name in columns | {"unit_id"}}
        for place, columns in reading.needed.items()
    }
    kept = decode_kept(encode_kept(reading.cells), "here")
    return Committed(view.record, view.trials, tables, is_committed=True, kept=kept)


def read(declaration: Suite, view: MemoryRun) -> Reading:
    judge(declaration, SMALL, view)
    return reading_of(declaration, SMALL, view)


def test_values_by_seed_come_back_as_they_were() -> None:
    covered = Coverage(3, 4, 1, 0)
    cells = {
        "a": KeptCell(
            (
                KeptValue("100", 0.1 + 0.2, "", 3, "ff", covered),
                KeptValue("101/7", None, "it has no mean", 0, "00", covered),
                KeptValue("102", -math.inf, "", 3, "ff", covered),
            )
        ),
        "b": KeptCell((), "The rows lack the column x", "mismatch", ("e/t/m/100", "e/t/m/101")),
    }
    assert decode_kept(encode_kept(cells), "here") == cells
    nothing = KeptCell((KeptValue("100", math.nan, "", 3, "ff", covered),))
    (value,) = decode_kept(encode_kept({"c": nothing}), "here")["c"].values
    assert value.value is not None
    assert math.isnan(value.value)


def test_over_seeds_no_row_is_needed_and_verdicts_are_the_same() -> None:
    declaration = suite([claim(direction())])
    view = run_of(seeded(EFFECTS), declaration)
    reading = read(declaration, view)
    assert not reading.needed
    assert reading.useful
    after = committed(view, reading)
    assert judge(declaration, SMALL, after) == judge(declaration, SMALL, view)
    said = declared(declaration, SMALL)
    before, now = (estimate(run, gain(), Replication.SEEDS, said) for run in (view, after))
    assert now == before
    assert now.seeds == 5


@pytest.mark.parametrize("replication", [Replication.CROSSED, Replication.UNITS])
def test_over_units_rows_are_needed_and_kept(replication: Replication) -> None:
    declaration = suite([claim(direction(replication=replication))])
    view = run_of(seeded(EFFECTS, units=60), declaration)
    reading = read(declaration, view)
    assert set(reading.needed.values()) == {frozenset({"score"})}
    assert judge(declaration, SMALL, committed(view, reading)) == judge(declaration, SMALL, view)
    (verdict,) = judge(declaration, SMALL, committed(view, replace(reading, needed={}))).verdicts
    assert verdict.cause == "invalid"
    assert "Rows left out" in verdict.reason


def test_where_seeds_draw_their_own_units_crossed_needs_no_row_either() -> None:
    declaration = suite([claim(direction(replication=Replication.CROSSED))])
    view = run_of(seeded(EFFECTS), declaration)
    for (name, _), table in view.tables.items():
        table["unit_id"] = np.array([f"{name.rpartition('/')[2]}-{unit}" for unit in table["unit_id"]])
    reading = read(declaration, view)
    assert not reading.needed
    assert judge(declaration, SMALL, committed(view, reading)) == judge(declaration, SMALL, view)


def test_what_was_not_answered_is_remembered_without_the_others_rows() -> None:
    declaration = suite([claim(direction())])
    view = run_of(seeded(EFFECTS), declaration)
    table = view.tables["e/t/a/100", "main"]
    view.tables["e/t/a/100", "main"] = {name: column[:1] for name, column in table.items()}
    after = committed(view, read(declaration, view))
    (verdict,) = judge(declaration, SMALL, after).verdicts
    assert verdict.verdict == "not comparable"
    assert judge(declaration, SMALL, after) == judge(declaration, SMALL, view)


def test_what_nothing_read_is_left_out_and_says_so() -> None:
    declaration = suite([claim(direction())])
    view = run_of(seeded(EFFECTS), declaration)
    after = committed(view, read(declaration, view))
    with pytest.raises(NotMeasuredError, match="before anything read it") as caught:
        estimate(after, cell("a", where=(("score", 1.0),)))
    assert caught.value.kind == "omitted"


def test_blocks_of_timed_trials_are_kept() -> None:
    declaration = suite([claim(direction())], experiments=[timed_experiment(["a", "b"])])
    view = timed_run({"a": np.full(10, 2.0), "b": np.linspace(1.0, 1.1, 10)}, declaration)
    reading = read(declaration, view)
    after = committed(view, replace(reading, needed={}))
    assert judge(declaration, SMALL, after).verdicts == judge(declaration, SMALL, view).verdicts


@pytest.mark.parametrize(("fall", "outcome"), [(0.0, "same"), (0.3, "regressed")])
def test_a_run_is_held_to_values_by_seed(fall: float, outcome: str) -> None:
    declaration = suite([claim(direction())])
    view = run_of(seeded(EFFECTS), declaration)
    baseline = committed(view, read(declaration, view))
    new = run_of(seeded(EFFECTS - fall), declaration)
    found = regress_run(declaration, SMALL, baseline, new)
    assert found.outcome == outcome
    assert not [item for item in found.items if item.outcome == "not comparable"]
    compared = compare_runs(declaration, SMALL, baseline, new)
    assert not compared.skipped
    assert {effect.identical for effect in compared.effects if effect.claim} == {fall == 0.0}


def test_scores_of_tuning_trials_are_kept_without_their_rows() -> None:
    view = run_of(seeded(EFFECTS))
    tuned = trial("a", 7).model_copy(update={"trial": "e/t/a/x=1/7", "stage": "tune"})
    view.add(tuned, validation={"unit_id": ["u"], "score": [0.1 + 0.2]})
    kept = {score_key(SCORE, tuned, "validation"): kept_score(view, SCORE, tuned, "validation")}
    after = Committed(view.record, view.trials, {}, is_committed=True, kept=kept)
    assert tuning_score(after, SCORE, tuned, "validation") == 0.1 + 0.2
    without = replace(after, kept={})
    with pytest.raises(NotMeasuredError, match="Rows left out"):
        tuning_score(without, SCORE, tuned, "validation")
    failing = replace(SCORE, columns=("loss",))
    told = kept_score(view, failing, tuned, "validation")
    assert told.fault.startswith("score cannot be computed")
    assert not told.values
