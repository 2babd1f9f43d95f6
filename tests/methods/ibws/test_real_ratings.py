"""Facts of the real rating data, and the orientation figures measured beforehand on it.

Skipped where the data are not in the cache: tests use no network.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from scipy.stats import spearmanr

from harness.resources import Resolver
from methods.common.ratings import RATINGS, RatingSet
from methods.ibws import (
    Iteration,
    balanced_design,
    bradley_terry,
    counting,
    crowd_of,
    direct_assessment,
    easl,
    iterated_bws,
    mean_by_item,
    split_raters,
)

pytestmark = pytest.mark.slow
"""Slow tests see the user's cache; fast ones have an empty one."""


@pytest.fixture(scope="module")
def sets() -> Mapping[str, RatingSet]:
    resolver = Resolver.from_environment()
    if resolver.cached(RATINGS) is None:
        pytest.skip("the resource 'human-ratings' is not in the cache")
    return RATINGS.load(resolver.path(RATINGS))


@pytest.mark.parametrize(
    ("name", "sizes", "spread"),
    [
        ("amazon", (3708, 20, 20), 1.63),
        ("tweets", (4200, 20, 99), 1.53),
        ("movie", (10605, 15, 29), 1.92),
        ("nyt", (5190, 20, 20), 0.88),
    ],
)
def test_sizes_and_spreads(
    sets: Mapping[str, RatingSet], name: str, sizes: tuple[int, int, int], spread: float
) -> None:
    rated = sets[name]
    counts = [row.size for row in rated.ratings]
    assert (len(rated), min(counts), max(counts)) == sizes
    assert rated.means.std() == pytest.approx(spread, abs=0.006)
    assert rated.mismatched.sum() == (199 if name == "tweets" else 0)


@pytest.mark.parametrize(("name", "reliability"), [("amazon", 0.978), ("nyt", 0.925), ("movie", 0.952)])
def test_split_half_reliability(sets: Mapping[str, RatingSet], name: str, reliability: float) -> None:
    half = 7 if name == "movie" else 10
    one, two = split_raters(sets[name].ratings, (half, half), np.random.default_rng(0))
    found = spearmanr([row.mean() for row in one], [row.mean() for row in two]).statistic
    assert found == pytest.approx(reliability, abs=0.012)


Protocol = Callable[[Any, np.random.Generator], Any]
"""From a judge and a stream of random numbers to estimates."""


def _bws(appearances: int, scorer: Callable[..., Any]) -> Protocol:
    return lambda judge, rng: scorer(300, [judge.compare(balanced_design(300, 4, appearances, rng))])


def _ibws(**switches: Any) -> Protocol:
    return lambda judge, rng: iterated_bws(300, judge.compare, rng, Iteration(**switches)).estimate


def _direct(raters: int, points: int = 0) -> Protocol:
    return lambda judge, rng: mean_by_item(
        300, direct_assessment(300, judge, rng, raters=raters, workers=40, points=points)
    )


# Spearman's ρ on 300 product reviews, 10 raters as gold and 10 as pool, five draws. A draw of IBWS
# with one appearance has a standard deviation of about .03, the others less.
EXPECTED = {
    "slider-1": (0.901, _direct(1)),
    "slider-4": (0.957, _direct(4)),
    "slider-8": (0.969, _direct(8)),
    "five-point-4": (0.944, _direct(4, 5)),
    "easl-4": (0.955, lambda judge, rng: easl(300, judge, rng, budget=4, workers=40)),
    "bws-count-8": (0.912, _bws(8, counting)),
    "bws-bt-8": (0.928, _bws(8, bradley_terry)),
    "bws-bt-16": (0.953, _bws(16, bradley_terry)),
    "ibws-1": (0.725, _ibws(appearances=1)),
    "ibws-4": (0.917, _ibws(appearances=4)),
    "ibws-4-bt": (0.964, _ibws(appearances=4, final="bt_all")),
    "ibws-4-sign": (0.922, _ibws(appearances=4, split="sign")),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_orientation_figures(sets: Mapping[str, RatingSet], name: str) -> None:
    expected, protocol = EXPECTED[name]
    found = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        rated = sets["amazon"].take(rng.permutation(3708)[:300])
        gold, pool = split_raters(rated.ratings, (10, 10), rng)
        scores = protocol(crowd_of(pool, rng).session(rng), rng)
        found.append(spearmanr(scores, [row.mean() for row in gold]).statistic)
    assert np.mean(found) == pytest.approx(expected, abs=0.03)
