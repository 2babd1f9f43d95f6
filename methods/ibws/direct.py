"""Direct assessment: sliders, k-point scales, several items a screen, EASL."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.method import ProblemError
from methods.ibws.crowd import Judge, Ratings
from methods.ibws.designs import Floats, Ints, bucket_designs


def direct_assessment(
    n_items: int,
    judge: Judge,
    rng: np.random.Generator,
    *,
    raters: int,
    workers: int,
    points: int = 0,
    per_screen: int = 1,
) -> Ratings:
    """Let ``raters`` different workers rate each item.

    Args:
        n_items: Number of items n.
        judge: Who answers.
        rng: Source of screens and of the assignment of workers.
        raters: Ratings of each item.
        workers: Size of the crowd; with several items a screen, a worker may meet an item twice.
        points: Points of the scale; 0 for a slider.
        per_screen: Items on a screen.

    Returns:
        At least n * raters ratings (more if n is not divisible by ``per_screen``).

    Raises:
        ProblemError: If the crowd has fewer workers than raters are asked for, or an argument
            is below 1.
    """
    _check(n_items, raters, workers, per_screen)
    if per_screen == 1:
        chosen = np.argsort(rng.random((n_items, workers)), axis=1)[:, :raters]
        screens = np.tile(np.arange(n_items), raters)[:, None]
        return judge.rate(screens, chosen.T.ravel(), points)
    screens = bucket_designs(np.zeros(n_items, dtype=np.intp), per_screen, raters, rng)
    return judge.rate(screens, _draw_workers(screens, workers, rng), points)


def _check(n_items: int, raters: int, workers: int, per_screen: int) -> None:
    if raters > workers:
        raise ProblemError(
            f"{raters} raters an item are asked for, but the crowd has {workers}",
            where=f"raters={raters}, workers={workers}",
            fix="Ask for fewer raters, or give a larger crowd.",
        )
    if raters < 1 or not 1 <= per_screen <= n_items:
        raise ProblemError(
            "Each item needs a rater, and a screen between one item and all",
            where=f"raters={raters}, per_screen={per_screen}, items={n_items}",
            fix="Set raters to 1 or more and per_screen to at most the number of items.",
        )


def mean_by_item(n_items: int, ratings: Ratings) -> Floats:
    """Shape (n,): mean rating of each item; .5, the middle, for items without ratings."""
    sums = np.bincount(ratings.items, weights=ratings.values, minlength=n_items)
    counts = np.bincount(ratings.items, minlength=n_items)
    return np.where(counts > 0, sums / np.maximum(counts, 1), 0.5)


def normalised_by_worker(ratings: Ratings) -> Ratings:
    """The same ratings as z-scores within each worker.

    A worker with one rating, or with equal ratings only, says nothing about differences: 0.
    """
    w = ratings.workers
    counts = np.maximum(np.bincount(w), 1)
    means = np.bincount(w, weights=ratings.values) / counts
    centred = ratings.values - means[w]
    sds = np.sqrt(np.bincount(w, weights=centred**2) / counts)
    # Equal ratings differ from their mean by rounding only.
    spread = sds[w] > 1e-9
    return Ratings(ratings.items, w, np.where(spread, centred / np.where(spread, sds[w], 1.0), 0.0))


def easl(
    n_items: int,
    judge: Judge,
    rng: np.random.Generator,
    *,
    budget: float,
    workers: int,
    per_screen: int = 5,
    hits: int = 0,
    gamma: float = 0.1,
) -> Floats:
    """Efficient annotation of scalar labels (Sakaguchi and Van Durme, 2018).

    Each item has a Beta(alpha, beta) belief, (1, 1) at the start; a rating s adds s to alpha and
    1 - s to beta. After a first pass over all items, every iteration takes the items with the
    largest variance, and shows each with companions drawn by match quality.

    Args:
        n_items: Number of items n.
        judge: Who answers.
        rng: Source of randomness.
        budget: Ratings an item on average, the first pass included.
        workers: Size of the crowd.
        per_screen: Items on a screen.
        hits: Screens in an iteration; 0 for as many as one pass over all items needs.
        gamma: g of the match quality.

    Returns:
        Shape (n,): the mode of each belief.

    Raises:
        ProblemError: If an argument is below 1 or there are fewer items than a screen holds.
    """
    _check(n_items, 1, workers, per_screen)
    beliefs = Beliefs(np.ones(n_items), np.ones(n_items))
    screens = bucket_designs(np.zeros(n_items, dtype=np.intp), per_screen, 1, rng)
    total = max(screens.shape[0], round(budget * n_items / per_screen))
    hits = hits or screens.shape[0]
    while screens.shape[0]:
        total -= screens.shape[0]
        beliefs = beliefs.updated(judge.rate(screens, _draw_workers(screens, workers, rng)))
        leaders = np.lexsort((rng.random(n_items), -beliefs.variance))[: min(hits, total)]
        screens = _with_companions(beliefs, leaders, per_screen, gamma, rng)
    return beliefs.mode


@dataclass(frozen=True)
class Beliefs:
    """EASL's Beta(a, b) belief about each of n items.

    Attributes:
        a: Shape (n,).
        b: Shape (n,).
    """

    a: Floats
    b: Floats

    @property
    def mode(self) -> Floats:
        """Shape (n,): (a - 1) / (a + b - 2); .5 where there are no data yet."""
        total = self.a + self.b - 2
        return np.where(total > 0, (self.a - 1) / np.where(total > 0, total, 1.0), 0.5)

    @property
    def variance(self) -> Floats:
        """Shape (n,): a b / ((a + b)^2 (a + b + 1))."""
        total = self.a + self.b
        variance: Floats = self.a * self.b / (total**2 * (total + 1))
        return variance

    def updated(self, ratings: Ratings) -> Beliefs:
        """The beliefs after ratings s in [0, 1]: a gains s, b gains 1 - s."""
        n = self.a.size
        plus = np.bincount(ratings.items, weights=ratings.values, minlength=n)
        minus = np.bincount(ratings.items, weights=1 - ratings.values, minlength=n)
        return Beliefs(self.a + plus, self.b + minus)


def match_quality(beliefs: Beliefs, item: int, gamma: float) -> Floats:
    """Shape (n,): how informative it is to show each item beside ``item``.

    q = sqrt(2 g^2 / c) exp(-(m_i - m_j)^2 / (2 c)) with c = 2 g^2 + var_i + var_j.
    """
    mode, variance = beliefs.mode, beliefs.variance
    c = 2 * gamma**2 + variance[item] + variance
    quality: Floats = np.sqrt(2 * gamma**2 / c) * np.exp(-((mode[item] - mode) ** 2) / (2 * c))
    return quality


def _with_companions(
    beliefs: Beliefs, leaders: Ints, per_screen: int, gamma: float, rng: np.random.Generator
) -> Ints:
    """Shape (leaders, per_screen): each leader with companions drawn in proportion to quality."""
    screens = np.empty((leaders.size, per_screen), dtype=np.intp)
    for row, leader in enumerate(leaders):
        quality = match_quality(beliefs, int(leader), gamma)
        # The largest of log q + Gumbel noise are draws without replacement in proportion to q.
        keys = np.log(quality) + rng.gumbel(size=quality.size)
        # So the leader is always on its own screen.
        keys[leader] = np.inf
        screens[row] = np.argpartition(-keys, per_screen - 1)[:per_screen]
    return screens


def _draw_workers(screens: Ints, workers: int, rng: np.random.Generator) -> Ints:
    drawn: Ints = rng.integers(workers, size=screens.shape[:1], dtype=np.intp)
    return drawn
