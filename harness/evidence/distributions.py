"""Sampling distributions of an estimate: its interval and its one-sided p-values.

A distribution answers two questions for any threshold, so that each rule reads p-values and intervals
that agree: the 95 % interval [L, U] has L above a threshold exactly if the p of θ ≤ threshold
is below .025.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

Floats = NDArray[np.float64]


class SamplingDistribution(Protocol):
    """The sampling distribution of an estimate of θ."""

    @property
    def se(self) -> float:
        """The standard error of the estimate."""

    def p_above(self, threshold: float) -> float:
        """One-sided p of the hypothesis θ ≤ ``threshold``; small if θ lies above it."""

    def p_below(self, threshold: float) -> float:
        """One-sided p of the hypothesis θ ≥ ``threshold``; small if θ lies below it."""

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """The two-sided confidence interval."""


@dataclass(frozen=True)
class StudentDistribution:
    """(θ̂ − θ) / se follows Student's t with ``df`` degrees of freedom.

    With ``se`` zero, nothing is known of the spread; the p-values are then those of the exact
    sign-flip test on ``n`` equal values, 2⁻ⁿ at least. A noise floor that stands for the spread of equal
    values makes none of them smaller: what is left open without it is not decided by it.

    Attributes:
        value: The estimate θ̂.
        se: Its standard error.
        df: Degrees of freedom.
        n: Independent replicates.
        equal: Whether they are equal, whatever ``se`` is.
    """

    value: float
    se: float
    df: float
    n: int
    equal: bool = False

    def p_above(self, threshold: float) -> float:
        """P(t ≥ (θ̂ − threshold) / se)."""
        if self.se > 0:
            return max(float(special.stdtr(self.df, (threshold - self.value) / self.se)), self._least)
        return 2.0**-self.n if self.value > threshold else 1.0

    def p_below(self, threshold: float) -> float:
        """P(t ≤ (θ̂ − threshold) / se)."""
        if self.se > 0:
            return max(float(special.stdtr(self.df, (self.value - threshold) / self.se)), self._least)
        return 2.0**-self.n if self.value < threshold else 1.0

    @property
    def _least(self) -> float:
        return 2.0**-self.n if self.equal else 0.0

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """θ̂ ± t · se; a point if ``se`` is zero."""
        half = float(special.stdtrit(self.df, 0.5 + level / 2)) * self.se if self.se > 0 else 0.0
        return self.value - half, self.value + half


@dataclass(frozen=True)
class BcaDistribution:
    """Efron's bias-corrected and accelerated bootstrap (1987), and its inversion to p-values.

    The endpoint at level α is the quantile Φ(z₀ + (z₀ + z_α) / (1 − a (z₀ + z_α))) of the
    resampled estimates. Solved for α, that gives the p of a threshold.

    Attributes:
        samples: Resampled estimates, sorted.
        z0: Bias correction.
        acceleration: a, from the jackknife.
    """

    samples: Floats
    z0: float
    acceleration: float

    @property
    def se(self) -> float:
        """The standard deviation of the resampled estimates."""
        return float(np.std(self.samples, ddof=1))

    def p_above(self, threshold: float) -> float:
        """The level α whose endpoint equals ``threshold``."""
        return self._level(threshold)

    def p_below(self, threshold: float) -> float:
        """The complement of :meth:`p_above`."""
        return 1.0 - self._level(threshold)

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """The endpoints at (1 − level) / 2 and (1 + level) / 2."""
        z = special.ndtri([(1 - level) / 2, (1 + level) / 2]) + self.z0
        at = special.ndtr(self.z0 + z / (1 - self.acceleration * z))
        low, high = np.quantile(self.samples, at)
        return float(low), float(high)

    def _level(self, threshold: float) -> float:
        size = len(self.samples)
        below = float(np.searchsorted(self.samples, threshold, "left"))
        equal = float(np.searchsorted(self.samples, threshold, "right")) - below
        # A threshold outside all samples is known only to be rarer than one in their number.
        share = min(max((below + equal / 2) / size, 1 / (size + 1)), size / (size + 1))
        w = float(special.ndtri(share)) - self.z0
        return float(special.ndtr(w / (1 + self.acceleration * w) - self.z0))


def student(values: Floats, noise_floor: float = 0.0) -> StudentDistribution | None:
    """The t distribution of the mean of independent replicates, with n − 1 degrees of freedom.

    Args:
        values: θ of each replicate, shape (n,).
        noise_floor: Replaces a smaller standard deviation.

    Returns:
        The distribution, or ``None`` for fewer than two replicates.
    """
    n = len(values)
    if n < 2:
        return None
    # Differences of equal numbers leave rounding errors, which are no spread.
    spread = float(np.std(values, ddof=1))
    rounding = 8 * float(np.finfo(np.float64).eps) * float(np.max(np.abs(values)))
    equal = spread <= rounding
    sd = max(0.0 if equal else spread, noise_floor)
    return StudentDistribution(float(np.mean(values)), sd / float(np.sqrt(n)), n - 1, n, equal)


def bca(value: float, samples: Floats, jackknife: Floats, units: int) -> SamplingDistribution:
    """The BCa distribution of an estimate.

    Args:
        value: The estimate on the data.
        samples: Estimates on resampled data, shape (resamples,).
        jackknife: Estimates with one unit (or one group of units) left out.
        units: Independent units; decides the p-values if no resample differs.

    Returns:
        The distribution; the degenerate t distribution if all resamples agree, where BCa is undefined.
    """
    ordered = np.sort(samples)
    if ordered[0] == ordered[-1]:
        return StudentDistribution(value, 0.0, units - 1, units)
    size = len(ordered)
    share = (np.sum(ordered < value) + np.sum(ordered == value) / 2) / size
    z0 = float(special.ndtri(min(max(share, 1 / (size + 1)), size / (size + 1))))
    away = np.mean(jackknife) - jackknife
    scale = 6.0 * float(np.sum(away**2)) ** 1.5
    return BcaDistribution(ordered, z0, float(np.sum(away**3)) / scale if scale > 0 else 0.0)


def sign_flip(values: Floats, rng: np.random.Generator, resamples: int = 9999) -> float:
    """One-sided p of θ ≤ 0 by flipping signs of paired differences.

    Exact (all 2ⁿ flips) where their number does not exceed ``resamples``.

    Args:
        values: Differences, shape (n,), symmetric about θ under the hypothesis θ = 0.
        rng: Draws the flips where not all are tried.
        resamples: Flips to draw at most.
    """
    whole = _whole(values)
    result = stats.permutation_test(
        (whole,),
        np.mean,
        permutation_type="samples",
        vectorized=True,
        alternative="greater",
        n_resamples=resamples,
        rng=rng,
    )
    return float(result.pvalue)


def sign_flip_of_many(values: Floats, rng: np.random.Generator, resamples: int = 9999) -> float:
    """As :func:`sign_flip`, for hundreds of seeds: SciPy shuffles pairs for it, and takes a second a claim.

    Args:
        values: Differences, shape (n,); so many that not all flips are tried.
        rng: Draws the flips.
        resamples: Flips to draw.
    """
    whole = _whole(values)
    count, chunk = 0, max(1, 2_000_000 // len(whole))
    for start in range(0, resamples, chunk):
        size = min(chunk, resamples - start)
        flipped = rng.integers(0, 2, size=(size, len(whole)), dtype=np.int8).astype(np.float64)
        # A flip takes a value twice from the sum.
        count += int(np.count_nonzero(flipped @ whole <= 0))
    return (count + 1) / (resamples + 1)


def _whole(values: Floats) -> Floats:
    """As whole numbers, so that sums which are equal are equal on every processor, and count as ties."""
    largest = float(np.max(np.abs(values), initial=0.0))
    return np.rint(values * (2.0**40 / largest)) if largest > 0 else values
