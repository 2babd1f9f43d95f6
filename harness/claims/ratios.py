"""Logarithms of ratios, which readers are shown as ratios; records keep the logarithm."""

from __future__ import annotations

import math

from harness.claims.labels import contrast_label, ratio_label
from harness.claims.quantity import Contrast
from harness.store.records import RatioRecord

_NEAR_ONE = 0.1
_LARGEST = 700.0
"""Beyond it the exponential overflows."""


def is_log_ratio(theta: Contrast) -> bool:
    """Whether θ is the logarithm of a ratio of two cells, up to a constant; a difference of two is none."""
    return theta.log and sorted(weight for weight, _ in theta.terms) == [-1.0, 1.0]


def ratio_of(theta: Contrast, label: str) -> RatioRecord | None:
    """The ratio whose logarithm θ is.

    Args:
        theta: log a − log b − constant.
        label: What θ is called; what it says beyond the formula is kept.
    """
    if not is_log_ratio(theta):
        return None
    [over] = [cell for weight, cell in theta.terms if weight > 0]
    [under] = [cell for weight, cell in theta.terms if weight < 0]
    formula = contrast_label(theta)
    if label.startswith(formula):
        label = f"{ratio_label(over, under, theta)}{label.removeprefix(formula)}"
    return RatioRecord(label=label, times=factor(theta.constant))


def factor(logarithm: float) -> float:
    """Its exponential, infinite where no float holds it."""
    return math.exp(logarithm) if logarithm < _LARGEST else math.inf


def factor_text(ratio: float) -> str:
    """A ratio: two decimals, a third near one, three digits for large and for tiny ones."""
    if not math.isfinite(ratio):
        return "inf" if ratio > 0 else "nan"
    if ratio >= 1e6 or 0 < ratio < 0.01:
        return f"{ratio:.2e}"
    if ratio >= 100:
        return f"{ratio:,.0f}"
    if ratio >= 10:
        return f"{ratio:.1f}"
    return f"{ratio:.{3 if abs(ratio - 1) < _NEAR_ONE else 2}f}"
