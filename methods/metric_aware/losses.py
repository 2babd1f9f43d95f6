"""Losses of a decision v where the truth is y, and the metrics that do not decompose.

Each loss takes two arrays that broadcast and gives their elementwise loss.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from harness.method import ProblemError

Floats = NDArray[np.float64]
Loss = Callable[[Floats, Floats], Floats]
"""From truths and decisions to losses."""


def squared(truth: Floats, decision: Floats) -> Floats:
    """(y − v)²."""
    return np.square(truth - decision)


def absolute(truth: Floats, decision: Floats) -> Floats:
    """|y − v|."""
    return np.abs(truth - decision)


def zero_one(truth: Floats, decision: Floats) -> Floats:
    """1 unless v = y."""
    return np.asarray(truth != decision, dtype=np.float64)


def pinball(level: float) -> Loss:
    """Quantile loss: τ (y − v) above the decision, (1 − τ)(v − y) below it.

    Raises:
        ProblemError: If τ is not strictly between 0 and 1.
    """
    _check(0 < level < 1, f"τ = {level:g} is no level of a quantile", "Choose 0 < τ < 1.")

    def loss(truth: Floats, decision: Floats) -> Floats:
        gap = truth - decision
        found: Floats = np.maximum(level * gap, (level - 1) * gap)
        return found

    return loss


def relative(truth: Floats, decision: Floats) -> Floats:
    """|y − v| / y, the summand of MAPE; y > 0."""
    return np.abs(truth - decision) / truth


def squared_relative(truth: Floats, decision: Floats) -> Floats:
    """((y − v) / y)²; y ≠ 0."""
    return np.square((truth - decision) / truth)


def squared_log(truth: Floats, decision: Floats) -> Floats:
    """(log(1 + y) − log(1 + v))²; both above −1."""
    found: Floats = np.square(np.log1p(truth) - np.log1p(decision))
    return found


def huber(width: float) -> Loss:
    """½(y − v)² within δ of the decision, δ(|y − v| − δ/2) beyond.

    Raises:
        ProblemError: If δ is not positive.
    """
    _check(width > 0, f"δ = {width:g} is no width", "Choose δ > 0.")

    def loss(truth: Floats, decision: Floats) -> Floats:
        gap = np.abs(truth - decision)
        found: Floats = np.where(gap <= width, 0.5 * gap**2, width * (gap - 0.5 * width))
        return found

    return loss


def miss(tolerance: float) -> Loss:
    """1 unless |y − v| ≤ δ (up to rounding).

    Raises:
        ProblemError: If δ is negative.
    """
    _check(tolerance >= 0, f"δ = {tolerance:g} is no tolerance", "Choose δ ≥ 0.")

    def loss(truth: Floats, decision: Floats) -> Floats:
        return np.asarray(np.abs(truth - decision) > tolerance + 1e-9, dtype=np.float64)

    return loss


def quadratic_weighted_kappa(truth: Floats, decision: Floats) -> float:
    """1 − Σ(y − v)² / (what independent margins would give); 0 if nothing varies (Cohen)."""
    observed = float(np.mean(np.square(truth - decision)))
    chance = float(np.mean(np.square(truth[:, None] - decision[None, :])))
    return 1.0 - observed / chance if chance else 0.0


def multipartite_auc(truth: Floats, score: Floats, *, weighted: bool = False) -> float:
    """Share of the pairs with different truths that the score orders rightly; a tie is half right.

    Args:
        truth: Grades, shape (N,).
        score: Larger for larger grades, shape (N,).
        weighted: Weigh a pair by |y − y'|, the cost of misranking it; else all pairs alike.

    Raises:
        ProblemError: If all truths are equal.
    """
    gap = truth[:, None] - truth[None, :]
    above = gap > 0
    _check(bool(above.any()), "All truths are equal, so that nothing can be ranked", "Add other grades.")
    order = np.sign(score[:, None] - score[None, :])[above]
    weights = gap[above] if weighted else np.ones(int(above.sum()))
    return float(np.average((order + 1) / 2, weights=weights))


def _check(holds: bool, what: str, fix: str) -> None:  # noqa: FBT001
    if not holds:
        raise ProblemError(what, where="methods.metric_aware.losses", fix=fix)
