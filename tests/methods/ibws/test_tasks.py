"""Tasks: disjoint items, disjoint raters, no gold for methods, rows for the evidence."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pytest

from harness.method import ProblemError, Resource
from methods.ibws.answers import Ledger
from methods.ibws.problems import Annotation, TestRanking
from methods.ibws.tasks import AnnotationTask, Items, PerfectJudgeTask, RankingTask
from tests.methods.ibws.conftest import FakeContext

DATA = Resource(name="fake", kind="dataset", licence="MIT", version="1", sources=())
ITEMS = Items(domain="generated", data=DATA, count=80)


def _context(rated: Any, seed: int = 200, stage: Literal["tune", "main"] = "main") -> FakeContext:
    return FakeContext(seed=seed, stage=stage, objects={DATA: {"generated": rated}})


def test_seeds_draw_disjoint_items_and_tuning_others_still(rated: Any) -> None:
    seen = [set(ITEMS.draw(_context(rated, seed)).rated.ids) for seed in range(200, 210)]
    seen.append(set(ITEMS.draw(_context(rated, 1, "tune")).rated.ids))
    assert sum(map(len, seen)) == len(set().union(*seen)) == 11 * 80


def test_pilots_see_no_item_of_a_verdict(rated: Any) -> None:
    tuning = set(ITEMS.draw(_context(rated, 1, "tune")).index)
    for seed in (0, 7, 99):
        assert len(tuning & set(ITEMS.draw(_context(rated, seed)).index)) >= 60
    verdict = {item for seed in range(200, 210) for item in ITEMS.draw(_context(rated, seed)).index}
    assert not verdict & set(ITEMS.draw(_context(rated, 7)).index)


def test_mismatched_texts_are_never_drawn(rated: Any) -> None:
    wrong = np.zeros(len(rated), dtype=bool)
    wrong[:200] = True
    marked = replace(rated, mismatched=wrong)
    for seed in range(200, 210):
        assert ITEMS.draw(_context(marked, seed)).index.min() >= 200


def test_a_trial_draws_the_same_world_for_every_method(rated: Any) -> None:
    one, two = (AnnotationTask(items=ITEMS).problem(_context(rated)) for _ in range(2))
    assert one.texts == two.texts
    np.testing.assert_array_equal(one.comparative.pool, two.comparative.pool)


def test_rater_groups_are_disjoint_and_gold_stays_out_of_the_problem(rated: Any) -> None:
    distinct = replace(
        rated, ratings=tuple(np.arange(20, dtype=np.int16) + 20 * i for i in range(len(rated)))
    )
    ctx = _context(distinct)
    problem = AnnotationTask(items=ITEMS).problem(ctx)
    gold = np.concatenate(ITEMS.draw(ctx).groups[0])
    shown, rates = problem.comparative.pool.ravel(), problem.direct.pool.ravel()
    assert not set(gold) & set(shown)
    assert not set(gold) & set(rates)
    assert not set(shown) & set(rates)
    assert len(set(gold)) + len(set(shown)) + len(set(rates)) == 80 * 20


@pytest.mark.parametrize("seed", [100, 199, 210])
def test_seeds_without_a_piece_of_their_own_are_refused(rated: Any, seed: int) -> None:
    with pytest.raises(ProblemError, match="items of their own"):
        ITEMS.draw(_context(rated, seed))


def test_too_many_items_and_too_few_raters_are_refused(rated: Any) -> None:
    with pytest.raises(ProblemError, match="each piece"):
        replace(ITEMS, count=200).draw(_context(rated))
    with pytest.raises(ProblemError, match="raters"):
        AnnotationTask(items=replace(ITEMS, gold=10, direct=10)).problem(_context(rated))


def test_rows_carry_gold_costs_and_the_ibws_ranking_for_direct_assessment(rated: Any) -> None:
    ctx = _context(rated)
    task = AnnotationTask(items=ITEMS, seconds_per_screen=1.0, seconds_per_read=10.0)
    ledger = Ledger.empty(80)
    ledger.charge(np.arange(80)[:, None], judgements=1, selections=1)
    table = task.evaluate(Annotation(np.arange(80.0), ledger, "direct"), ctx).parts["main"]
    assert len(set(table["unit_id"])) == 80
    assert list(table["seconds"]) == [11] * 80
    gold = np.asarray(table["gold"])
    assert np.corrcoef(gold, table["ibws_bt"])[0, 1] > 0.85
    comparative = task.evaluate(Annotation(np.arange(80.0), ledger, "comparative"), ctx).parts["main"]
    assert "ibws_bt" not in comparative
    np.testing.assert_array_equal(comparative["gold"], gold)


def test_tuning_evaluates_under_the_name_validation(rated: Any) -> None:
    ctx = _context(rated, 1, "tune")
    ledger = Ledger.empty(80)
    scores = AnnotationTask(items=ITEMS).evaluate(Annotation(np.arange(80.0), ledger, "comparative"), ctx)
    assert list(scores.parts) == ["validation"]
    ranking = RankingTask(items=ITEMS, test=30).evaluate(TestRanking(np.arange(30.0), 1, 1), ctx)
    assert list(ranking.parts) == ["validation"]


@pytest.mark.parametrize("seed", range(100, 105))
def test_perfect_judges_see_the_values_and_disorder_is_counted(seed: int) -> None:
    ctx = FakeContext(seed=seed)
    task = PerfectJudgeTask()
    values = task.problem(ctx).comparative.pool[:, 0]
    ledger = Ledger.empty(values.size)
    right = task.evaluate(Annotation(values, ledger, "comparative"), ctx).parts["main"]
    assert (right["error"], right["confirmed"]) == ([0.0], [False])
    swapped = values.copy()
    order = np.argsort(values)
    swapped[order[[0, 1]]] = swapped[order[[1, 0]]]
    wrong = task.evaluate(Annotation(swapped, ledger, "comparative"), ctx).parts["main"]
    assert (wrong["error"], wrong["confirmed"]) == ([2.0], [True])


def test_a_tie_is_an_error_to_a_perfect_judge() -> None:
    ctx = FakeContext(seed=100)
    task = PerfectJudgeTask()
    n = task.problem(ctx).n_items
    row = task.evaluate(Annotation(np.zeros(n), Ledger.empty(n), "comparative"), ctx).parts["main"]
    assert row["error"] == [n * (n - 1) / 2]


def test_ranking_problem_keeps_test_ratings_back(rated: Any) -> None:
    ctx = _context(rated)
    task = RankingTask(items=ITEMS, test=30)
    problem = task.problem(ctx)
    assert len(problem.train_texts) == 50
    assert problem.comparative.n_items == problem.direct.n_items == problem.expert.size == 50
    table = task.evaluate(TestRanking(np.arange(30.0), 2.0, 2.0), ctx).parts["main"]
    assert len(table["unit_id"]) == len(problem.test_texts) == 30
    drawn = ITEMS.draw(ctx)
    np.testing.assert_allclose(table["gold"], drawn.gold[50:], rtol=1e-6)


def test_a_split_without_training_texts_is_refused(rated: Any) -> None:
    with pytest.raises(ProblemError, match="texts each"):
        RankingTask(items=ITEMS, test=80).problem(_context(rated))


def test_without_data_items_are_generated() -> None:
    problem = AnnotationTask(items=Items(count=30)).problem(FakeContext())
    assert problem.n_items == 30
    assert len(set(problem.texts)) == 30
