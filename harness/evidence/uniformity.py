"""Whether probability integral transforms are uniform, with a bound that needs no asymptotics."""

from __future__ import annotations

import math

import numpy as np

from harness.evidence.distributions import Floats


def ks_distance(values: Floats) -> float:
    """sup over x of |F̂(x) − x| for values in [0, 1] (Kolmogorov and Smirnov)."""
    ordered = np.sort(values)
    n = len(ordered)
    steps = np.arange(n + 1) / n
    return float(max(np.max(steps[1:] - ordered), np.max(ordered - steps[:-1])))


def dkw_half_width(n: int, level: float = 0.05) -> float:
    """√(ln(2 / level) / 2n): the band of Dvoretzky, Kiefer and Wolfowitz with Massart's constant."""
    return math.sqrt(math.log(2 / level) / (2 * n))
