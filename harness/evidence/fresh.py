"""Whether a metric fell by more than fresh sampling explains.

In another environment (a CPU, a number of threads, a precision) a training is another draw, even from
the same seed. So the seeds of the two runs are two samples, and a fall counts only if two samples of
one and the same method would hardly differ so much: Student's t with the pooled variance, one-sided,
and Holm's correction over all metrics of the gate.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from harness.claims.findings import NotMeasuredError
from harness.evidence.distributions import Floats
from harness.evidence.family import holm

FAMILY_RATE = 0.025
"""How often a gate may fail though nothing has changed, over all its metrics."""


@dataclass(frozen=True)
class Fall:
    """Two samples of a metric, of which the second may lie lower.

    Attributes:
        change: Mean of the second sample less the mean of the first.
        error: Standard error of the change, from the pooled variance.
        df: Degrees of freedom; a fraction where the error has two parts.
        p_down: One-sided p-value of "it did not fall".
        p_up: One-sided p-value of "it did not rise".
        seeds: Sizes of the samples.
    """

    change: float
    error: float
    df: float
    p_down: float
    p_up: float
    seeds: tuple[int, int]

    def tolerance(self, metrics: int) -> float:
        """The fall that passes where ``metrics`` of them are tested, at Holm's first and strictest step."""
        return float(stats.t.isf(FAMILY_RATE / max(metrics, 1), self.df) * self.error)


def fall(before: Floats, after: Floats, floor: float = 0.0, shared: tuple[float, int] = (0.0, 1)) -> Fall:
    """Compare two samples of seeds.

    Args:
        before: The metric in each seed of the baseline, shape (n,); more is better.
        after: The same of the run, shape (m,).
        floor: Replaces a smaller standard deviation, so that rounding is no regression where a metric
            does not depend on the seed.
        shared: Standard deviation of what all seeds of a run share (an artifact that was built anew), and the
            degrees of freedom that it was estimated with. Both means have such a part, whatever the number of
            seeds; degrees of freedom are Welch's and Satterthwaite's.

    Raises:
        NotMeasuredError: If neither sample says anything of the spread.
    """
    n, m = len(before), len(after)
    df: float = n + m - 2
    if df < 1:
        raise NotMeasuredError("One seed on each side says nothing of their spread", kind="mismatch")
    squares = np.square(before - before.mean()).sum() + np.square(after - after.mean()).sum()
    sd = max(math.sqrt(float(squares) / df), floor)
    own, common = sd**2 * (1 / n + 1 / m), 2 * shared[0] ** 2
    change, error = float(after.mean() - before.mean()), math.sqrt(own + common)
    if common > 0:
        df = (own + common) ** 2 / (own**2 / df + common**2 / shared[1])
    # A difference within rounding of equal samples is none.
    rounding = 1e-9 * max(1.0, float(np.abs(before).max()), float(np.abs(after).max()))
    t = change / max(error, rounding)
    return Fall(change, error, df, float(stats.t.cdf(t, df)), float(stats.t.sf(t, df)), (n, m))


@dataclass(frozen=True)
class Judged:
    """What a gate says of one metric: Holm-adjusted p-values of a fall and of a rise."""

    p_down: float
    p_up: float

    @property
    def fell(self) -> bool:
        """Whether it fell beyond what fresh sampling explains."""
        return self.p_down <= FAMILY_RATE

    @property
    def rose(self) -> bool:
        """Whether it rose beyond that."""
        return self.p_up <= FAMILY_RATE


def judge_falls(falls: Sequence[Fall], either: Sequence[bool] = ()) -> list[Judged]:
    """Holm's correction over the metrics of a gate, falls and rises each for themselves.

    Args:
        falls: Of all metrics.
        either: Whether a metric must not rise either (an equivalence); its p-value is then two-sided.
    """
    twice = list(either) or [False] * len(falls)
    down = [
        min(1.0, 2 * min(item.p_down, item.p_up)) if both else item.p_down
        for item, both in zip(falls, twice, strict=True)
    ]
    up = [1.0 if both else item.p_up for item, both in zip(falls, twice, strict=True)]
    return [
        Judged(1.0 if p is None else p, 1.0 if q is None else q)
        for p, q in zip(holm(down), holm(up), strict=True)
    ]
