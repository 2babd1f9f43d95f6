"""How many replicates would settle a claim, and whether one of them collapsed."""

from __future__ import annotations

import math

import numpy as np
from scipy import special

from harness.evidence.distributions import Floats

MOST = 10_000
"""More replicates than this are not proposed."""

_COLLAPSE_LEVEL = 1e-3


def upper_sd(sd: float, df: float, confidence: float = 0.8) -> float:
    """Upper bound of a standard deviation: s · √(df / χ²), one-sided at ``confidence``."""
    return sd * math.sqrt(df / float(special.chdtri(df, confidence)))


def t_power(n: int, distance: float, sd: float, alpha: float, fixed_variance: float = 0.0) -> float:
    """Power of a one-sided t test against a threshold ``distance`` away, from the noncentral t.

    Args:
        n: Replicates.
        distance: From the true θ to the threshold, positive.
        sd: Of θ between replicates.
        alpha: One-sided level.
        fixed_variance: Of the estimate, which more replicates do not reduce.
    """
    se = math.sqrt(sd**2 / n + fixed_variance)
    missed = float(special.nctdtr(n - 1, distance / se, special.stdtrit(n - 1, 1 - alpha)))
    # Far out, where the distribution function underflows, SciPy gives NaN for what is zero.
    return 1.0 if math.isnan(missed) else 1.0 - missed


def needed(
    distance: float, sd: float, alpha: float, power: float = 0.8, fixed_variance: float = 0.0
) -> int | None:
    """The fewest replicates that reach the power, or ``None`` if :data:`MOST` do not.

    With a standard deviation of zero, the exact sign-flip test decides: 2⁻ⁿ ≤ α.
    """
    if distance <= 0:
        return None
    if sd == 0 and fixed_variance == 0:
        return max(2, math.ceil(-math.log2(alpha)))

    def reaches(n: int) -> bool:
        return t_power(n, distance, sd, alpha, fixed_variance) >= power

    if not reaches(MOST):
        return None
    low, high = 1, 2
    while not reaches(high):
        low, high = high, min(2 * high, MOST)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if reaches(middle) else (middle, high)
    return high


def collapsed(replicates: Floats, delta: float) -> bool:
    """Whether up to half of the replicates lie far from all others, on one side.

    The nearest of them must lie more than 2δ from the mean of the others, and farther than
    their t prediction interval at level .001 divided by n.
    """
    n = len(replicates)
    for ordered in (np.sort(replicates), -np.sort(-replicates)):
        for k in range(1, (n - 1) // 2 + 1):
            rest = ordered[k:]
            distance = abs(float(ordered[k - 1] - rest.mean()))
            t = -float(special.stdtrit(len(rest) - 1, _COLLAPSE_LEVEL / n))
            reach = t * float(np.std(rest, ddof=1)) * math.sqrt(1 + 1 / len(rest))
            if distance > max(reach, 2 * delta):
                return True
    return False
