"""A network of two layers, f(x) = V σ(Kᵀx + b): the setting of the paper's theorem."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from methods.sparsity.activation import Activation
from methods.sparsity.mlp import ReluMlp
from methods.sparsity.sizes import MlpSize


class TwoLayer(nn.Module):
    """Vectors (or images, which are flattened) to class logits."""

    def __init__(
        self, size: MlpSize, *, generator: torch.Generator, activation: Activation | None = None
    ) -> None:
        """A model with weights drawn from ``generator``; the last layer is random, not zero."""
        super().__init__()
        self.mlp = ReluMlp(
            size.inputs,
            size.d_ff,
            bias=True,
            generator=generator,
            activation=activation,
            d_out=size.classes,
        )

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits, shape (B, classes), of inputs, shape (B, …)."""
        out: Tensor = self.mlp(inputs.flatten(1))
        return out
