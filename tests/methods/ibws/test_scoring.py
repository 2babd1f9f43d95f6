"""Scorers: golden values of the card, independent libraries, invariances."""

from __future__ import annotations

from itertools import permutations
from math import log
from typing import Any

import choix
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import check_grad
from scipy.stats import spearmanr

from methods.ibws import scoring
from methods.ibws.answers import Answers, pairs_of
from methods.ibws.designs import balanced_design, complete_design
from methods.ibws.pairwise import elo, rescorla_wagner, value_learning

ANY_ORDER = {
    "counting": scoring.counting,
    "abw": scoring.abw,
    "bt": scoring.bradley_terry,
    "pl": scoring.plackett_luce,
    "maxdiff": scoring.maxdiff,
    "elo": lambda n, x: elo(n, x, np.random.default_rng(1), passes=20),
    "value": lambda n, x: value_learning(n, x, np.random.default_rng(1), passes=20),
    "rw": lambda n, x: rescorla_wagner(n, x, np.random.default_rng(1), passes=20),
}


def perfect(tuples: np.ndarray, values: np.ndarray) -> Answers:
    rows = np.arange(tuples.shape[0])
    shown = values[tuples]
    return Answers(tuples, tuples[rows, shown.argmax(1)], tuples[rows, shown.argmin(1)])


def noisy(n: int, appearances: int, seed: int, k: int = 4) -> Answers:
    rng = np.random.default_rng(seed)
    tuples = balanced_design(n, k, appearances, rng)
    rows = np.arange(tuples.shape[0])
    percepts = tuples / n + rng.normal(0, 0.3, tuples.shape)
    return Answers(tuples, tuples[rows, percepts.argmax(1)], tuples[rows, percepts.argmin(1)])


def one_item(best: int, worst: int, shown: int) -> Answers:
    """Item 0 in ``shown`` tuples, chosen as asked."""
    tuples = np.tile(np.arange(4), (shown, 1))
    chosen = np.full(shown, 1)
    chosen[:best] = 0
    lost = np.full(shown, 2)
    lost[best : best + worst] = 0
    return Answers(tuples, chosen, lost)


def test_counting_and_abw_golden_value() -> None:
    answers = [one_item(best=3, worst=1, shown=8)]
    assert scoring.counting(4, answers)[0] == 0.25
    assert scoring.abw(4, answers)[0] == pytest.approx(log(1.25 / 0.75))
    assert scoring.abw(4, answers)[0] == pytest.approx(0.5108, abs=5e-5)


@pytest.mark.parametrize(
    ("n", "counts"),
    [(5, [4, 1, 0, -1, -4]), (6, [10, 4, 1, -1, -4, -10]), (7, [20, 10, 4, 0, -4, -10, -20])],
)
def test_counts_of_all_tuples_under_a_perfect_judge(n: int, counts: list[int]) -> None:
    answers = perfect(complete_design(np.arange(n), 4), -np.arange(n, dtype=float))
    assert scoring.net_counts(n, [answers]).tolist() == counts
    assert set(scoring.shown_counts(n, [answers])) == {counts[0]}


def test_pair_expansion_golden_value() -> None:
    # a, b, c, d = 0, 1, 2, 3; best a, worst d.
    winners, losers = pairs_of([Answers(np.array([[2, 0, 3, 1]]), np.array([0]), np.array([3]))])
    pairs = set(zip(winners.tolist(), losers.tolist(), strict=True))
    assert pairs == {(0, 1), (0, 2), (0, 3), (1, 3), (2, 3)}
    assert winners.size == 5


@given(st.integers(2, 6), st.integers(0, 99))
def test_a_tuple_decides_2k_minus_3_pairs_and_counts_sum_to_zero(k: int, seed: int) -> None:
    answers = noisy(3 * k, 2, seed, k)
    winners, losers = pairs_of([answers])
    assert winners.size == (2 * k - 3) * answers.best.size
    assert (winners != losers).all()
    assert scoring.net_counts(3 * k, [answers]).sum() == 0


def test_bradley_terry_golden_value() -> None:
    winners, losers = np.array([0, 0, 0, 1]), np.array([1, 1, 1, 0])
    scores = scoring.bradley_terry_pairs(2, winners, losers, prior=0, tolerance=1e-12)
    assert scores[0] - scores[1] == pytest.approx(log(3), abs=1e-9)
    assert log(3) == pytest.approx(1.0986, abs=5e-5)


def test_bradley_terry_agrees_with_choix() -> None:
    winners, losers = pairs_of([noisy(12, 30, 3)])
    ours = scoring.bradley_terry_pairs(12, winners, losers, prior=0, tolerance=1e-12, max_iterations=100_000)
    theirs = choix.opt_pairwise(12, list(zip(winners.tolist(), losers.tolist(), strict=True)))
    np.testing.assert_allclose(ours - ours.mean(), theirs - theirs.mean(), atol=1e-4)


def test_bradley_terry_prior_solves_its_stationarity_equation() -> None:
    winners, losers = pairs_of([noisy(20, 2, 5)])
    p = np.exp(scoring.bradley_terry_pairs(20, winners, losers, tolerance=1e-13, max_iterations=100_000))
    wins = np.bincount(winners, minlength=20) + 0.1
    expected = np.zeros(20)
    np.add.at(expected, winners, p[winners] / (p[winners] + p[losers]))
    np.add.at(expected, losers, p[losers] / (p[winners] + p[losers]))
    np.testing.assert_allclose(wins, expected + 2 * 0.1 * p / (p + 1), rtol=1e-8)


