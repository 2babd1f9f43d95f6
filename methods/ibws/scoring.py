"""From best-worst answers to scores: counting, Bradley-Terry, Plackett-Luce, MaxDiff, ABW.

The scorers that update one pair at a time are in :mod:`methods.ibws.pairwise`. All take the
number of items n and answers, and return n scores, larger for better; an item that was never
shown gets the score of an average item.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from methods.ibws.answers import Answers, pairs_of
from methods.ibws.designs import Floats, Ints

_CLIP = 0.9999
"""Bound of a counting score before the logarithm of :func:`abw` (Hollis)."""
_TINY = 1e-300
_LARGEST = 300.0
"""Bound of a log-score, so that its exponential stays finite."""


def shown_counts(n_items: int, answers: Sequence[Answers]) -> Floats:
    """Shape (n,): how often each item was shown."""
    total = np.zeros(n_items)
    for part in answers:
        total += np.bincount(part.tuples.ravel(), minlength=n_items)
    return total


def net_counts(n_items: int, answers: Sequence[Answers]) -> Floats:
    """Shape (n,): times best minus times worst."""
    total = np.zeros(n_items)
    for part in answers:
        total += np.bincount(part.best, minlength=n_items) - np.bincount(part.worst, minlength=n_items)
    return total


def counting(n_items: int, answers: Sequence[Answers]) -> Floats:
    """Counting score (#best - #worst) / #shown, in [-1, 1]."""
    return net_counts(n_items, answers) / np.maximum(shown_counts(n_items, answers), 1)


def abw(n_items: int, answers: Sequence[Answers]) -> Floats:
    """Analytic best-worst score log((1 + s) / (1 - s)) of the counting score s (Hollis, 2018)."""
    s = np.clip(counting(n_items, answers), -_CLIP, _CLIP)
    return np.log((1 + s) / (1 - s))


def bradley_terry(
    n_items: int,
    answers: Sequence[Answers],
    *,
    prior: float = 0.1,
    tolerance: float = 1e-5,
    max_iterations: int = 1000,
) -> Floats:
    """Bradley-Terry scores log p of the pairs that the answers decide.

    See :func:`bradley_terry_pairs`.
    """
    winners, losers = pairs_of(answers)
    return bradley_terry_pairs(
        n_items, winners, losers, prior=prior, tolerance=tolerance, max_iterations=max_iterations
    )


def bradley_terry_pairs(
    n_items: int,
    winners: Ints,
    losers: Ints,
    *,
    prior: float = 0.1,
    tolerance: float = 1e-5,
    max_iterations: int = 1000,
) -> Floats:
    """Bradley-Terry scores by minorisation-maximisation (Hunter, 2004).

    p_i <- (w_i + r) / (sum_j n_ij / (p_i + p_j) + 2r / (p_i + 1)): every item also plays 2r games
    against a virtual opponent of strength 1 and wins half of them, which bounds the scores when
    the data are separated. The update converges slowly, so every pair of updates is extrapolated
    (SQUAREM, Varadhan and Roland, 2008), which has the same fixed point.

    Args:
        n_items: Number of items.
        winners: Shape (P,).
        losers: Shape (P,).
        prior: r; 0 for maximum likelihood.
        tolerance: Largest change of a log-score in one update at which to stop.
        max_iterations: At most so many extrapolations, of three updates each.

    Returns:
        Shape (n,): log p; with ``prior=0`` centred, since only differences are defined then.
    """
    update = _minorise(n_items, winners, losers, prior)
    scores = np.zeros(n_items)
    for _ in range(max_iterations):
        first = update(scores)
        second = update(first)
        step, bend = first - scores, second - 2 * first + scores
        if np.abs(step).max(initial=0) < tolerance:
            break
        # Length 1 gives the second plain update; a shorter step would fall behind it.
        length = max(1.0, float(np.linalg.norm(step)) / max(float(np.linalg.norm(bend)), 1e-12))
        # The extrapolated point may be worse; the update after it is SQUAREM's stabilising step.
        scores = update(scores + 2 * length * step + length**2 * bend)
    return scores


def _minorise(n_items: int, winners: Ints, losers: Ints, prior: float) -> Callable[[Floats], Floats]:
    """One update of the Bradley-Terry log-scores."""
    low, high = np.minimum(winners, losers), np.maximum(winners, losers)
    keys, games = np.unique(low * n_items + high, return_counts=True)
    a, b = keys // n_items, keys % n_items
    both = np.concatenate([a, b])
    wins = np.maximum(np.bincount(winners, minlength=n_items) + prior, _TINY)

    def update(scores: Floats) -> Floats:
        p = np.exp(np.clip(scores, -_LARGEST, _LARGEST))
        shares = games / (p[a] + p[b])
        games_of = np.bincount(both, weights=np.concatenate([shares, shares]), minlength=n_items)
        denominator = games_of + 2 * prior / (p + 1)
        new: Floats = np.log(wins) - np.log(np.maximum(denominator, _TINY))
        # An item without games keeps its score; without a prior only differences are defined.
        new = np.where(denominator > 0, new, scores)
        return new - new.mean() if prior == 0 else new

    return update


def plackett_luce(n_items: int, answers: Sequence[Answers], *, ridge: float = 0.01) -> Floats:
    """Plackett-Luce utilities: the best is chosen from k items, then the worst from the rest.

    P(best = b) = exp(u_b) / sum_x exp(u_x) over the tuple, and
    P(worst = w | b) = exp(-u_w) / sum_{x != b} exp(-u_x).

    Args:
        n_items: Number of items.
        answers: Best-worst answers.
        ridge: Weight of the penalty ridge / 2 * |u|^2.

    Returns:
        Shape (n,): utilities u.
    """

    def loss(u: Floats) -> tuple[float, Floats]:
        value, gradient = 0.0, np.zeros(n_items)
        for part in answers:
            value += _choice(u, part.tuples, part.best, gradient)
            # The worst is chosen by -u, so its gradient in u has the other sign.
            mirrored = np.zeros(n_items)
            rest = part.tuples[part.tuples != part.best[:, None]].reshape(part.best.size, -1)
            value += _choice(-u, rest, part.worst, mirrored)
            gradient -= mirrored
        return value, gradient

    return _fit(loss, n_items, ridge)


def maxdiff(n_items: int, answers: Sequence[Answers], *, ridge: float = 0.01) -> Floats:
    """MaxDiff logit utilities: P(b, w) = exp(u_b - u_w) / sum_{x != y} exp(u_x - u_y).

    Args:
        n_items: Number of items.
        answers: Best-worst answers.
        ridge: Weight of the penalty ridge / 2 * |u|^2.

    Returns:
        Shape (n,): utilities u.
    """

    def loss(u: Floats) -> tuple[float, Floats]:
        value, gradient = 0.0, np.zeros(n_items)
        for part in answers:
            value += _maxdiff_part(u, part, gradient)
        return value, gradient

    return _fit(loss, n_items, ridge)


def _choice(u: Floats, tuples: Ints, chosen: Ints, gradient: Floats) -> float:
    """Negative log-likelihood of choices by exp(u); adds its gradient to ``gradient``."""
    top = u[tuples].max(axis=1, keepdims=True)
    weights = np.exp(u[tuples] - top)
    total = weights.sum(axis=1, keepdims=True)
    _scatter(gradient, tuples.ravel(), (weights / total).ravel())
    _scatter(gradient, chosen, np.full(chosen.size, -1.0))
    return float((np.log(total) + top).sum() - u[chosen].sum())


def _maxdiff_part(u: Floats, part: Answers, gradient: Floats) -> float:
    # With A = sum e^u and B = sum e^-u over a tuple, the denominator is A B - k.
    # Centring changes neither A B nor the gradient, and keeps the exponentials finite.
    local = u[part.tuples] - u[part.tuples].mean(axis=1, keepdims=True)
    plus, minus = np.exp(local), np.exp(-local)
    a, b = plus.sum(axis=1, keepdims=True), minus.sum(axis=1, keepdims=True)
    denominator = a * b - part.tuples.shape[1]
    _scatter(gradient, part.tuples.ravel(), ((plus * b - minus * a) / denominator).ravel())
    _scatter(gradient, part.best, np.full(part.best.size, -1.0))
    _scatter(gradient, part.worst, np.full(part.worst.size, 1.0))
    return float(np.log(denominator).sum() - (u[part.best] - u[part.worst]).sum())


def _scatter(target: Floats, index: Ints, values: Floats) -> None:
    # Not target[index] += values, which counts a repeated index once.
    target += np.bincount(index, weights=values, minlength=target.size)


def _fit(loss: Callable[[Floats], tuple[float, Floats]], n_items: int, ridge: float) -> Floats:
    from scipy.optimize import minimize

    def penalised(u: Floats) -> tuple[float, Floats]:
        value, gradient = loss(u)
        return value + ridge / 2 * float(u @ u), gradient + ridge * u

    options = {"maxiter": 1000, "ftol": 1e-12, "gtol": 1e-6}
    found = minimize(penalised, np.zeros(n_items), jac=True, method="L-BFGS-B", options=options)
    return np.asarray(found.x, dtype=np.float64)
