"""Language models over bytes with ReLU MLP blocks without bias: a decoder, and a small T5 v1.0.

Shapes: B sequences, T tokens, V ids.
"""

from __future__ import annotations

import math
from functools import cache, partial

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding

from harness.method import ProblemError
from methods.sparsity.activation import Activation
from methods.sparsity.layers import Block, DecoderBlock, normal, zero_head
from methods.sparsity.sizes import LmSize

BUCKETS = 32
"""Kinds of distance that T5 distinguishes."""
FARTHEST = 128
"""Distance in tokens from which all distances are one kind."""


class DecoderLm(nn.Module):
    """A causal language model: learned positions, pre-LayerNorm."""

    def __init__(
        self, size: LmSize, *, generator: torch.Generator, activation: Activation | None = None
    ) -> None:
        """A model with weights drawn from ``generator``; the head is zero."""
        super().__init__()
        self.size = size
        self.embed = normal(size.vocabulary, size.d_model, std=0.02, generator=generator)
        self.positions = normal(size.context, size.d_model, std=0.02, generator=generator)
        self.blocks = nn.ModuleList(
            Block(size.d_model, size.d_ff, size.heads, generator=generator, activation=activation, bias=False)
            for _ in range(size.layers)
        )
        self.norm = nn.LayerNorm(size.d_model)
        self.head = zero_head(size.d_model, size.vocabulary)

    def forward(self, ids: Tensor, mask: Tensor | None = None) -> Tensor:
        """Logits of the next token after each.

        Args:
            ids: Shape (B, T).
            mask: Which tokens are counted, shape (B, T); padding, which must come last, is False.

        Returns:
            Shape (B, T, V).

        Raises:
            ProblemError: If the sequences are longer than the model's context.
        """
        check_length(ids, self.size)
        x = embedding(ids, self.embed) + self.positions[: ids.shape[1]]
        for block in self.blocks:
            x = block(x, counted=mask, causal=True)
        out: Tensor = self.head(self.norm(x))
        return out


class EncoderDecoder(nn.Module):
    """T5 v1.0: relative positions, RMS normalisation, unscaled attention, tied embeddings.

    The same numbers as ``transformers``' T5 for the same weights (without dropout).
    """

    def __init__(
        self, size: LmSize, *, generator: torch.Generator, activation: Activation | None = None
    ) -> None:
        """A model with weights drawn from ``generator`` as T5 draws them."""
        super().__init__()
        self.size = size
        self.embed = normal(size.vocabulary, size.d_model, std=1.0, generator=generator)
        self.encoder = _Stack(size, generator=generator, activation=activation, decodes=False)
        self.decoder = _Stack(size, generator=generator, activation=activation, decodes=True)

    def forward(
        self, ids: Tensor, previous: Tensor, mask: Tensor | None = None, target_mask: Tensor | None = None
    ) -> Tensor:
        """Logits of each target token.

        Args:
            ids: The encoder's input, shape (B, S).
            previous: The token before each target token (see :func:`shifted`), shape (B, T).
            mask: Which tokens of ``ids`` are real, shape (B, S), boolean; the others are neither
                looked at nor counted.
            target_mask: Which tokens of ``previous`` are counted, shape (B, T), boolean; padding
                must come last.

        Returns:
            Shape (B, T, V).

        Raises:
            ProblemError: If a sequence is longer than the model's context.
        """
        check_length(ids, self.size)
        check_length(previous, self.size)
        hidden = None
        if mask is not None:
            hidden = torch.zeros(mask.shape, device=ids.device).masked_fill(~mask, -math.inf)[:, None, None]
        memory = self.encoder(embedding(ids, self.embed), counted=mask, hidden=hidden)
        before = embedding(previous, self.embed)
        x = self.decoder(before, counted=target_mask, memory=memory, hidden=hidden)
        # T5 scales by 1/√d where the output layer shares the embeddings' weights.
        out: Tensor = (x * self.size.d_model**-0.5) @ self.embed.mT
        return out


