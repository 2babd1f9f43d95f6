"""How many replicates would settle a claim, what a number of them shows, and whether one collapsed."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy import optimize, special

from harness.evidence.distributions import Floats

MOST = 10_000
"""More replicates than this are not proposed."""

_COLLAPSE_LEVEL = 1e-3
_NODES = (np.arange(400) + 0.5) / 400
"""Midpoints of the quantiles over which a power is averaged."""


@dataclass(frozen=True)
class Spread:
    """How an estimate of θ varies.

    Attributes:
        sd: Standard deviation of θ between replicates.
        fixed: Variance of the estimate that more replicates do not reduce (units, the paper's runs).
    """

    sd: float
    fixed: float = 0.0

    def se(self, n: int) -> float:
        """Standard error of the mean of ``n`` replicates."""
        return math.sqrt(self.sd**2 / n + self.fixed)


@dataclass(frozen=True)
class Supposed:
    """One question as a t test asks it, and a supposed truth for its power.

    Attributes:
        truth: θ.
        alpha: One-sided level.
        lower: It passes where θ is shown to lie above this,
        upper: and below this,
        size: and where the estimate reaches this.
        below: It falls where θ is shown to lie below this,
        above: or above this.
    """

    truth: float
    alpha: float
    lower: float = -math.inf
    upper: float = math.inf
    size: float = -math.inf
    below: float = -math.inf
    above: float = math.inf

    def passes(self, n: int, spread: Spread) -> float:
        """Probability that ``n`` replicates show it."""
        return self._averaged(n, spread, self._pass)

    def falls(self, n: int, spread: Spread) -> float:
        """Probability that ``n`` replicates exclude it."""
        return self._averaged(n, spread, self._fall)

    def _averaged(self, n: int, spread: Spread, given: Callable[[Floats, float], Floats]) -> float:
        """The mean over the measured standard error, which is se · √(χ²/df), of a probability given it."""
        se, df = spread.se(n), n - 1
        if se == 0:
            # Equal replicates are held to the sign-flip test, whose p is 2⁻ⁿ.
            return float(given(np.zeros(1), 0.0)[0]) if 2.0**-n <= self.alpha else 0.0
        reach = float(special.stdtrit(df, 1 - self.alpha)) * se * np.sqrt(special.chdtri(df, _NODES) / df)
        return float(np.mean(given(reach, se)))

    def _pass(self, reach: Floats, se: float) -> Floats:
        low, high = np.maximum(self.lower + reach, self.size), self.upper - reach
        between = _below(high, self.truth, se) - _below(low, self.truth, se)
        return np.where(high > low, between, 0.0)

    def _fall(self, reach: Floats, se: float) -> Floats:
        under = _below(self.below - reach, self.truth, se)
        over = 1 - _below(self.above + reach, self.truth, se)
        return np.minimum(under + over, 1.0)


def _below(limit: Floats, truth: float, se: float) -> Floats:
    """P(estimate ≤ limit); without an error of the estimate, whether the truth lies below it."""
    if se > 0:
        return np.asarray(special.ndtr((limit - truth) / se))
    return np.asarray(truth < limit, dtype=np.float64)


def upper_sd(sd: float, df: float, confidence: float = 0.8) -> float:
    """Upper bound of a standard deviation: s · √(df / χ²), one-sided at ``confidence``."""
    return sd * math.sqrt(df / float(special.chdtri(df, confidence)))


def fewest(power: Callable[[int], float], target: float, least: int = 2) -> int | None:
    """The fewest replicates that reach a power, or ``None`` if :data:`MOST` do not.

    Args:
        power: Of a number of replicates, which grows with it.
        target: Power that is wanted.
        least: Fewer are never proposed.
    """
    if least > MOST or power(MOST) < target:
        return None
    if power(least) >= target:
        return least
    low, high = least, min(2 * least, MOST)
    while power(high) < target:
        low, high = high, min(2 * high, MOST)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power(middle) >= target else (middle, high)
    return high


def detectable(asked: Supposed, n: int, spread: Spread, power: float) -> float | None:
    """The true θ nearest to what it is tested against that ``n`` replicates show with a power.

    Args:
        asked: The question; its own truth is not looked at.
        n: Replicates.
        spread: How the estimate varies.
        power: Above one half.

    Returns:
        The smallest θ that is shown, or the largest where θ has to lie below ``upper`` as well; ``None``
        if no θ is shown, and for one replicate, which has no spread.
    """
    if n < 2:
        return None
    se, least = spread.se(n), max(asked.lower, asked.size)

    def beyond(truth: float) -> float:
        return replace(asked, truth=truth).passes(n, spread) - power

    if se == 0:
        edge = asked.upper if math.isfinite(asked.upper) else least
        return edge if 2.0**-n <= asked.alpha else None
    if math.isfinite(asked.upper):
        middle = (asked.lower + asked.upper) / 2
        return _crossing(beyond, middle, asked.upper, se) if beyond(middle) >= 0 else None
    # At the threshold, or where the estimate has to lie, at most half of all samples pass.
    step = se
    while beyond(least + step) < 0:
        step *= 2
    return _crossing(beyond, least, least + step, se)


def _crossing(of: Callable[[float], float], low: float, high: float, scale: float) -> float:
    return float(optimize.brentq(of, low, high, xtol=1e-6 * scale))


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
