"""Sets of labels with the largest expected F1, and other multi-label decisions (card §3.2, §3.5)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Marks = NDArray[np.bool_]


def joint_counts(samples: Marks) -> tuple[Floats, float]:
    """What the general F-measure maximiser needs, estimated from samples.

    Args:
        samples: Label sets, shape (K, L).

    Returns:
        M with M[i, s−1] = P(yᵢ = 1, |y| = s), shape (L, L), and P(|y| = 0).
    """
    count, labels = samples.shape
    sizes = samples.sum(axis=1)
    table = np.zeros((labels, labels))
    for row, size in zip(samples, sizes, strict=True):
        if size:
            table[row, size - 1] += 1.0 / count
    return table, float((sizes == 0).mean())


def best_f1_set(table: Floats, empty: float) -> tuple[Marks, Floats]:
    """The set with the largest expected instance-wise F1 (Waegeman et al., 2014, GFM), in O(L³).

    F1 of two empty sets is 1.

    Args:
        table: M[i, s−1] = P(yᵢ = 1, |y| = s), shape (L, L).
        empty: P(|y| = 0).

    Returns:
        The set (L,), and the expected F1 of the best set of each size 0 … L.
    """
    labels = len(table)
    sizes = np.arange(1, labels + 1)
    values = np.empty(labels + 1)
    values[0] = empty
    orders = []
    for size in sizes:
        gains = table @ (2.0 / (sizes + size))
        order = np.argsort(-gains, kind="stable")[:size]
        orders.append(order)
        values[size] = gains[order].sum()
    best = int(values.argmax())
    chosen = np.zeros(labels, dtype=np.bool_)
    if best:
        chosen[orders[best - 1]] = True
    return chosen, values


def hamming_set(marginals: Floats) -> Marks:
    """Labels more likely than not: the least expected Hamming loss."""
    return np.asarray(marginals > 0.5)


def top_labels(marginals: Floats, size: int) -> Marks:
    """The ``size`` likeliest labels: the largest expected precision at ``size``."""
    chosen = np.zeros(len(marginals), dtype=np.bool_)
    chosen[np.argsort(-marginals, kind="stable")[:size]] = True
    return chosen


def instance_f1(truth: Marks, decision: Marks) -> float:
    """2|A ∩ B| / (|A| + |B|), 1 if both are empty."""
    total = int(truth.sum() + decision.sum())
    return 2.0 * int((truth & decision).sum()) / total if total else 1.0
