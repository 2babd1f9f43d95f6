"""Split-half reliability: the answers to each question are divided, not the questions."""

from __future__ import annotations

from statistics import fmean, stdev

import numpy as np
import pytest
from scipy.stats import spearmanr

from harness.method import ProblemError
from methods.ibws.answers import Answers
from methods.ibws.crowd import Ratings, crowd_of
from methods.ibws.halves import answer_halves, divided, rating_halves
from methods.ibws.method import BestWorst, DirectAssessment
from methods.ibws.problems import AnnotationProblem
from methods.ibws.scoring import counting
from tests.methods.ibws.conftest import FakeContext

POOLS = [[-3, -2, -2], [-2, -1, 0], [-1, 0, 0], [-1, 0, 2], [0, 1, 1], [0, 1, 3], [1, 2, 3], [2, 3, 3]]
"""Three ratings of each of eight items."""
DRAWS = 400


def _problem() -> AnnotationProblem:
    crowd = crowd_of([np.array(pool, dtype=np.float64) for pool in POOLS], np.random.default_rng(0))
    return AnnotationProblem(tuple("abcdefgh"), crowd, crowd)


def _measured(method: BestWorst | DirectAssessment) -> list[float]:
    found = []
    for seed in range(DRAWS):
        halves = method.run(_problem(), FakeContext(seed=seed)).halves
        assert halves is not None
        found.append(float(spearmanr(*halves).statistic))
    return found


def _ranks(values: list[float]) -> list[float]:
    return [
        sum(other < one for other in values) + sum(other == one for other in values) / 2 for one in values
    ]


def _rho(one: list[float], two: list[float]) -> float:
    a, b = ([rank - fmean(ranks) for rank in ranks] for ranks in (_ranks(one), _ranks(two)))
    return (
        sum(x * y for x, y in zip(a, b, strict=True)) / (sum(x * x for x in a) * sum(y * y for y in b)) ** 0.5
    )


def _reference(rng: np.random.Generator, *, of_each_tuple: bool) -> float:
    """Four tuples an item, two answers each, counted in two halves; with nothing of the code under test."""
    tuples = []
    for _ in range(4):
        order = rng.permutation(8).tolist()
        tuples += [order[:4], order[4:]]
    answers = []
    for shown in tuples:
        for _ in range(2):
            heard = {item: rng.choice(POOLS[item]) + rng.uniform(-0.5, 0.5) for item in shown}
            answers.append((shown, max(heard, key=heard.__getitem__), min(heard, key=heard.__getitem__)))
    sides = [place % 2 for place in range(16)]
    if of_each_tuple:
        for first in range(0, 16, 2):
            sides[first : first + 2] = rng.permutation(2).tolist()
    else:
        # What goes wrong if tuples are divided: both answers to a tuple fall into one half.
        half = rng.permutation(8)[:4].tolist()
        sides = [int(place // 2 in half) for place in range(16)]
    scores = []
    for side in (0, 1):
        net, seen = [0.0] * 8, [0.0] * 8
        for (shown, best, worst), own in zip(answers, sides, strict=True):
            if own == side:
                net[best] += 1
                net[worst] -= 1
                for item in shown:
                    seen[item] += 1
        scores.append([up / max(count, 1) for up, count in zip(net, seen, strict=True)])
    return _rho(*scores)


def test_reliability_is_that_of_a_slow_reference_which_divides_each_tuples_answers() -> None:
    rng = np.random.default_rng(7)
    right = [_reference(rng, of_each_tuple=True) for _ in range(DRAWS)]
    wrong = [_reference(rng, of_each_tuple=False) for _ in range(DRAWS)]
    found = _measured(BestWorst(appearances=4, raters_per_tuple=2, scorer="counting", split_half=True))
    error = ((stdev(found) ** 2 + stdev(right) ** 2) / DRAWS) ** 0.5
    assert abs(fmean(found) - fmean(right)) < 4 * error
    # Whole tuples in either half agree less: the items of a half have met other rivals.
    assert fmean(found) - fmean(wrong) > 8 * error


def test_each_half_has_one_answer_to_every_tuple() -> None:
    rng = np.random.default_rng(3)
    tuples = np.repeat(np.arange(8).reshape(2, 4), 2, axis=0)
    answers = Answers(tuples, tuples[:, 0], tuples[:, 3])
    seen: list[list[list[int]]] = []

    def score(some: Answers) -> np.ndarray:
        seen.append(some.tuples.tolist())
        return counting(8, [some])

    halves = answer_halves(answers, 2, score, rng)
    assert halves.shape == (2, 8)
    assert seen == [[[0, 1, 2, 3], [4, 5, 6, 7]]] * 2


def test_which_answer_falls_into_which_half_is_drawn_question_by_question() -> None:
    rng = np.random.default_rng(1)
    question = np.repeat(np.arange(500), 2)
    side = divided(question, rng).reshape(500, 2)
    assert (side.sum(axis=1) == 1).all()
    assert 200 < side[:, 0].sum() < 300


def test_an_odd_answer_goes_to_the_halves_in_turn() -> None:
    side = divided(np.repeat(np.arange(10), 3), np.random.default_rng(2)).reshape(10, 3)
    assert set(side.sum(axis=1).tolist()) == {1, 2}
    assert side.sum() == 15


def test_halves_of_ratings_are_means_of_each_items_own() -> None:
    ratings = Ratings(np.array([0, 1, 0, 1]), np.arange(4), np.array([0.1, 0.6, 0.3, 0.8]))
    halves = rating_halves(2, ratings, np.random.default_rng(0))
    assert sorted(halves[:, 0]) == [0.1, 0.3]
    assert sorted(halves[:, 1]) == [0.6, 0.8]


@pytest.mark.parametrize("method", [BestWorst(split_half=True), DirectAssessment(raters=1, split_half=True)])
def test_a_single_answer_cannot_be_divided(method: BestWorst) -> None:
    with pytest.raises(ProblemError, match="single answer"):
        method.run(_problem(), FakeContext())
