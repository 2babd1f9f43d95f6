"""The best decision for each metric, given a distribution over a numeric grid (card §3.2).

A rule takes the grid's values (V,), ascending, and probabilities (N, V), and gives one decision for
each row (N,). Probabilities need not sum to 1 where the rule is linear in them (the unnormalised
read-out of RAFT); rules that compare masses take the row's total as 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from harness.method import ProblemError
from methods.metric_aware import losses

Floats = NDArray[np.float64]
Decide = Callable[[Floats, Floats], Floats]
"""From grid values (V,) and probabilities (N, V) to decisions (N,)."""

ROUNDING = 1e-12
"""Cumulative probabilities this close to a level count as having reached it: sums are rounded."""


@dataclass(frozen=True)
class Rule:
    """How to decide for one metric.

    Attributes:
        name: For reports.
        metric: What the decision is best for.
        decide: The decision.
        origin: Whether the paper has the rule, or this project adds it.
        loss: What the decision minimises in expectation; None where the metric ranks.
    """

    name: str
    metric: str
    decide: Decide
    origin: Literal["paper", "extension"]
    loss: losses.Loss | None = None


def mode(values: Floats, law: Floats) -> Floats:
    """The most probable value; of several, the least. Best for exact match."""
    found: Floats = values[law.argmax(axis=1)]
    return found


def mean(values: Floats, law: Floats) -> Floats:
    """Σ pᵢ yᵢ. Best for squared error."""
    found: Floats = law @ values
    return found


def quantile(level: float) -> Decide:
    """The least value up to which at least the share ``level`` of the mass lies. Best for pinball loss."""

    def decide(values: Floats, law: Floats) -> Floats:
        return _weighted_quantile(values, law, level)

    return decide


def median(values: Floats, law: Floats) -> Floats:
    """The lower median. Best for absolute error."""
    return _weighted_quantile(values, law, 0.5)


def above(threshold: float) -> Decide:
    """P(y ≥ threshold). Best for the AUC of the grades from the threshold up against the others."""

    def decide(values: Floats, law: Floats) -> Floats:
        found: Floats = law[:, values >= threshold].sum(axis=1)
        return found

    return decide


def expected_gain(gain: Callable[[Floats], Floats]) -> Decide:
    """Σ pᵢ c(yᵢ): best to rank where misranking y' above y costs c(y) − c(y'), and for DCG."""

    def decide(values: Floats, law: Floats) -> Floats:
        found: Floats = law @ gain(values)
        return found

    return decide


def expected_rank(margin: Floats) -> Decide:
    """Expected mid-rank of the truth among labels with the distribution ``margin`` (V,). For Spearman."""
    middle = margin.cumsum() - margin / 2

    def decide(values: Floats, law: Floats) -> Floats:
        found: Floats = law @ middle
        return found

    return decide


def relative_median(values: Floats, law: Floats) -> Floats:
    """Median under weights pᵢ / yᵢ. Best for MAPE.

    Raises:
        ProblemError: If a value of the grid is not positive.
    """
    _positive(values, "MAPE")
    return _weighted_quantile(values, law / values, 0.5)


def relative_mean(values: Floats, law: Floats) -> Floats:
    """Σ(pᵢ / yᵢ) / Σ(pᵢ / yᵢ²). Best for squared relative error.

    Raises:
        ProblemError: If a value of the grid is not positive.
    """
    _positive(values, "relative error")
    found: Floats = (law / values).sum(axis=1) / (law / values**2).sum(axis=1)
    return found


def log_mean(values: Floats, law: Floats) -> Floats:
    """exp(Σ pᵢ log(1 + yᵢ)) − 1. Best for squared error of log(1 + y).

    Raises:
        ProblemError: If a value of the grid is −1 or less.
    """
    if values.min() <= -1:
        raise ProblemError(
            f"log(1 + y) has no value at y = {values.min():g}",
            where="grid",
            fix="Use squared error for grids with such values.",
        )
    return np.expm1(law @ np.log1p(values))


def huber(width: float) -> Decide:
    """The point where Σ pᵢ clip(v − yᵢ, −δ, δ) is 0. Best for Huber loss.

    That sum grows with v and is linear between the points yᵢ ± δ, so the root is interpolated; where
    it is 0 over a stretch, the lower end is taken.
    """

    def decide(values: Floats, law: Floats) -> Floats:
        points = np.unique(np.concatenate([values - width, values + width]))
        slopes = law @ np.clip(points[None, :] - values[:, None], -width, width)
        reached = (slopes >= -ROUNDING).argmax(axis=1)
        rows = np.arange(len(law))
        before = np.maximum(reached - 1, 0)
        low, high = slopes[rows, before], slopes[rows, reached]
        share = np.divide(-low, high - low, out=np.ones_like(low), where=high > low)
        found: Floats = points[before] + np.clip(share, 0.0, 1.0) * (points[reached] - points[before])
        return found

    return decide


def heaviest_window(tolerance: float) -> Decide:
    """Centre of the interval of length 2δ with the largest mass; of several, the lowest."""

    def decide(values: Floats, law: Floats) -> Floats:
        # A heaviest window can be moved up until it begins at a value of the grid.
        gap = values[None, :] - values[:, None]
        inside = (gap >= 0) & (gap <= 2 * tolerance + 1e-9)
        masses = law @ inside.T.astype(np.float64)
        best = (masses >= masses.max(axis=1, keepdims=True) - ROUNDING).argmax(axis=1)
        found: Floats = values[best] + tolerance
        return found

    return decide


def cheapest(cost: Floats, decisions: Floats) -> Decide:
    """argmin over decisions of Σ pᵢ C(yᵢ, v); of several, the first.

    Args:
        cost: C, shape (V, D).
        decisions: Values of the D decisions.

    Raises:
        ProblemError: If the shapes do not fit.
    """

    def decide(values: Floats, law: Floats) -> Floats:
        if cost.shape != (len(values), len(decisions)):
            raise ProblemError(
                f"The cost matrix has the shape {cost.shape} for {len(values)} values of the grid and "
                f"{len(decisions)} decisions",
                where="cost",
                fix="Give a row for each value and a column for each decision.",
            )
        found: Floats = decisions[(law @ cost).argmin(axis=1)]
        return found

    return decide


def best_rules(margin: Floats, *, threshold: float) -> tuple[Rule, ...]:
    """All rules with a closed form.

    Args:
        margin: Distribution of the labels over the grid, for Spearman's rule, shape (V,).
        threshold: The least grade that counts as positive, for the bipartite AUC.
    """
    return (
        Rule("mode", "exact match", mode, "paper", losses.zero_one),
        Rule("mean", "squared error", mean, "paper", losses.squared),
        Rule("median", "absolute error", median, "paper", losses.absolute),
        Rule("probability", "bipartite AUC", above(threshold), "paper"),
        Rule("mean", "multi-partite AUC, Pearson", mean, "paper"),
        Rule("expected rank", "Spearman", expected_rank(margin), "extension"),
        Rule("lower quartile", "pinball, τ = ¼", quantile(0.25), "extension", losses.pinball(0.25)),
        Rule("relative median", "MAPE", relative_median, "extension", losses.relative),
        Rule("relative mean", "squared relative error", relative_mean, "extension", losses.squared_relative),
        Rule("log mean", "squared log error", log_mean, "extension", losses.squared_log),
        Rule("Huber point", "Huber, δ = 1", huber(1.0), "extension", losses.huber(1.0)),
        Rule("window", "hits within ½", heaviest_window(0.5), "extension", losses.miss(0.5)),
    )


def _weighted_quantile(values: Floats, weights: Floats, level: float) -> Floats:
    reached = weights.cumsum(axis=1)
    goal = level * reached[:, -1:] - ROUNDING * np.maximum(reached[:, -1:], 1e-300)
    found: Floats = values[(reached >= goal).argmax(axis=1)]
    return found


def _positive(values: Floats, metric: str) -> None:
    if values.min() <= 0:
        raise ProblemError(
            f"{metric} divides by the truth, and the grid holds {values.min():g}",
            where="grid",
            fix="Use it on positive grids only.",
        )
