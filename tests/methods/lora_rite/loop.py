"""LoRA-RITE as the card words it, with all options: NumPy, pair by pair, Householder QR, no tricks.

Written from section 3.3 and the table of 3.4 (what the authors' optimizer does with clipping, skipping,
capping, decay and balancing), not from the optimizer under test.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

DEFAULTS: dict[str, Any] = {
    "betas": (0.9, 0.999),
    "eps": 1e-6,
    "weight_decay": 0.0,
    "clip": 1.0,
    "skip": 1.0,
    "cap": 0.0,
    "mass": True,
    "second": "ema",
    "rows": True,
    "balance": False,
}


class SlowPair:
    """State of one pair; index 0 is A (m×r), 1 is B (n×r)."""

    def __init__(self, a: Array, b: Array) -> None:
        self.factors = [a.copy(), b.copy()]
        rank = a.shape[1]
        self.moment = [np.zeros_like(a), np.zeros_like(b)]
        self.second = [np.zeros((rank, rank), a.dtype) for _ in range(2)]
        self.rho = [0.0, 0.0]
        self.basis = [np.zeros_like(a), np.zeros_like(b)]


class Loop:
    """The optimizer over several pairs; all have gradients in every step.

    Attributes:
        pairs: In the order in which they were given.
        skipped: Updates skipped so far.
        capped: Updates that a cap made smaller.
    """

    def __init__(self, pairs: list[tuple[Array, Array]], rate: float, **options: Any) -> None:
        self.pairs = [SlowPair(a, b) for a, b in pairs]
        self.rate = rate
        self.options = {**DEFAULTS, **options}
        self.time = 0
        self.skipped = self.capped = 0

    def step(self, gradients: list[tuple[Array, Array]]) -> None:
        """One step along the raw gradients ∇A and ∇B of each pair."""
        self.time += 1
        prepared = []
        for pair, given in zip(self.pairs, gradients, strict=True):
            split = [np.linalg.qr(factor) for factor in pair.factors]
            inverse = [np.linalg.pinv(magnitude) for _, magnitude in split]
            unmagnified = [given[0] @ inverse[1], given[1] @ inverse[0]]
            for side in (0, 1):
                size = np.sqrt(np.mean(unmagnified[side] ** 2))
                if self.options["skip"] > 0 and size > self.options["skip"]:
                    unmagnified[side] = np.zeros_like(unmagnified[side])
                    self.skipped += 1
            prepared.append((split, inverse, unmagnified))
        total = np.sqrt(sum(np.sum(g.astype(float) ** 2) for _, _, both in prepared for g in both))
        clip = self.options["clip"]
        scale = clip / total if 0 < clip < total else 1.0
        for pair, (split, inverse, unmagnified) in zip(self.pairs, prepared, strict=True):
            self._move(pair, [q for q, _ in split], inverse, [g * g.dtype.type(scale) for g in unmagnified])

    def _move(self, pair: SlowPair, bases: list[Array], inverse: list[Array], gradients: list[Array]) -> None:
        moved = []
        for this, other in ((0, 1), (1, 0)):
            turn = bases[other].T @ pair.basis[other]
            moment = self._moment(pair, this, gradients[this], turn)
            pair.moment[this] = moment
            size, cap = np.sqrt(np.mean(moment**2)), self.options["cap"]
            if 0 < cap < size:
                # Only the step is made smaller; the moment stays.
                moment = moment * moment.dtype.type(cap / size)
                self.capped += 1
            update = moment @ inverse[other].T + self.options["weight_decay"] * pair.factors[this]
            moved.append(pair.factors[this] - pair.factors[this].dtype.type(self.rate) * update)
        if self.options["balance"]:
            norms = [np.linalg.norm(factor) for factor in moved]
            middle = np.sqrt(norms[0] * norms[1])
            moved = [factor * (middle / norm) for factor, norm in zip(moved, norms, strict=True)]
        pair.factors, pair.basis = moved, bases

    def _moment(self, pair: SlowPair, this: int, gradient: Array, turn: Array) -> Array:
        """M, after V and ρ of the same side are brought up to date."""
        options, t = self.options, self.time
        keep = [beta * (1 - beta ** (t - 1)) / (1 - beta**t) for beta in options["betas"]]
        old, weight = (1.0, 1.0) if options["second"] == "sum" else (keep[1], 1 - keep[1])
        carried = turn @ pair.second[this] @ turn.T
        carried = (carried + carried.T) / 2
        before, after = np.linalg.eigvalsh(pair.second[this]), np.linalg.eigvalsh(carried)
        lost = max(0.0, min((before - after).max(), before.sum() - after.sum()))
        if options["mass"]:
            pair.rho[this] = old * (pair.rho[this] + lost)
        square = gradient.T @ gradient / (len(gradient) if options["rows"] else 1)
        kind = gradient.dtype.type
        pair.second[this] = kind(old) * carried + kind(weight) * square
        values, vectors = np.linalg.eigh((pair.second[this] + pair.second[this].T) / 2)
        root = np.sqrt(np.clip(values, 0, None) + kind(pair.rho[this])) + kind(options["eps"])
        preconditioned = gradient @ (vectors / root) @ vectors.T
        found: Array = kind(keep[0]) * pair.moment[this] @ turn.T + kind(1 - keep[0]) * preconditioned
        return found
