"""Numbers for tables: cells, contrasts, pairing, and bold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from scipy import stats

from harness.claims import Contrast, Replication
from harness.evidence import NotMeasuredError, best_by_direction, estimate
from harness.evidence.crossed import additive
from harness.evidence.quantities import Quantity
from harness.evidence.rows import select_rows
from harness.evidence.series import Reader
from harness.method import Metric, mean_of
from harness.store.memory import MemoryRun
from tests.harness.evidence.worlds import SCORE, cell, gain, record, run_of, seeded, timed_run, trial

RNG = np.random.default_rng(17)


def _ratio(columns: Mapping[str, Any]) -> float:
    return float(np.sum(columns["top"]) / np.sum(columns["bottom"]))


RATIO = Metric("ratio", ("top", "bottom"), _ratio, "higher")


def ratio_run(seeds: int, units: int, *, rows: int = 1) -> MemoryRun:
    run = MemoryRun(record([f"e/t/{m}/{100 + s}" for m in "ab" for s in range(seeds)]))
    for method, level in (("a", 3.0), ("b", 2.0)):
        for s in range(seeds):
            bottom = RNG.integers(1, 6, units * rows).astype(float)
            top = level * bottom + RNG.normal(0, 0.5, units * rows)
            unit = [f"u{i}" for i in range(units)] * rows
            run.add(trial(method, 100 + s), main={"unit_id": unit, "top": top, "bottom": bottom})
    return run


def test_a_cell_has_the_t_interval_of_its_seeds() -> None:
    scores = RNG.normal(0.6, 0.1, (6, 10))
    found = estimate(run_of({"a": scores}), cell("a"))
    expected = stats.ttest_1samp(scores.mean(axis=1), 0).confidence_interval(0.95)
    assert (found.interval.low, found.interval.high) == pytest.approx((expected.low, expected.high))
    assert (found.seeds, found.units, len(found.trials)) == (6, 10, 6)


def test_one_seed_gives_a_number_without_an_interval() -> None:
    found = estimate(run_of({"a": np.array([[0.2, 0.4]])}), cell("a"))
    assert found.interval.value == pytest.approx(0.3)
    assert found.interval.low is None


def test_methods_are_paired_by_unit_not_by_row() -> None:
    scores = RNG.normal(0.5, 0.2, (1, 60))
    run = run_of({"a": scores + 0.1, "b": scores})
    order = RNG.permutation(60)
    table = run.tables["e/t/a/100", "main"]
    run.tables["e/t/a/100", "main"] = {name: column[order] for name, column in table.items()}
    found = estimate(run, gain(), Replication.UNITS)
    assert found.interval.low == pytest.approx(0.1)
    assert found.interval.high == pytest.approx(0.1)


def test_crossed_uses_the_max_rule_for_means() -> None:
    scores = {"a": RNG.normal(0.6, 0.1, (5, 40)), "b": RNG.normal(0.5, 0.1, (5, 40))}
    found = estimate(run_of(scores), gain(), Replication.CROSSED)
    variances = additive([(scores["a"] - scores["b"]).T])
    half = stats.t.ppf(0.975, variances.df) * np.sqrt(variances.total)
    assert found.interval.high - found.interval.value == pytest.approx(half)  # type: ignore[operator]
    assert "max-rule" in found.test


def test_crossed_uses_the_jackknife_for_ratios() -> None:
    found = estimate(ratio_run(5, 60), gain(metric=RATIO), Replication.CROSSED)
    assert found.interval.value == pytest.approx(1.0, abs=0.1)
    assert "jackknife" in found.test


def test_seeds_with_units_of_their_own_are_the_replicates() -> None:
    run = run_of(seeded(RNG.normal(0.1, 0.05, 6)))
    for (name, _), table in run.tables.items():
        table["unit_id"] = np.array([f"{name[-3:]}-{i}" for i in range(4)])
    crossed = estimate(run, gain(), Replication.CROSSED)
    assert crossed.interval == estimate(run, gain(), Replication.SEEDS).interval
    with pytest.raises(NotMeasuredError, match="units of its own"):
        estimate(run, gain(), Replication.UNITS)


def test_rows_of_one_unit_are_a_cluster() -> None:
    run = ratio_run(1, 50, rows=4)
    found = estimate(run, cell("a", RATIO), Replication.UNITS)
    assert found.units == 50
    assert "50 units" in found.test


def test_rows_of_chosen_units_come_whole_and_as_often_as_chosen() -> None:
    table = {"unit_id": np.array(["b", "a", "b", "c", "b"]), "x": np.array([1, 2, 3, 4, 5])}
    rows = select_rows(table, ("x",), (), "t")
    assert rows.units.tolist() == ["a", "b", "c"]
    assert rows.take(np.array([1, 0, 1]))["x"].tolist() == [1, 3, 5, 2, 1, 3, 5]
    assert rows.take(None)["x"].tolist() == [2, 1, 3, 5, 4]


def test_disjoint_tasks_are_resampled_apart() -> None:
    run = MemoryRun(record(["e/t1/a/100", "e/t2/a/100"]))
    values = {"t1": RNG.normal(0, 1, 80), "t2": RNG.normal(1, 1, 60)}
    for task, column in values.items():
        units = [f"{task}-{i}" for i in range(len(column))]
        run.add(trial("a", 100, task=task), main={"unit_id": units, "score": column})
    theta = Contrast(((1.0, cell("a", task="t2")), (-1.0, cell("a", task="t1"))))
    found = estimate(run, theta, Replication.UNITS)
    welch = stats.ttest_ind(values["t2"], values["t1"], equal_var=False).confidence_interval(0.95)
    assert (found.interval.low, found.interval.high) == pytest.approx((welch.low, welch.high), abs=0.05)
    assert found.units == 140


def test_filters_keep_the_rows_asked_for() -> None:
    run = run_of({"a": np.array([[1.0, 2.0, 3.0, 4.0]])})
    run.tables["e/t/a/100", "main"]["depth"] = np.array([1, 1, 2, 2])
    assert estimate(run, cell("a", where=(("depth", 2),))).interval.value == 3.5
    with pytest.raises(NotMeasuredError, match="No rows"):
        estimate(run, cell("a", where=(("depth", 9),)))


def test_logarithms_are_taken_within_each_replicate() -> None:
    run = run_of({"a": np.full((3, 4), 4.0), "b": np.full((3, 4), 2.0)})
    theta = Contrast(gain().terms, log=True)
    assert estimate(run, theta).interval.value == pytest.approx(np.log(2))


def test_blocks_are_the_replicates_of_times() -> None:
    run = timed_run({"a": [1.0, 1.1, 0.9, 1.0], "b": [2.0, 2.1, 1.9, 2.0]})
    found = estimate(run, cell("a", mean_of("seconds", better="lower"), part="time"))
    assert found.interval.value == pytest.approx(1.0)
    assert (found.seeds, found.units) == (1, 4)
    assert "blocks" in found.test


@pytest.mark.parametrize(
    ("change", "kind"),
    [("method", "unplanned"), ("experiment", "blocked"), ("trial", "missing"), ("task", "mismatch")],
)
def test_what_a_run_cannot_give_is_said(change: str, kind: str) -> None:
    run = run_of(seeded([0.1, 0.2]))
    asked = cell("a")
    if change == "method":
        asked = cell("other")
    elif change == "experiment":
        run.record.blocked["e/t/a"] = "a licence"
    elif change == "trial":
        del run.trials["e/t/a/101"]
    else:
        run.record.planned.append("e/t2/a/100")
    with pytest.raises(NotMeasuredError) as caught:
        estimate(run, asked)
    assert caught.value.kind == kind


def test_bold_needs_every_difference() -> None:
    noise = RNG.normal(0, 0.01, (3, 6, 4))
    scores = {"a": 0.8 + noise[0], "b": 0.5 + noise[1], "c": 0.6 + noise[2]}
    cells = [cell(name) for name in "cab"]
    assert best_by_direction(run_of(scores), cells) == [1]
    close = scores | {"c": 0.8 + noise[2]}
    assert best_by_direction(run_of(close), cells) == []
    four = {name: values[:4] for name, values in scores.items()}
    assert best_by_direction(run_of(four), cells) == []
    assert best_by_direction(run_of(scores), [*cells, cell("unplanned")]) == [1]


def test_bold_knows_where_lower_is_better() -> None:
    loss = mean_of("score", better="lower")
    noise = RNG.normal(0, 0.01, (2, 6, 4))
    run = run_of({"a": 0.8 + noise[0], "b": 0.5 + noise[1]})
    assert best_by_direction(run, [cell("a", loss), cell("b", loss)]) == [1]


def test_rows_are_read_once() -> None:
    run = run_of(seeded([0.1, 0.2]))
    reader = Reader(run)
    first = Quantity(reader, gain()).by_replicate()
    run.tables.clear()
    assert Quantity(reader, gain()).by_replicate() == pytest.approx(first)
    assert SCORE.additive
