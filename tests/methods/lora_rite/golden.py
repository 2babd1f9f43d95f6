"""The card's golden case, worked out in float64 by a program that is not ours, and a plain loop.

``A`` is m×r and ``B`` n×r here, so both axes of a pair are last.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim import Optimizer

from methods.lora_rite import Pair

Floats = NDArray[np.float64]
DOUBLE: dict[str, Any] = {"dtype": torch.float64}

A = torch.tensor([[1, 0], [0, 2], [1, 1]], **DOUBLE)
B = torch.tensor([[1, 1], [0, 1], [2, 0], [0, 0.5]], **DOUBLE)
SLOPE = torch.tensor([[1, -2, 0, 1], [0, 1, 1, 0], [2, 0, -1, 1]], **DOUBLE)
"""∇Z."""
EXACT: dict[str, Any] = {"eps": 0.0, "clip": 0.0, "skip": 0.0}


def tall_pair(a: Tensor, b: Tensor) -> Pair:
    """A trainable pair of copies."""
    return Pair(nn.Parameter(a.clone()), nn.Parameter(b.clone()), "pair", (1, 1))


def give_gradients(pair: Pair, slope: Tensor) -> None:
    """∇A = ∇Z B and ∇B = ∇Zᵀ A."""
    a, b = pair.a.detach(), pair.b.detach()
    pair.a.grad, pair.b.grad = slope @ b, slope.mT @ a


def product(pair: Pair) -> Tensor:
    """Z."""
    return (pair.a @ pair.b.mT).detach()


def follow(
    make: Callable[[Pair], Optimizer], a: Tensor, b: Tensor, slopes: Callable[[Tensor], Tensor], steps: int
) -> Tensor:
    """Z after some steps down ``slopes`` from (a, b)."""
    pair = tall_pair(a, b)
    optimizer = make(pair)
    for _ in range(steps):
        give_gradients(pair, slopes(product(pair)))
        optimizer.step()
    return product(pair)


class SlowRite:
    """LoRA-RITE for one pair as the card words it: NumPy, Householder QR, no batching, no tricks."""

    def __init__(
        self, a: Floats, b: Floats, *, mass: bool = True, betas: tuple[float, float] = (0.9, 0.999)
    ) -> None:
        self.factors = [a.copy(), b.copy()]
        self.mass = mass
        self.betas = betas
        r = a.shape[1]
        self.moment = [np.zeros_like(a), np.zeros_like(b)]
        self.second = [np.zeros((r, r)), np.zeros((r, r))]
        self.rho = [0.0, 0.0]
        self.basis = [np.zeros_like(a), np.zeros_like(b)]
        self.t = 0

    def step(self, slope: Floats, rate: float) -> None:
        self.t += 1
        a, b = self.factors
        slopes = (slope @ b, slope.T @ a)
        split = [np.linalg.qr(a), np.linalg.qr(b)]
        keep = [beta * (1 - beta ** (self.t - 1)) / (1 - beta**self.t) for beta in self.betas]
        moved = []
        for this, other in ((0, 1), (1, 0)):
            basis, magnitude = split[other]
            inverse = np.linalg.pinv(magnitude)
            gradient = slopes[this] @ inverse
            turn = basis.T @ self.basis[other]
            carried = turn @ self.second[this] @ turn.T
            if self.mass:
                before = np.linalg.eigvalsh(self.second[this])
                after = np.linalg.eigvalsh(carried)
                lost = max(0.0, min((before - after).max(), before.sum() - after.sum()))
                self.rho[this] = keep[1] * (self.rho[this] + lost)
            self.second[this] = keep[1] * carried + (1 - keep[1]) * gradient.T @ gradient / len(gradient)
            values, vectors = np.linalg.eigh(self.second[this])
            root = np.sqrt(np.clip(values, 0, None) + self.rho[this])
            inverse_root = np.divide(1.0, root, out=np.zeros_like(root), where=root > 0)
            step = gradient @ (vectors * inverse_root) @ vectors.T
            self.moment[this] = keep[0] * self.moment[this] @ turn.T + (1 - keep[0]) * step
            moved.append(self.factors[this] - rate * self.moment[this] @ inverse.T)
        self.factors = moved
        self.basis = [split[0][0], split[1][0]]
