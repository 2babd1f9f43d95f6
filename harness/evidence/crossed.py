"""Variance of an estimate over units crossed with seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.evidence.distributions import Floats, StudentDistribution


@dataclass(frozen=True)
class Variances:
    """Variance components of θ̂, each already divided by its number of replicates.

    Attributes:
        units: From drawing other units.
        seeds: From drawing other seeds.
        total: What the rule makes of them.
        df: Satterthwaite's degrees of freedom, at least those of the seeds.
    """

    units: float
    seeds: float
    total: float
    df: float


def additive(matrices: Sequence[Floats], noise_floor: float = 0.0) -> Variances:
    """The max-rule for scores that are means over units.

    v = max(v_units + v_seeds − v_residual, v_units, v_seeds): unit means and seed means each
    carry the residual once, so their sum has it twice; the estimate of what is left may be
    negative, and never counts for less than the larger part.

    Args:
        matrices: θ of each unit and seed, shape (units, seeds), one matrix for each
            independent set of units; θ̂ is the sum of their means.
        noise_floor: Replaces a smaller standard deviation of θ between seeds.
    """
    parts = [_two_way(matrix) for matrix in matrices]
    n_seeds = matrices[0].shape[1]
    units = sum(part[0] for part in parts)
    residual = sum(part[1] for part in parts)
    by_seed = np.sum([matrix.mean(axis=0) for matrix in matrices], axis=0)
    seeds = max(float(np.var(by_seed, ddof=1)), noise_floor**2) / n_seeds
    total = max(units + seeds - residual, units, seeds)
    unit_terms = [(part[0], matrix.shape[0] - 1) for part, matrix in zip(parts, matrices, strict=True)]
    df = satterthwaite(total, [*unit_terms, (seeds, n_seeds - 1)], n_seeds - 1)
    return Variances(units, seeds, total, df)


def _two_way(matrix: Floats) -> tuple[float, float]:
    """(v_units, v_residual) of a units × seeds matrix."""
    n_units, n_seeds = matrix.shape
    rows, columns = matrix.mean(axis=1), matrix.mean(axis=0)
    rest = matrix - rows[:, None] - columns[None, :] + matrix.mean()
    mean_square = float(np.sum(rest**2)) / ((n_units - 1) * (n_seeds - 1))
    return float(np.var(rows, ddof=1)) / n_units, mean_square / (n_units * n_seeds)


def jackknifed(left_out: Sequence[Floats], by_seed: Floats, noise_floor: float = 0.0) -> Variances:
    """v_units + v_seeds for scores that are no means (correlations, ratios of sums).

    Args:
        left_out: θ̂ with one group of units left out, shape (groups,), one array for each
            independent set of units.
        by_seed: θ of each seed, shape (seeds,).
        noise_floor: Replaces a smaller standard deviation of θ between seeds.
    """
    parts = [jackknife_variance(values) for values in left_out]
    n_seeds = len(by_seed)
    seeds = max(float(np.var(by_seed, ddof=1)), noise_floor**2) / n_seeds
    units = sum(parts)
    terms = [(v, len(values) - 1) for v, values in zip(parts, left_out, strict=True)]
    total = units + seeds
    return Variances(units, seeds, total, satterthwaite(total, [*terms, (seeds, n_seeds - 1)], n_seeds - 1))


def jackknife_variance(left_out: Floats) -> float:
    """(G − 1)/G · Σ (θ̂₍g₎ − mean)², for groups of (nearly) equal size."""
    groups = len(left_out)
    return (groups - 1) / groups * float(np.sum((left_out - left_out.mean()) ** 2))


def satterthwaite(total: float, terms: Sequence[tuple[float, int]], least: int) -> float:
    """v² / Σ vᵢ²/dfᵢ, and at least ``least``.

    Args:
        total: The variance v.
        terms: Components (vᵢ, dfᵢ).
        least: Lower bound: the degrees of freedom that the seeds alone give.
    """
    below = sum(v**2 / df for v, df in terms)
    return max(total**2 / below, float(least)) if below > 0 else float(least)


def crossed_distribution(value: float, variances: Variances, n_seeds: int) -> StudentDistribution:
    """The t distribution of an estimate over units and seeds."""
    return StudentDistribution(value, float(np.sqrt(variances.total)), variances.df, n_seeds)
