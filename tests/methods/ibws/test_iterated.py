"""IBWS: exact recovery, invariances, the known traps of other implementations."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from harness.method import ProblemError
from methods.ibws import Answers, Iteration, crowd_of, iterated_bws
from methods.ibws.iterated import positions, split_buckets


class Perfect:
    """A judge without error, who counts what was asked."""

    def __init__(self, values: np.ndarray) -> None:
        self.values = values
        self.tuples = 0

    def compare(self, tuples: np.ndarray) -> Answers:
        rows = np.arange(tuples.shape[0])
        self.tuples += tuples.shape[0] * (tuples.shape[1] == 4)
        shown = self.values[tuples]
        return Answers(tuples, tuples[rows, shown.argmax(1)], tuples[rows, shown.argmin(1)])


COMPLETE = Iteration(design="complete")


@settings(max_examples=40)
@given(st.integers(4, 24), st.integers(0, 2**16))
def test_perfect_judge_and_complete_designs_recover_every_order(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.permutation(n).astype(float)
    found = iterated_bws(n, Perfect(values).compare, rng, COMPLETE)
    np.testing.assert_array_equal(np.argsort(found.estimate), np.argsort(values))


def test_sizes_that_finish_in_different_rounds_keep_their_place() -> None:
    # Ten items split into 3, 4, 3: the outer buckets become terminal before the middle one, and
    # an implementation that lists buckets as they finish reaches Spearman .491 only.
    values = np.arange(10.0)
    found = iterated_bws(10, Perfect(values).compare, np.random.default_rng(0), COMPLETE)
    assert spearmanr(found.estimate, values).statistic == pytest.approx(1)
    wrong = np.array([0, 1, 2, 7, 8, 9, 3, 4, 5, 6])
    assert spearmanr(np.argsort(wrong), values).statistic == pytest.approx(0.491, abs=5e-4)


@given(st.integers(4, 60), st.integers(1, 3), st.sampled_from(["thirds", "sign"]), st.integers(0, 999))
def test_only_the_order_of_the_latent_values_matters(n: int, a: int, split: str, seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=n)
    options = Iteration(appearances=a, split=split)  # type: ignore[arg-type]
    plain = iterated_bws(n, Perfect(values).compare, np.random.default_rng(seed), options)
    bent = iterated_bws(n, Perfect(np.exp(3 * values)).compare, np.random.default_rng(seed), options)
    np.testing.assert_array_equal(plain.estimate, bent.estimate)


@given(
    st.integers(4, 70),
    st.sampled_from(["thirds", "sign"]),
    st.sampled_from(["tie", "mini_tuple"]),
    st.integers(1, 2),
    st.integers(0, 999),
)
def test_it_ends_with_terminal_buckets_in_their_places(
    n: int, split: str, terminal: str, raters: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    judge = crowd_of([rng.normal(0, 1, 5) for _ in range(n)], rng).session(rng)
    options = Iteration(split=split, terminal=terminal, raters_per_tuple=raters)  # type: ignore[arg-type]
    found = iterated_bws(n, judge.compare, rng, options)
    sizes = np.bincount(found.buckets)
    assert sizes.max() < 4
    assert sizes.min() >= 1
    # Every item of a higher bucket is above every item of a lower one.
    order = np.argsort(-found.estimate, kind="stable")
    assert (np.diff(found.buckets[order]) >= 0).all()
    assert len(found.rounds) <= 2 * n


@pytest.mark.parametrize(
    ("n", "rounds", "tuples_per_item"),
    [(27, 2, 0.59), (81, 3, 0.85), (100, 4, 0.98), (300, 5, 1.23), (1000, 6, 1.56), (3000, 7, 1.81)],
)
def test_cost_of_thirds_golden_values(n: int, rounds: int, tuples_per_item: float) -> None:
    judge = Perfect(np.random.default_rng(1).normal(size=n))
    found = iterated_bws(n, judge.compare, np.random.default_rng(2), Iteration(appearances=1))
    assert len(found.rounds) == rounds
    assert judge.tuples / n == pytest.approx(tuples_per_item, abs=0.006)


def test_reversed_answers_reverse_the_ranking() -> None:
    values = np.random.default_rng(3).normal(size=20)
    judge = Perfect(values)
    found = iterated_bws(20, lambda t: judge.compare(t).reversed(), np.random.default_rng(0), COMPLETE)
    assert spearmanr(found.estimate, values).statistic == pytest.approx(-1)


def test_max_rounds_and_history() -> None:
    values = np.random.default_rng(3).normal(size=81)
    seen: list[int] = []
    options = Iteration(max_rounds=2, terminal="tie")
    found = iterated_bws(
        81,
        Perfect(values).compare,
        np.random.default_rng(0),
        options,
        after_round=lambda number, _: seen.append(number),
    )
    assert seen == [1, 2]
    assert len(found.rounds) == len(found.answers) == 2
    assert found.buckets.max() == 8


def test_input_order_does_not_leak_through_ties() -> None:
    # A judge who answers at random must not be rewarded for a sorted input.
    rhos = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        judge = crowd_of([np.zeros(1)] * 60, rng).session(rng)
        found = iterated_bws(60, judge.compare, rng, Iteration(appearances=1, terminal="tie"))
        rhos.append(spearmanr(found.estimate, np.arange(60)).statistic)
    assert abs(np.mean(rhos)) < 3 * np.std(rhos) / np.sqrt(60)


def test_thirds_sizes_and_sign_split() -> None:
    rng = np.random.default_rng(0)
    scores = np.array([1.0, 0.5, 0.2, 0.0, -0.1, -0.5, -1.0, -0.9])
    thirds = split_buckets(np.zeros(8, dtype=np.intp), scores, np.ones(8, dtype=bool), "thirds", rng)
    assert thirds.tolist() == [0, 0, 1, 1, 1, 1, 2, 2]
    sign = split_buckets(np.zeros(8, dtype=np.intp), scores, np.ones(8, dtype=bool), "sign", rng)
    assert sign.tolist() == [0, 0, 0, 1, 2, 2, 2, 2]
    flat = split_buckets(np.zeros(8, dtype=np.intp), np.zeros(8), np.ones(8, dtype=bool), "sign", rng)
    assert np.bincount(flat).tolist() == [2, 4, 2]


def test_positions_share_ranks_among_equals() -> None:
    bucket = np.array([1, 0, 0, 1, 1])
    last = np.array([0.0, 1.0, 2.0, 0.0, -1.0])
    assert positions(bucket, last).tolist() == [2.5, 4, 5, 2.5, 1]


@pytest.mark.parametrize(
    ("n", "options"),
    [
        (3, Iteration()),
        (9, Iteration(appearances=0)),
        (9, Iteration(raters_per_tuple=0)),
        (9, Iteration(max_rounds=-1)),
    ],
)
def test_impossible_switches_are_refused(n: int, options: Iteration) -> None:
    with pytest.raises(ProblemError) as caught:
        iterated_bws(n, Perfect(np.arange(float(n))).compare, np.random.default_rng(0), options)
    assert caught.value.where
    assert caught.value.fix
