"""Temperatures and maps fitted on held-out data, never on test data (card §3.3, §10)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from methods.metric_aware import losses
from methods.metric_aware.distributions import from_scores
from methods.metric_aware.rules import Decide

Floats = NDArray[np.float64]

TEMPERATURES: tuple[float, ...] = tuple(np.round(np.geomspace(0.1, 10.0, 25), 4).tolist())
"""Where temperatures are searched."""


def scan_temperatures(
    values: Sequence[float],
    scores: Floats,
    truth: Floats,
    decide: Decide,
    loss: losses.Loss,
    *,
    temperatures: Sequence[float] = TEMPERATURES,
) -> Floats:
    """Mean loss of a rule at each temperature.

    Args:
        values: The grid.
        scores: Log-probabilities (N, V).
        truth: Labels (N,).
        decide: The rule.
        loss: What it is measured by.
        temperatures: Where to look.
    """
    found = []
    for temperature in temperatures:
        predictive = from_scores(values, scores, temperature=temperature)
        found.append(float(loss(truth, decide(predictive.values, predictive.law)).mean()))
    return np.array(found)


def best_temperature(
    values: Sequence[float], scores: Floats, truth: Floats, decide: Decide, loss: losses.Loss
) -> float:
    """The temperature with the least mean loss; of several, the one nearest to 1 on a log scale."""
    found = scan_temperatures(values, scores, truth, decide, loss)
    tied = [one for one, value in zip(TEMPERATURES, found, strict=True) if value <= found.min() + 1e-12]
    return min(tied, key=lambda one: abs(np.log(one)))


def negative_log_likelihood(
    values: Sequence[float], scores: Floats, truth: Floats, temperature: float
) -> float:
    """Mean −log p of the grid value nearest to the label, in nats."""
    predictive = from_scores(values, scores, temperature=temperature)
    nearest = np.abs(truth[:, None] - predictive.values[None, :]).argmin(axis=1)
    chosen = predictive.law[np.arange(len(truth)), nearest]
    return float(-np.log(np.maximum(chosen, 1e-300)).mean())


def likeliest_temperature(values: Sequence[float], scores: Floats, truth: Floats) -> float:
    """The temperature with the largest likelihood of the labels."""
    found = [negative_log_likelihood(values, scores, truth, one) for one in TEMPERATURES]
    return TEMPERATURES[int(np.argmin(found))]


def linear_map(decisions: Floats, truth: Floats) -> tuple[float, float]:
    """Slope and intercept of the least-squares line from decisions to labels; slope 0 if none varies."""
    if np.ptp(decisions) == 0:
        return 0.0, float(truth.mean())
    slope, intercept = np.polyfit(decisions, truth, 1)
    return float(slope), float(intercept)


def kappa_thresholds(decisions: Floats, truth: Floats, grades: Floats, *, rounds: int = 3) -> Floats:
    """Cuts between grades, chosen one after the other for quadratic weighted kappa.

    Args:
        decisions: Real-valued decisions on held-out data (N,).
        truth: Their grades (N,).
        grades: All grades, ascending (G,).
        rounds: Passes over the cuts.

    Returns:
        Ascending cuts (G − 1,): a decision between cut i − 1 and cut i becomes grade i.
    """
    cuts = (grades[1:] + grades[:-1]) / 2
    choices = np.unique(np.quantile(decisions, np.linspace(0, 1, 41)))
    for _ in range(rounds):
        for place in range(len(cuts)):
            low = cuts[place - 1] if place else -np.inf
            high = cuts[place + 1] if place + 1 < len(cuts) else np.inf
            allowed = [cuts[place], *choices[(choices >= low) & (choices <= high)]]
            scores = []
            for cut in allowed:
                tried = np.concatenate([cuts[:place], [cut], cuts[place + 1 :]])
                graded = grades[np.searchsorted(tried, decisions, side="right")]
                scores.append(losses.quadratic_weighted_kappa(truth, graded))
            cuts[place] = allowed[int(np.argmax(scores))]
    return cuts
