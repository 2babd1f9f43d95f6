"""Fieller's interval for a ratio of means."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Moments:
    """Two estimates with the (co)variances of their errors."""

    top: float
    bottom: float
    var_top: float
    var_bottom: float
    covariance: float


def fieller(moments: Moments, t: float) -> tuple[float, float] | None:
    """All ratios r for which (top − r · bottom)² ≤ t² · Var(top − r · bottom).

    Args:
        moments: Estimates of numerator and denominator.
        t: The two-sided critical value of Student's t.

    Returns:
        The bounds, or ``None`` if the denominator may be zero and the set is unbounded.
    """
    a = moments.bottom**2 - t**2 * moments.var_bottom
    b = moments.top * moments.bottom - t**2 * moments.covariance
    c = moments.top**2 - t**2 * moments.var_top
    inner = b**2 - a * c
    if a <= 0 or inner < 0:
        return None
    root = math.sqrt(inner)
    return (b - root) / a, (b + root) / a
