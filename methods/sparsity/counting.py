"""Exact counts of active neurons: per layer, per neuron and per token.

Counts are integers (int64) that are added up over batches, so an uneven last batch weighs what its
tokens weigh. Active means different from zero, which behind a ReLU is the same as positive; there
is no threshold.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from harness.method import DivergedError, ProblemError
from methods.sparsity.mlp import blocks_of

CHUNK = 2**20
"""Tokens that are counted at a time."""


@dataclass(frozen=True)
class LayerCounts:
    """Counts of one MLP block.

    Attributes:
        name: Of the block in its model.
        firing: Tokens on which each neuron was active, shape (d_ff,), int64.
        histogram: Number of tokens with 0, 1, …, d_ff active neurons, shape (d_ff + 1,), int64.
    """

    name: str
    firing: NDArray[np.int64]
    histogram: NDArray[np.int64]

    @property
    def d_ff(self) -> int:
        """Number of neurons."""
        return len(self.firing)

    @property
    def tokens(self) -> int:
        """Number of tokens counted."""
        return int(self.histogram.sum())

    @property
    def active(self) -> int:
        """Number of active entries, Σ_t ‖a_t‖₀."""
        return int(self.firing.sum())

    @property
    def nnz_percent(self) -> float:
        """100 · active / (tokens · d_ff); NaN without tokens."""
        return 100.0 * self.mean_count / self.d_ff

    @property
    def mean_count(self) -> float:
        """Mean of ‖a‖₀ over tokens; NaN without tokens."""
        return self.active / self.tokens if self.tokens else float("nan")

    @property
    def rates(self) -> NDArray[np.float64]:
        """Share of tokens on which each neuron was active, shape (d_ff,); NaN without tokens."""
        return self.firing / self.tokens if self.tokens else np.full(self.d_ff, np.nan)

    @property
    def dead(self) -> float:
        """Share of neurons that were never active."""
        return float((self.firing == 0).mean())

    def percentile(self, percent: float) -> int:
        """The least count that at least ``percent`` % of the tokens do not exceed."""
        if not self.tokens:
            raise ProblemError("No tokens have been counted", where=self.name)
        return int(np.searchsorted(100 * self.histogram.cumsum(), percent * self.tokens))

    def merge(self, other: LayerCounts) -> LayerCounts:
        """The counts of both."""
        if (self.name, self.d_ff) != (other.name, other.d_ff):
            raise ProblemError(
                f"Counts of '{self.name}' ({self.d_ff} neurons) and '{other.name}' ({other.d_ff}) do not add"
            )
        return LayerCounts(self.name, self.firing + other.firing, self.histogram + other.histogram)


@dataclass(frozen=True)
class Counts:
    """Counts of all blocks of a model, from the input to the output."""

    layers: tuple[LayerCounts, ...]

    @property
    def nnz_percents(self) -> NDArray[np.float64]:
        """nnz% of each layer, shape (L,)."""
        return np.array([layer.nnz_percent for layer in self.layers])

    @property
    def nnz_percent(self) -> float:
        """nnz%: the mean over layers."""
        return float(self.nnz_percents.mean())

    @property
    def mean_count(self) -> float:
        """Active neurons a token: the mean over layers."""
        return float(np.mean([layer.mean_count for layer in self.layers]))

    def merge(self, other: Counts) -> Counts:
        """The counts of both.

        Raises:
            ProblemError: If they belong to different models.
        """
        if len(self.layers) != len(other.layers):
            raise ProblemError(f"Counts of {len(self.layers)} and of {len(other.layers)} layers do not add")
        return Counts(tuple(a.merge(b) for a, b in zip(self.layers, other.layers, strict=True)))


class Tally:
    """Adds up the counts of one block, on the device where its activations are."""

    def __init__(self, name: str, d_ff: int) -> None:
        self.name = name
        self.d_ff = d_ff
        self._firing: Tensor | None = None
        self._histogram = torch.zeros(0)
        # Only tested for being a number: a single NaN makes the sum NaN.
        self._total = torch.zeros(())

    def __call__(self, a: Tensor, mask: Tensor | None = None) -> None:
        """Count the activation map ``a``, shape (..., d_ff), at tokens where ``mask`` is true.

        Raises:
            ProblemError: If the mask does not have the shape of the tokens.
        """
        if mask is not None and mask.shape != a.shape[:-1]:
            raise ProblemError(
                f"A mask of shape {tuple(mask.shape)} does not fit tokens of shape {tuple(a.shape[:-1])}",
                where=self.name,
            )
        if self._firing is None:
            self._firing = torch.zeros(self.d_ff, dtype=torch.int64, device=a.device)
            self._histogram = torch.zeros(self.d_ff + 1, dtype=torch.int64, device=a.device)
            self._total = torch.zeros((), device=a.device)
        flat = a.reshape(-1, self.d_ff)
        counted = None if mask is None else mask.reshape(-1).bool()
        for start in range(0, len(flat), CHUNK):
            part = slice(start, start + CHUNK)
            self._add(flat[part], None if counted is None else counted[part])

    def _add(self, a: Tensor, counted: Tensor | None) -> None:
        # Float comparisons and sums are vectorised where those of booleans are not. They are exact
        # up to 2²⁴, which no part reaches: sums are taken over parts of CHUNK tokens.
        assert self._firing is not None
        active = torch.ne(a, 0, out=torch.empty_like(a, dtype=torch.float32))
        if counted is None:
            weight = torch.ones(len(a), dtype=torch.int64, device=a.device)
            self._total += a.sum()
        else:
            weight = counted.long()
            active *= counted.unsqueeze(-1)
            self._total += a.sum(-1).masked_fill(~counted, 0.0).sum()
        self._firing += active.sum(0).long()
        self._histogram.scatter_add_(0, active.sum(-1).long(), weight)

    def take(self) -> LayerCounts:
        """What was counted since the last call.

        Raises:
            ProblemError: If nothing was.
            DivergedError: If an activation was not a number.
        """
        if self._firing is None:
            raise ProblemError("Nothing was counted", where=self.name, fix="Run the model while counting.")
        if bool(self._total.isnan()):
            raise DivergedError(
                "An activation is not a number, so it is neither zero nor active", where=self.name
            )
        counts = LayerCounts(self.name, self._firing.cpu().numpy(), self._histogram.cpu().numpy())
        self._firing = None
        return counts


class ActivationCounter:
    """Counts the activations of a model's blocks while it is entered (``with``).

    It may be entered for some passes only, and again. A model can have only one counter at a time.
    """

    def __init__(self, model: nn.Module) -> None:
        self._blocks = blocks_of(model)
        self._tallies = {name: Tally(name, block.d_ff) for name, block in self._blocks.items()}

    def __enter__(self) -> Self:
        for name, block in self._blocks.items():
            if block.recorder is not None:
                raise ProblemError("The activations of this model are being counted already", where=name)
        for name, block in self._blocks.items():
            block.recorder = self._tallies[name]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for block in self._blocks.values():
            block.recorder = None

    def take(self) -> Counts:
        """What was counted since the last call.

        Raises:
            ProblemError: If nothing was.
            DivergedError: If an activation was not a number.
        """
        return Counts(tuple(tally.take() for tally in self._tallies.values()))
