"""Why training starts by making activations sparse: the gradient at initialisation (card, section 3.4).

Let f = V σ(p) with p fixed and entries of V independent with mean zero. Then for each active
neuron, p_i > 0, the expected gradient E_V[∂ℓ/∂p_i] is positive, for cross-entropy and for
½‖f − y‖², whatever the target y: a step of descent lowers what is active. Inactive neurons have
no gradient at all.

Shapes: d neurons, C outputs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import softmax

from harness.method import ProblemError

Loss = Literal["cross-entropy", "squared"]
Vector = NDArray[np.float64]

CHUNK = 20_000
"""Draws of V that are held at a time."""
MOST_CASES = 2**20
"""Largest number of matrices V that are enumerated."""


@dataclass(frozen=True)
class Estimate:
    """A mean over draws.

    Attributes:
        mean: Shape (d,).
        error: Standard error of each mean, shape (d,).
        draws: Their number.
    """

    mean: Vector
    error: Vector
    draws: int


def gradients(loss: Loss, p: ArrayLike, target: ArrayLike, V: Vector) -> Vector:
    """∂ℓ/∂p for given last layers.

    Args:
        loss: Cross-entropy of softmax(f), or ½‖f − y‖².
        p: Pre-activations, shape (d,).
        target: y, shape (C,); it sums to one for cross-entropy.
        V: Last layers, shape (n, C, d).

    Returns:
        Shape (n, d).

    Raises:
        ProblemError: If the target does not suit the loss, or something is not finite.
    """
    at, wanted = np.asarray(p, float), np.asarray(target, float)
    if not (np.isfinite(at).all() and np.isfinite(wanted).all()):
        raise ProblemError("Pre-activations and target must be finite")
    if loss == "cross-entropy" and not np.isclose(wanted.sum(), 1.0):
        raise ProblemError(f"A target of cross-entropy sums to one, this one to {wanted.sum():g}")
    f = V @ np.maximum(at, 0.0)
    residual = (softmax(f, axis=-1) if loss == "cross-entropy" else f) - wanted
    slope: Vector = np.einsum("ncd,nc->nd", V, residual) * (at > 0)
    return slope


def sampled(
    loss: Loss, p: ArrayLike, target: ArrayLike, *, sigma: float, draws: int, rng: np.random.Generator
) -> Estimate:
    """E_V[∂ℓ/∂p] over normal V with standard deviation ``sigma``, by ``draws`` (at least 2) of V."""
    if draws < 2:
        raise ProblemError(f"{draws} draws give no standard error", fix="Draw at least 2.")
    at, wanted = np.asarray(p, float), np.asarray(target, float)
    total, squares = np.zeros(len(at)), np.zeros(len(at))
    for start in range(0, draws, CHUNK):
        V = rng.normal(scale=sigma, size=(min(CHUNK, draws - start), len(wanted), len(at)))
        slope = gradients(loss, at, wanted, V)
        total += slope.sum(0)
        squares += np.square(slope).sum(0)
    mean = total / draws
    variance = np.maximum(squares / draws - np.square(mean), 0.0) * draws / (draws - 1)
    return Estimate(mean, np.sqrt(variance / draws), draws)


def enumerated(loss: Loss, p: ArrayLike, target: ArrayLike, values: Sequence[float]) -> Vector:
    """E_V[∂ℓ/∂p] exactly, where each entry of V is one of ``values`` with equal probability.

    Entries that belong to inactive neurons do not matter and are not enumerated.

    Returns:
        Shape (d,).

    Raises:
        ProblemError: If the values do not have mean zero, or there are too many matrices.
    """
    at, wanted = np.asarray(p, float), np.asarray(target, float)
    active = np.flatnonzero(at > 0)
    if not np.isclose(np.mean(values), 0.0):
        raise ProblemError("The entries of V must have mean zero")
    if (cases := len(values) ** (len(wanted) * len(active))) > MOST_CASES:
        raise ProblemError(f"{cases} matrices cannot be enumerated", fix="Take fewer neurons or outputs.")
    entries = np.array(list(product(values, repeat=len(wanted) * len(active))), float)
    V = np.zeros((len(entries), len(wanted), len(at)))
    V[:, :, active] = entries.reshape(len(entries), len(wanted), len(active))
    mean: Vector = gradients(loss, at, wanted, V).mean(0)
    return mean


def squared_loss(p: ArrayLike, *, sigma: float, outputs: int) -> Vector:
    """E_V[∂ℓ/∂p] of ½‖f − y‖² exactly: C σ² p_i for active neurons; y plays no part."""
    slope: Vector = outputs * sigma**2 * np.maximum(np.asarray(p, float), 0.0)
    return slope


def cross_entropy(
    p: ArrayLike, *, sigma: float, outputs: int, draws: int, rng: np.random.Generator
) -> Estimate:
    """E_V[∂ℓ/∂p] of cross-entropy for normal V, by Stein's lemma.

    E[v_ci · softmax_c] = σ² p_i E[softmax_c (1 − softmax_c)], so the expectation is
    σ² p_i E[1 − Σ_c softmax_c²] over logits that are normal with standard deviation σ‖σ(p)‖:
    one number for all neurons, far less noisy than :func:`sampled`.
    """
    above = np.maximum(np.asarray(p, float), 0.0)
    logits = rng.normal(scale=sigma * np.linalg.norm(above), size=(draws, outputs))
    spread = 1.0 - np.square(softmax(logits, axis=-1)).sum(-1)
    factor = sigma**2 * above
    error = spread.std(ddof=1) / np.sqrt(draws)
    return Estimate(factor * spread.mean(), factor * error, draws)


def small_variance(p: ArrayLike, *, sigma: float, outputs: int) -> Vector:
    """The limit of cross-entropy for small σ: σ² p_i (1 − 1/C) for active neurons."""
    slope: Vector = sigma**2 * np.maximum(np.asarray(p, float), 0.0) * (1.0 - 1.0 / outputs)
    return slope