def test_plackett_luce_agrees_with_choix_on_full_rankings() -> None:
    # With three items, best and worst are a full ranking.
    answers = noisy(9, 24, 2, k=3)
    middle = answers.tuples.sum(1) - answers.best - answers.worst
    rankings = np.stack([answers.best, middle, answers.worst], axis=1).tolist()
    theirs = choix.opt_rankings(9, rankings, alpha=0.005)
    np.testing.assert_allclose(scoring.plackett_luce(9, [answers], ridge=0.01), theirs, atol=1e-3)


def test_maxdiff_of_pairs_is_bradley_terry_of_twice_the_utility() -> None:
    answers = noisy(8, 40, 4, k=2)
    pairs = list(zip(answers.best.tolist(), answers.worst.tolist(), strict=True))
    theirs = choix.opt_pairwise(8, pairs)
    np.testing.assert_allclose(2 * scoring.maxdiff(8, [answers], ridge=1e-9), theirs, atol=1e-3)


def test_maxdiff_likelihood_by_enumeration() -> None:
    u = np.array([0.3, -0.4, 1.1, 0.0])
    gradient = np.zeros(4)
    loss = scoring._maxdiff_part(u, Answers(np.array([[0, 1, 2, 3]]), np.array([2]), np.array([0])), gradient)
    total = sum(np.exp(u[x] - u[y]) for x, y in permutations(range(4), 2))
    assert loss == pytest.approx(-(u[2] - u[0]) + log(total))


@pytest.mark.parametrize("part", ["maxdiff", "choice"])
def test_gradients(part: str) -> None:
    answers = noisy(8, 3, 1)

    def both(u: np.ndarray) -> tuple[float, np.ndarray]:
        gradient = np.zeros(8)
        if part == "maxdiff":
            return scoring._maxdiff_part(u, answers, gradient), gradient
        return scoring._choice(u, answers.tuples, answers.best, gradient), gradient

    u = np.random.default_rng(0).normal(size=8)
    assert check_grad(lambda x: both(x)[0], lambda x: both(x)[1], u) < 1e-5


def _elo_gain(winner: float, loser: float) -> float:
    return 30.0 / (1.0 + 10.0 ** ((winner - loser) / 400.0))


class _InOrder(np.random.Generator):
    """A stand-in for a generator that leaves the order alone."""

    def __init__(self) -> None:
        super().__init__(np.random.PCG64(0))

    def permutation(self, x: Any, axis: int = 0) -> Any:
        return np.arange(x)


def test_elo_and_value_step_by_step() -> None:
    """One pass in order: the game, then the dummy's wins, then the dummy's losses."""
    only = [Answers(np.array([[0, 1]]), np.array([0]), np.array([1]))]
    r, v = np.zeros(4), np.full(4, 0.5)
    for w, l in [(0, 1), (2, 0), (2, 1), (0, 3), (1, 3)]:
        gain = _elo_gain(r[w], r[l])
        r[w], r[l] = r[w] + gain, r[l] - gain
        odds_w, odds_l = v[w] / (1 - v[w]), v[l] / (1 - v[l])
        salience = 1 - odds_w / (odds_w + odds_l)
        v[w], v[l] = v[w] + salience * 0.025 * (1 - v[w]), v[l] - salience * 0.025 * v[l]
        if (w, l) == (0, 1):
            assert list(r[:2]) == [15, -15]
            assert v[:2] == pytest.approx([0.50625, 0.49375])
    np.testing.assert_allclose(elo(2, only, _InOrder(), passes=1), r[:2])
    np.testing.assert_allclose(value_learning(2, only, _InOrder(), passes=1), v[:2])


@pytest.mark.parametrize("name", ANY_ORDER)
def test_scorers_recover_a_clear_order(name: str) -> None:
    values = np.random.default_rng(7).normal(size=40)
    tuples = balanced_design(40, 4, 30, np.random.default_rng(8))
    scores = ANY_ORDER[name](40, [perfect(tuples, values)])
    assert spearmanr(scores, values).statistic > 0.97


@pytest.mark.parametrize("name", ["counting", "abw", "pl", "maxdiff", "bt"])
def test_swapping_best_and_worst_reverses_the_ranking(name: str) -> None:
    answers = noisy(20, 8, 6)
    plus = ANY_ORDER[name](20, [answers])
    minus = ANY_ORDER[name](20, [answers.reversed()])
    if name in {"bt", "pl"}:
        # Choosing the best first is not the mirror image of choosing the worst first, and BT
        # stops before full convergence: only the order is reversed.
        assert spearmanr(plus, minus).statistic < -0.99
    else:
        np.testing.assert_allclose(plus, -minus, atol=2e-3)


@pytest.mark.parametrize("name", ANY_ORDER)
def test_scorers_accept_items_never_shown_and_no_answers(name: str) -> None:
    some = ANY_ORDER[name](9, [noisy(8, 2, 0)])
    none = ANY_ORDER[name](3, [])
    assert np.isfinite(some).all()
    assert some[:8].min() < some[8] < some[:8].max()
    assert np.ptp(none) < 40 if name == "elo" else np.ptp(none) < 0.1
