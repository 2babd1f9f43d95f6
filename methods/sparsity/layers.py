"""Parts that the models share: attention, a pre-norm transformer block, patches of an image.

Shapes: B sequences, T tokens, S tokens that are looked at, H heads, d width of a token.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from harness.method import ProblemError
from methods.common.draws import fill_normal
from methods.sparsity.activation import Activation
from methods.sparsity.mlp import ReluMlp, draw_weights

Norm = Callable[[int], nn.Module]
"""Makes a normalisation layer for vectors of a width: ``nn.LayerNorm`` or ``nn.RMSNorm``."""


def attend(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    logits: Tensor | None,
    *,
    causal: bool = False,
    scale: float | None = None,
) -> Tensor:
    """softmax(scale · QKᵀ + logits) V.

    Args:
        query: Shape (B, H, T, d/H).
        key: Shape (B, H, S, d/H).
        value: Shape (B, H, S, d/H).
        logits: Broadcast to (B, H, T, S); -inf hides a token, but never all of a row.
        causal: Hide later tokens; without ``logits`` only.
        scale: 1/√(d/H) without it.

    Returns:
        Shape (B, H, T, d/H).
    """
    if logits is None or not logits.requires_grad or query.is_cuda:
        return scaled_dot_product_attention(
            query, key, value, attn_mask=logits, is_causal=causal, scale=scale
        )
    # A bias that is learnt has no fused kernel on the CPU, and what takes its place there looks for rows
    # that are hidden altogether, twice.
    factor = query.shape[-1] ** -0.5 if scale is None else scale
    scores = query @ key.mT
    weights = ((scores if factor == 1.0 else scores * factor) + logits).softmax(-1)
    return weights @ value


class SelfAttention(nn.Module):
    """Multi-head attention of a sequence to itself, queries, keys and values from one product."""

    def __init__(
        self, d_model: int, heads: int, *, bias: bool, generator: torch.Generator, scaled: bool = True
    ) -> None:
        """An attention layer.

        Args:
            d_model: Width of a token.
            heads: Number of heads.
            bias: Whether the linear layers have one.
            generator: Draws the weights.
            scaled: Divide the logits by √(d/H). T5 does not: it draws smaller queries instead.
        """
        super().__init__()
        self.heads = heads
        self.scale = None if scaled else 1.0
        self.qkv = nn.Linear(d_model, 3 * d_model, bias=bias)
        self.out = nn.Linear(d_model, d_model, bias=bias)
        for layer in (self.qkv, self.out):
            draw_weights(layer, generator)
        if not scaled:
            with torch.no_grad():
                self.qkv.weight[:d_model] /= (d_model // heads) ** 0.5

    def forward(self, x: Tensor, *, logits: Tensor | None = None, causal: bool = False) -> Tensor:
        """Attend.

        Args:
            x: Shape (B, T, d).
            logits: Added to the attention logits, broadcast to (B, H, T, T); -inf hides a token.
            causal: Hide later tokens; without ``logits`` only.

        Returns:
            Shape (B, T, d).
        """
        size, length, width = x.shape
        split = self.qkv(x).view(size, length, 3, self.heads, width // self.heads)
        query, key, value = split.permute(2, 0, 3, 1, 4)
        mixed = attend(query, key, value, logits, causal=causal, scale=self.scale)
        out: Tensor = self.out(mixed.transpose(1, 2).reshape(size, length, width))
        return out


class CrossAttention(nn.Module):
    """Multi-head attention of a decoder to the encoder's output, unscaled as in T5."""

    def __init__(self, d_model: int, heads: int, *, generator: torch.Generator) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(d_model, d_model, bias=False)
        self.key_value = nn.Linear(d_model, 2 * d_model, bias=False)
        self.out = nn.Linear(d_model, d_model, bias=False)
        for layer in (self.query, self.key_value, self.out):
            draw_weights(layer, generator)
        with torch.no_grad():
            self.query.weight /= (d_model // heads) ** 0.5

    def forward(self, x: Tensor, memory: Tensor, logits: Tensor | None) -> Tensor:
        """Attend from ``x``, shape (B, T, d), to ``memory``, shape (B, S, d).

        Returns:
            Shape (B, T, d).
        """
        size, length, width = x.shape
        query = self.query(x).view(size, length, self.heads, -1).transpose(1, 2)
        split = self.key_value(memory).view(size, memory.shape[1], 2, self.heads, width // self.heads)
        key, value = split.permute(2, 0, 3, 1, 4)
        mixed = attend(query, key, value, logits, scale=1.0)
        out: Tensor = self.out(mixed.transpose(1, 2).reshape(size, length, width))
        return out


class Block(nn.Module):
    """x + attention(norm(x)), then x + mlp(norm(x)): a pre-norm transformer block."""

    def __init__(
        self,
        d_model: int,
        d_ff: int,
        heads: int,
        *,
        generator: torch.Generator,
        activation: Activation | None,
        norm: Norm = nn.LayerNorm,
        bias: bool = True,
        scaled: bool = True,
    ) -> None:
        super().__init__()
        self.attention_norm = norm(d_model)
        self.attention = SelfAttention(d_model, heads, bias=bias, generator=generator, scaled=scaled)
        self.mlp_norm = norm(d_model)
        self.mlp = ReluMlp(d_model, d_ff, bias=bias, generator=generator, activation=activation)

    def forward(
        self, x: Tensor, *, counted: Tensor | None = None, logits: Tensor | None = None, causal: bool = False
    ) -> Tensor:
        """One block; see :class:`SelfAttention` and :class:`~methods.sparsity.mlp.ReluMlp`."""
        x = x + self.attention(self.attention_norm(x), logits=logits, causal=causal)
        out: Tensor = x + self.mlp(self.mlp_norm(x), counted)
        return out


class DecoderBlock(Block):
    """A block that also looks at the encoder's output, between attention and MLP."""

    def __init__(
        self, d_model: int, d_ff: int, heads: int, *, generator: torch.Generator, norm: Norm, **options: Any
    ) -> None:
        """As :class:`Block`, with the same ``options``."""
        super().__init__(d_model, d_ff, heads, generator=generator, norm=norm, **options)
        self.cross_norm = norm(d_model)
        self.cross = CrossAttention(d_model, heads, generator=generator)

    def forward(
        self,
        x: Tensor,
        *,
        counted: Tensor | None = None,
        logits: Tensor | None = None,
        causal: bool = False,
        memory: Tensor | None = None,
        hidden: Tensor | None = None,
    ) -> Tensor:
        """As :class:`Block`, with attention to ``memory``, to whose logits ``hidden`` is added."""
        x = x + self.attention(self.attention_norm(x), logits=logits, causal=causal)
        if memory is not None:
            x = x + self.cross(self.cross_norm(x), memory, hidden)
        out: Tensor = x + self.mlp(self.mlp_norm(x), counted)
        return out


def patches_of(images: Tensor, patch: int, image: int, channels: int) -> Tensor:
    """Images cut into patches, row by row.

    Args:
        images: Shape (B, channels, image, image).
        patch: Side of a patch in pixels.
        image: Side of an image in pixels.
        channels: Channels of an image.

    Returns:
        Shape (B, (image / patch)², channels · patch²).

    Raises:
        ProblemError: If the images have another shape.
    """
    if images.ndim != 4 or tuple(images.shape[1:]) != (channels, image, image):
        raise ProblemError(
            f"Images of shape {tuple(images.shape)} do not fit a model for (B, {channels}, {image}, {image})",
            fix="Give a channel axis, and sides as the model's size says.",
        )
    side = image // patch
    cut = images.reshape(-1, channels, side, patch, side, patch).permute(0, 2, 4, 1, 3, 5)
    return cut.reshape(-1, side * side, channels * patch * patch)


def zero_head(d_model: int, classes: int) -> nn.Linear:
    """An output layer of zeros: at first all outcomes are equally likely."""
    head = nn.Linear(d_model, classes)
    nn.init.zeros_(head.weight)
    nn.init.zeros_(head.bias)
    return head


def normal(*shape: int, std: float, generator: torch.Generator) -> nn.Parameter:
    """A parameter of normal entries."""
    return nn.Parameter(fill_normal(torch.empty(shape), 0.0, std, generator))
