"""MLP-Mixer (Tolstikhin et al., 2021, arXiv:2105.01601) with ReLU MLP blocks."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from methods.sparsity.activation import Activation
from methods.sparsity.layers import patches_of, zero_head
from methods.sparsity.mlp import ReluMlp, draw_weights
from methods.sparsity.sizes import MixerSize


class MixerBlock(nn.Module):
    """One MLP over tokens for each channel, then one over channels for each token."""

    def __init__(self, size: MixerSize, *, generator: torch.Generator, activation: Activation | None) -> None:
        super().__init__()
        self.token_norm = nn.LayerNorm(size.d_model)
        self.tokens = ReluMlp(
            size.patches, size.d_tokens, bias=True, generator=generator, activation=activation
        )
        self.channel_norm = nn.LayerNorm(size.d_model)
        self.channels = ReluMlp(
            size.d_model, size.d_ff, bias=True, generator=generator, activation=activation
        )

    def forward(self, x: Tensor) -> Tensor:
        """Both mixings with their residual paths, shape (B, T, d) to the same."""
        x = x + self.tokens(self.token_norm(x).transpose(1, 2)).transpose(1, 2)
        out: Tensor = x + self.channels(self.channel_norm(x))
        return out


class Mixer(nn.Module):
    """Images to class logits. In MLPs over tokens, what is counted as a token is a channel."""

    def __init__(
        self, size: MixerSize, *, generator: torch.Generator, activation: Activation | None = None
    ) -> None:
        """A model with weights drawn from ``generator``; the head is zero."""
        super().__init__()
        self.size = size
        self.embed = nn.Linear(size.channels * size.patch**2, size.d_model)
        draw_weights(self.embed, generator)
        self.blocks = nn.ModuleList(
            MixerBlock(size, generator=generator, activation=activation) for _ in range(size.layers)
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
        for block in self.blocks:
            x = block(x)
        out: Tensor = self.head(self.norm(x).mean(1))
        return out
