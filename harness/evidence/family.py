"""Multiplicity: Holm's step-down correction over the claims of a suite and profile."""

from __future__ import annotations

import math
from collections.abc import Sequence


def holm(p_values: Sequence[float | None], size: int = 0) -> list[float | None]:
    """Holm's adjusted p-values.

    Args:
        p_values: Raw p-values; those that are missing or no number stay missing and are not counted.
        size: Count at least this many hypotheses: a run restricted to some claims is corrected
            for all that were declared.

    Returns:
        min(1, max over smaller p of (m − rank) · p), in the order given.
    """
    known = sorted((p, i) for i, p in enumerate(p_values) if p is not None and not math.isnan(p))
    m = max(size, len(known))
    adjusted: list[float | None] = [None] * len(p_values)
    largest = 0.0
    for rank, (p, i) in enumerate(known):
        largest = max(largest, min(1.0, (m - rank) * p))
        adjusted[i] = largest
    return adjusted
