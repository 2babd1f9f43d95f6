"""Floating-point operations of an MLP block, dense and sparse (section 3.1 of the paper).

A multiplication and an addition count as two operations. Finding the active neurons is not
counted: the paper leaves it to approximate inner-product search.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from harness.method import ProblemError
from methods.sparsity.counting import Counts
from methods.sparsity.mlp import blocks_of


def second_layer(d_model: int, active: float) -> float:
    """Operations of V a for a token with ``active`` non-zero entries: 2 · d_model · s."""
    return 2.0 * d_model * active


def mlp_block(d_model: int, d_ff: int, active: float | None = None) -> float:
    """Operations of both layers for a token; the second is sparse if ``active`` is given."""
    return 2.0 * d_model * d_ff + second_layer(d_model, d_ff if active is None else active)


def transformer_layer(tokens: int, d_model: int, d_ff: int, active: float | None = None) -> float:
    """Operations of a layer for a sequence: projections, attention over all pairs, MLP block.

    8 N d_model² + 4 N² d_model + N · :func:`mlp_block`.
    """
    attention = 8.0 * tokens * d_model**2 + 4.0 * tokens**2 * d_model
    return attention + tokens * mlp_block(d_model, d_ff, active)


def second_layer_saving(d_ff: int, active: float) -> float:
    """Share of the second layer's operations that sparsity saves: 1 − s/d_ff.

    Raises:
        ProblemError: If ``active`` is not between 0 and ``d_ff``.
    """
    if not 0.0 <= active <= d_ff:
        raise ProblemError(f"{active} of {d_ff} neurons cannot be active")
    return 1.0 - active / d_ff


def mlp_saving(d_ff: int, active: float) -> float:
    """Share of the whole block's operations saved in its second layer: (1 − s/d_ff)/2."""
    return second_layer_saving(d_ff, active) / 2.0


@dataclass(frozen=True)
class SecondLayerFlops:
    """Operations of the second layers of all blocks on the tokens counted.

    Attributes:
        dense: If every neuron is multiplied.
        sparse: If only active ones are.
    """

    dense: int
    sparse: int

    @property
    def saving(self) -> float:
        """Share of the operations saved; 0 if there are none."""
        return 1.0 - self.sparse / self.dense if self.dense else 0.0


def counted(model: nn.Module, counts: Counts) -> SecondLayerFlops:
    """Operations from counts of a model's activations, exact.

    Raises:
        ProblemError: If the counts are those of another model.
    """
    blocks = blocks_of(model)
    if [layer.name for layer in counts.layers] != list(blocks):
        raise ProblemError("These counts are those of another model", where=type(model).__name__)
    dense = sparse = 0
    for layer, block in zip(counts.layers, blocks.values(), strict=True):
        dense += 2 * block.down.out_features * layer.d_ff * layer.tokens
        sparse += 2 * block.down.out_features * layer.active
    return SecondLayerFlops(dense, sparse)
