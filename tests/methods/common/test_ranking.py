"""Ranking measures: the field's reference implementation, all orders of ties, and hand-made values."""

from __future__ import annotations

import math
from itertools import groupby, permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.method import ProblemError
from methods.common.ranking import average_precision, mrr, ndcg, rank_queries, rank_query, recall

ir_measures = pytest.importorskip("ir_measures")

CUTS = (1, 3, 10)


def reference(scores: list[float], grades: list[float], missed: list[float]) -> dict[str, float]:
    """What ``ir-measures`` says; it needs whole grades and scores without ties."""
    names = [f"d{i}" for i in range(len(scores))]
    run = {"q": dict(zip(names, scores, strict=True))}
    judged = dict(zip(names, map(int, grades), strict=True))
    judged |= {f"m{i}": int(grade) for i, grade in enumerate(missed)}
    measures = {"ap": ir_measures.AP}
    for k in CUTS:
        measures |= {f"rr{k}": ir_measures.RR @ k, f"ndcg{k}": ir_measures.nDCG @ k}
        measures |= {f"recall{k}": ir_measures.R @ k}
    found = ir_measures.calc_aggregate(list(measures.values()), {"q": judged}, run)
    return {name: float(found[measure]) for name, measure in measures.items()}


@pytest.mark.parametrize("seed", range(30))
def test_without_ties_it_agrees_with_the_fields_tool(seed: int) -> None:
    rng = np.random.default_rng(seed)
    size = int(rng.integers(1, 40))
    grades = rng.choice([0, 0, 0, 1, 2, 4], size).astype(float).tolist()
    missed = rng.choice([1, 3], int(rng.integers(0, 4))).astype(float).tolist()
    if not any(grades) and not missed:
        grades[0] = 2.0
    scores = rng.permutation(size).astype(float).tolist()
    ours = rank_query(scores, grades, cuts=CUTS, unretrieved=missed)
    for name, value in reference(scores, grades, missed).items():
        assert ours[name] == pytest.approx(value, abs=1e-9), name
        assert ours[f"{name}_low"] == pytest.approx(ours[name], abs=1e-12), name


def all_orders(scores: list[int], grades: list[float], missed: list[float]) -> list[dict[str, float]]:
    """The measures of every order that sorting by score allows."""
    by_score = sorted(range(len(scores)), key=lambda i: -scores[i])
    orders: list[tuple[int, ...]] = [()]
    for _, group in groupby(by_score, key=lambda i: scores[i]):
        tied = list(group)
        orders = [before + after for before in orders for after in permutations(tied)]
    falling = [float(-i) for i in range(len(scores))]
    return [
        rank_query(falling, [grades[i] for i in order], cuts=CUTS, unretrieved=missed) for order in orders
    ]


@given(
    st.lists(st.tuples(st.integers(0, 2), st.sampled_from([0.0, 0.0, 1.0, 3.0])), min_size=1, max_size=5),
    st.lists(st.sampled_from([1.0, 2.0]), max_size=2),
)
def test_ties_score_the_mean_and_the_worst_of_all_orders(
    candidates: list[tuple[int, float]], missed: list[float]
) -> None:
    scores, grades = [score for score, _ in candidates], [grade for _, grade in candidates]
    if not any(grades) and not missed:
        grades[-1] = 1.0
    orders = all_orders(scores, grades, missed)
    found = rank_query([float(score) for score in scores], grades, cuts=CUTS, unretrieved=missed)
    for name in (name for name in found if not name.endswith("_low")):
        values = [order[name] for order in orders]
        assert found[name] == pytest.approx(math.fsum(values) / len(values), abs=1e-12), name
        assert found[f"{name}_low"] == pytest.approx(min(values), abs=1e-12), name


@given(
    st.lists(st.tuples(st.integers(-3, 3), st.integers(0, 2)), min_size=1, max_size=12),
    st.randoms(use_true_random=False),
)
def test_the_order_of_the_input_is_worth_nothing(candidates: list[tuple[int, int]], random: object) -> None:
    shuffled = list(candidates)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    measures = [
        rank_query([s for s, _ in order], [g for _, g in order], unretrieved=[1.0])
        for order in (candidates, shuffled)
    ]
    assert measures[0] == pytest.approx(measures[1], abs=1e-12)


def test_golden_values() -> None:
    falling = [float(-i) for i in range(12)]
    fourth = [0.0] * 3 + [1.0] + [0.0] * 8
    eleventh = [0.0] * 10 + [1.0, 0.0]
    assert rank_query(falling, fourth)["rr10"] == 0.25
    assert rank_query(falling, eleventh)["rr10"] == 0.0
    assert rank_query(falling[:3], [0.0, 0.0, 1.0])["ndcg10"] == pytest.approx(0.5)


def test_all_tied_scores_give_the_expectation_of_a_random_order() -> None:
    size = 1000
    found = rank_query([7.0] * size, [1.0] + [0.0] * (size - 1), cuts=(10,))
    assert found["rr10"] == pytest.approx(sum(1 / rank for rank in range(1, 11)) / size)
    assert found["recall10"] == pytest.approx(10 / size)
    assert found["rr10_low"] == 0.0


def test_infinite_scores_rank_and_missed_documents_count() -> None:
    found = rank_query([-math.inf, math.inf, -math.inf], [0.0, 1.0, 0.0], unretrieved=[1.0])
    assert found["rr10"] == 1.0
    assert found["recall10"] == 0.5
    assert found["ap"] == 0.5
    assert rank_query([], [], unretrieved=[2.0])["ndcg10"] == 0.0


@pytest.mark.parametrize(
    ("scores", "grades", "cuts"),
    [
        ([1.0, math.nan], [1.0, 0.0], (10,)),
        ([1.0, 2.0], [1.0], (10,)),
        ([1.0, 2.0], [0.0, 0.0], (10,)),
        ([1.0, 2.0], [0.0, -1.0], (10,)),
        ([1.0, 2.0], [0.0, 1.0], (0,)),
    ],
)
def test_what_cannot_be_ranked_is_refused(
    scores: list[float], grades: list[float], cuts: tuple[int, ...]
) -> None:
    with pytest.raises(ProblemError):
        rank_query(scores, grades, cuts=cuts)


def test_rows_feed_the_metrics_and_errors_name_the_query() -> None:
    table = rank_queries(["a", "b"], [[2.0, 1.0], [1.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]])
    assert table["unit_id"] == ["a", "b"]
    assert mrr()(table) == pytest.approx((0.5 + 0.75) / 2)
    assert mrr(ties="pessimistic")(table) == 0.5
    assert recall(10)(table) == 1.0
    assert average_precision()(table) == mrr()(table)
    assert ndcg()(table) == pytest.approx((3 / math.log2(3) + 1) / 4)
    with pytest.raises(ProblemError, match="'b'"):
        rank_queries(["a", "b"], [[1.0], [math.nan]], [[1.0], [1.0]])
