"""Vision transformer (pre-LayerNorm) with ReLU MLP blocks."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from methods.sparsity.activation import Activation
from methods.sparsity.layers import Block, normal, patches_of, zero_head
from methods.sparsity.mlp import draw_weights
from methods.sparsity.sizes import VitSize


class VisionTransformer(nn.Module):
    """Images to class logits.

    The class token, if there is one, takes part in the counts like every other token.
    """

    def __init__(
        self, size: VitSize, *, generator: torch.Generator, activation: Activation | None = None
    ) -> None:
        """A model with weights drawn from ``generator``; the head is zero."""
        super().__init__()
        self.size = size
        self.embed = nn.Linear(size.channels * size.patch**2, size.d_model)
        draw_weights(self.embed, generator)
        self.positions = normal(size.tokens, size.d_model, std=0.02, generator=generator)
        self.class_token = nn.Parameter(torch.zeros(size.d_model)) if size.pooling == "class" else None
        self.blocks = nn.ModuleList(
            Block(size.d_model, size.d_ff, size.heads, generator=generator, activation=activation)
            for _ in range(size.layers)
        )
        self.norm = nn.LayerNorm(size.d_model)
        self.head = zero_head(size.d_model, size.classes)

    def forward(self, images: Tensor) -> Tensor:
        """Logits, shape (B, classes), of images, shape (B, channels, side, side).

        Raises:
            ProblemError: If the images have another shape.
        """
        size = self.size
        x = self.embed(patches_of(images, size.patch, size.image, size.channels))
        if self.class_token is not None:
            x = torch.cat([self.class_token.expand(len(x), 1, -1), x], 1)
        x = x + self.positions
        for block in self.blocks:
            x = block(x)
        x = self.norm(x)
        out: Tensor = self.head(x.mean(1) if self.class_token is None else x[:, 0])
        return out
