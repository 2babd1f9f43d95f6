"""Primary claims first: a graphical procedure over the primary and the secondary claims of a suite.

Bretz, Maurer, Brannath and Posch (2009), "A graphical approach to sequentially rejective multiple test
procedures", Statistics in Medicine 28, 586-604: hypotheses are nodes that share the level α by weights; one
that is rejected hands its weight on along weighted edges. Whatever the graph, it tests by a closed family of
weighted Bonferroni tests, and so keeps the family-wise error rate at α under any dependence.

The graph here: half of α is shared equally by the primary claims, half by the secondary ones. A claim that is
shown hands half of its level to the claims of its own kind, and half to those of the other (all of it where
the other kind is used up). There is no gate: a headline that fails at a small scale silences no other claim.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

HALF = 0.5
"""Of the level for each kind at the start, and of a claim's level for each kind when it is handed on."""

Floats = NDArray[np.float64]


def weighted(
    p_values: Sequence[float | None],
    primary: Sequence[bool],
    *,
    declared: tuple[int, int] = (0, 0),
) -> list[float | None]:
    """Adjusted p-values: a claim is shown at level α where its own is at most α, for every α at once.

    With claims of one kind only this is Holm's procedure.

    Args:
        p_values: Raw p-values, shape (claims,); those that are missing or no number are not counted.
        primary: Whether each is of a primary claim, shape (claims,).
        declared: Count at least so many primary and secondary claims: a run that is restricted to some is
            corrected for all, as if the others had p = 1.

    Returns:
        In the order given; missing where the p-value is.
    """
    known = [i for i, p in enumerate(p_values) if p is not None and not math.isnan(p)]
    kinds = [primary[i] for i in known]
    for kind, size in zip((True, False), declared, strict=True):
        kinds += [kind] * max(0, size - kinds.count(kind))
    raw = np.ones(len(kinds))
    raw[: len(known)] = [p_values[i] for i in known]
    adjusted: list[float | None] = [None] * len(p_values)
    if kinds:
        for i, p in zip(known, _adjusted(raw, *graph(np.array(kinds))), strict=False):
            adjusted[i] = float(p)
    return adjusted


def graph(primary: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """The weights (claims,), which sum to one, and the edges (claims, claims), whose rows do at most."""
    same = (primary[:, None] == primary[None, :]) & ~np.eye(len(primary), dtype=bool)
    other = primary[:, None] != primary[None, :]
    within, across = same.sum(axis=1, keepdims=True), other.sum(axis=1, keepdims=True)
    weights = (np.where(across == 0, 1.0, HALF) / (within + 1)).ravel()
    kept = np.where(within == 0, 0.0, np.where(across == 0, 1.0, HALF))
    edges = same * kept / np.maximum(within, 1) + other * (1 - kept) / np.maximum(across, 1)
    return weights, edges


def _adjusted(raw: Floats, weights: Floats, edges: Floats) -> Floats:
    """Algorithm 2 of the paper: take the smallest p over weight away, again and again."""
    weights, edges = weights.copy(), edges.copy()
    left, largest, adjusted = np.ones(len(raw), dtype=bool), 0.0, np.ones(len(raw))
    for _ in raw:
        ratios = np.divide(raw, weights, out=np.full(len(raw), np.inf), where=left)
        j = int(ratios.argmin())
        largest = max(largest, min(1.0, float(ratios[j])))
        adjusted[j], left[j] = largest, False
        weights, edges = _without(j, weights, edges)
    return adjusted


def _without(j: int, weights: Floats, edges: Floats) -> tuple[Floats, Floats]:
    """The graph once claim ``j`` is shown: what it held goes to its neighbours, and so do ways through it."""
    weights = weights + weights[j] * edges[j]
    through = np.outer(edges[:, j], edges[j])
    back = np.diagonal(through)[:, None]
    # Two that hand everything to each other have nowhere else to hand it to.
    found = np.divide(edges + through, 1 - back, out=np.zeros_like(edges), where=back < 1 - 1e-12)
    np.fill_diagonal(found, 0.0)
    found[j], found[:, j] = 0.0, 0.0
    weights[j] = 0.0
    return weights, found
