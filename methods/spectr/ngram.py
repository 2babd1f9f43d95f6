"""An interpolated n-gram draft over the target's own token ids.

Absolute discounting: P(w | h) = max(c(hw) − D, 0)/c(h) + λ(h) P(w | h'), where h' drops the oldest
token of h, λ(h) = D · |{w : c(hw) > 0}| / c(h), and the shortest history is empty. Drawing walks
down the orders without ever forming the distribution over the whole vocabulary, so that a draft token
costs microseconds; the distribution is formed only at depths that selection visits.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Longs = NDArray[np.int64]
Floats = NDArray[np.float64]

DISCOUNT = 0.75
"""D; the usual value (Ney, Essen and Kneser, 1994)."""


@dataclass(frozen=True)
class Order:
    """What followed each history of one length.

    Attributes:
        keys: Histories as numbers Σ token · V^i, increasing, shape (H,).
        offsets: Where a history's successors begin, shape (H + 1,).
        tokens: Successors, shape (S,).
        mass: Discounted probabilities of the successors, shape (S,).
    """

    keys: Longs
    offsets: Longs
    tokens: Longs
    mass: Floats

    def find(self, key: int) -> slice:
        """The successors of a history; empty if it was never seen."""
        place = int(np.searchsorted(self.keys, key))
        if place == len(self.keys) or self.keys[place] != key:
            return slice(0, 0)
        return slice(int(self.offsets[place]), int(self.offsets[place + 1]))


@dataclass(frozen=True)
class NGram:
    """An n-gram model.

    Attributes:
        width: Vocabulary size V of the target.
        single: Unigram distribution, shape (V,), float32.
        orders: Histories of one token, of two tokens …
    """

    width: int
    single: Tensor
    orders: tuple[Order, ...]

    def pieces(self, context: list[int]) -> list[tuple[Longs, Floats]]:
        """Successors and discounted probabilities of the histories, the longest first."""
        found = []
        for length in range(min(len(self.orders), len(context)), 0, -1):
            order = self.orders[length - 1]
            span = order.find(_key(context[-length:], self.width))
            found.append((order.tokens[span], order.mass[span]))
        return found

    def draw(self, context: list[int], uniform: float) -> int:
        """One token by inversion of one uniform number."""
        for tokens, mass in self.pieces(context):
            steps = mass.cumsum()
            total = float(steps[-1]) if len(steps) else 0.0
            if uniform < total:
                return int(tokens[min(int(np.searchsorted(steps, uniform, side="right")), len(tokens) - 1)])
            # Given that no successor was drawn, the rescaled number is uniform again; it stays below 1.
            uniform = min((uniform - total) / max(1.0 - total, 1e-12), 1.0 - 1e-12)
        steps = self._single_steps
        return int(np.searchsorted(steps, uniform * steps[-1], side="right"))

    def law(self, context: list[int]) -> Tensor:
        """The distribution of the next token, shape (V,), float32."""
        left, additions = 1.0, []
        for tokens, mass in self.pieces(context):
            additions.append((tokens, left * mass))
            left *= 1.0 - float(mass.sum())
        law = self.single * left
        for tokens, mass in additions:
            index = torch.from_numpy(tokens).to(law.device)
            law.index_add_(0, index, torch.from_numpy(mass).to(law.device, law.dtype))
        return law

    @property
    def _single_steps(self) -> Floats:
        cached: Floats | None = self.__dict__.get("_steps")
        if cached is None:
            cached = self.single.cpu().double().numpy().cumsum()
            object.__setattr__(self, "_steps", cached)
        return cached

    def save(self, path: Path) -> None:
        """Save as safetensors."""
        from safetensors.numpy import save_file

        arrays: dict[str, NDArray[np.generic]] = {"single": self.single.cpu().numpy()}
        for length, order in enumerate(self.orders, start=1):
            arrays |= {
                f"{length}.{name}": getattr(order, name) for name in ("keys", "offsets", "tokens", "mass")
            }
        save_file(arrays, path)


def load_ngram(path: Path) -> NGram:
    """Read what :meth:`NGram.save` wrote."""
    from safetensors.numpy import load_file

    arrays = load_file(path)
    lengths = sorted({int(name.split(".")[0]) for name in arrays if "." in name})
    orders = tuple(
        Order(*(arrays[f"{length}.{name}"] for name in ("keys", "offsets", "tokens", "mass")))
        for length in lengths
    )
    single = torch.from_numpy(arrays["single"])
    return NGram(len(single), single, orders)


def count_ngrams(streams: list[tuple[Longs, float]], width: int, *, longest: int = 2) -> NGram:
    """Estimate a model from weighted token streams.

    Args:
        streams: Token ids, shape (N,), each stream with the weight of its counts.
        width: Vocabulary size V.
        longest: Tokens in the longest history.
    """
    single = np.zeros(width)
    for stream, weight in streams:
        single += weight * np.bincount(stream, minlength=width)
    orders = tuple(_count_order(streams, width, length) for length in range(1, longest + 1))
    return NGram(width, torch.from_numpy((single / single.sum()).astype(np.float32)), orders)


def _count_order(streams: list[tuple[Longs, float]], width: int, length: int) -> Order:
    keys, tokens, weights = [], [], []
    for stream, weight in streams:
        count = len(stream) - length
        key = np.zeros(count, dtype=np.int64)
        for back in range(length):
            key = key * width + stream[back : back + count]
        keys.append(key)
        tokens.append(stream[length:])
        weights.append(np.full(count, weight))
    pairs = np.stack([np.concatenate(keys), np.concatenate(tokens)], axis=1)
    distinct, inverse = np.unique(pairs, axis=0, return_inverse=True)
    counts = np.bincount(inverse.ravel(), weights=np.concatenate(weights))
    histories, starts = np.unique(distinct[:, 0], return_index=True)
    totals = np.add.reduceat(counts, starts)
    sizes = np.diff(np.append(starts, len(distinct)))
    mass = np.maximum(counts - DISCOUNT, 0.0) / np.repeat(totals, sizes)
    return Order(histories, np.append(starts, len(distinct)).astype(np.int64), distinct[:, 1].copy(), mass)


def _key(history: list[int], width: int) -> int:
    key = 0
    for token in history:
        key = key * width + token
    return key