class _Stack(nn.Module):
    """The blocks of the encoder or of the decoder."""

    def __init__(
        self, size: LmSize, *, generator: torch.Generator, activation: Activation | None, decodes: bool
    ) -> None:
        super().__init__()
        self.decodes = decodes
        norm = partial(nn.RMSNorm, eps=1e-6)
        self.distances = normal(BUCKETS, size.heads, std=size.d_model**-0.5, generator=generator)
        kind = DecoderBlock if decodes else Block
        self.blocks = nn.ModuleList(
            kind(
                size.d_model,
                size.d_ff,
                size.heads,
                generator=generator,
                activation=activation,
                norm=norm,
                bias=False,
                scaled=False,
            )
            for _ in range(size.layers)
        )
        self.norm = norm(size.d_model)

    def forward(
        self,
        x: Tensor,
        *,
        counted: Tensor | None,
        hidden: Tensor | None,
        memory: Tensor | None = None,
    ) -> Tensor:
        """All blocks; ``hidden`` is -inf at tokens of the encoder not to be looked at, (B, 1, 1, S)."""
        logits = self._logits(x.shape[1], x.device)
        if memory is None:
            logits = logits if hidden is None else logits + hidden
            for block in self.blocks:
                x = block(x, counted=counted, logits=logits)
        else:
            for block in self.blocks:
                x = block(x, counted=counted, logits=logits, memory=memory, hidden=hidden)
        out: Tensor = self.norm(x)
        return out

    def _logits(self, length: int, device: torch.device) -> Tensor:
        """What distance adds to the attention logits, shape (1, H, T, T); -inf after a token."""
        kinds, later = _kinds(length, self.decodes, device)
        added = embedding(kinds, self.distances).permute(2, 0, 1)
        if self.decodes:
            added = added.masked_fill(later, -math.inf)
        return added.unsqueeze(0)


@cache
def _kinds(length: int, decodes: bool, device: torch.device) -> tuple[Tensor, Tensor]:  # noqa: FBT001
    """The kind of distance from each token to each, and which are later ones; both of shape (T, T)."""
    # Training uses them, too, whoever asks first: tensors made in inference mode could have no gradient.
    with torch.inference_mode(mode=False):
        place = torch.arange(length, device=device)
        distance = place - place.unsqueeze(-1)
        return bucket(distance, both=not decodes), distance > 0


def bucket(distance: Tensor, *, both: bool) -> Tensor:
    """The kind of a distance in T5: exact when near, on a logarithmic scale when far.

    Args:
        distance: Position looked at minus position that looks, any shape.
        both: Whether distances to later positions are distinguished; else they count as 0.

    Returns:
        Numbers in [0, :data:`BUCKETS`), same shape.
    """
    kinds = BUCKETS // 2 if both else BUCKETS
    side = (distance > 0).long() * kinds if both else torch.zeros_like(distance)
    away = distance.abs() if both else (-distance).clamp(min=0)
    exact = kinds // 2
    share = (away.clamp(min=1).float() / exact).log() / math.log(FARTHEST / exact)
    far = (exact + (share * (kinds - exact)).long()).clamp(max=kinds - 1)
    return side + torch.where(away < exact, away, far)


def shifted(targets: Tensor, start: int = 0) -> Tensor:
    """The token before each target token, shape (B, T): ``start``, then all targets but the last."""
    return torch.cat([targets.new_full((len(targets), 1), start), targets[:, :-1]], 1)


def check_length(ids: Tensor, size: LmSize) -> None:
    """Refuse sequences longer than the context.

    Raises:
        ProblemError: Naming both lengths.
    """
    if ids.shape[1] > size.context:
        raise ProblemError(
            f"A sequence of {ids.shape[1]} tokens is longer than the context of {size.context}",
            fix="Cut the text, or build the model with a larger context.",
        )
