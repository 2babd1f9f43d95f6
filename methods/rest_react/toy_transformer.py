"""A decoder-only transformer small enough to be trained in seconds on one core.

``transformers`` has the same architecture, at several times the cost of an update at these sizes:
here biases and attention are single calls, and the last layer's feed-forward part and the output
layer only run where a token is predicted.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import linear, scaled_dot_product_attention

CONTEXT = 112
"""Tokens of a prompt and its action, at most."""


@dataclass(frozen=True)
class Shape:
    """Size of a :class:`ToyTransformer`.

    Attributes:
        vocabulary: V, tokens.
        hidden: D, width.
        layers: Blocks.
        heads: Attention heads.
    """

    vocabulary: int
    hidden: int
    layers: int = 2
    heads: int = 4


class Block(nn.Module):
    """Pre-norm attention and feed-forward, the latter four times as wide.

    Args:
        shape: Size.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.heads = shape.heads
        self.before_attention = nn.LayerNorm(shape.hidden)
        self.mixed = nn.Linear(shape.hidden, 3 * shape.hidden)
        self.out = nn.Linear(shape.hidden, shape.hidden)
        self.before_wide = nn.LayerNorm(shape.hidden)
        self.wide = nn.Linear(shape.hidden, 4 * shape.hidden)
        self.narrow = nn.Linear(4 * shape.hidden, shape.hidden)

    def forward(self, x: Tensor, places: Tensor | None = None) -> Tensor:
        """From (B, T, D) to (B, T, D), or to (N, D) at flat ``places`` (N,) of (B · T)."""
        rows, length, width = x.shape
        mixed = self.mixed(self.before_attention(x)).view(rows, length, 3, self.heads, -1)
        query, key, value = mixed.permute(2, 0, 3, 1, 4)
        seen = scaled_dot_product_attention(query, key, value, is_causal=True)
        seen = seen.transpose(1, 2).reshape(rows, length, width)
        if places is not None:
            seen, x = seen.reshape(-1, width)[places], x.reshape(-1, width)[places]
        x = x + self.out(seen)
        wide = nn.functional.gelu(self.wide(self.before_wide(x)), approximate="tanh")
        added: Tensor = x + self.narrow(wide)
        return added


class ToyTransformer(nn.Module):
    """Causal, with learnt positions and one matrix for reading and writing tokens.

    Args:
        shape: Size.
        generator: Draws the weights, normal with standard deviation .02 (.1 for the embeddings, whose
            scale matters at these widths).
    """

    def __init__(self, shape: Shape, generator: torch.Generator) -> None:
        super().__init__()
        self.shape = shape
        self.tokens = nn.Parameter(torch.empty(shape.vocabulary, shape.hidden))
        self.positions = nn.Parameter(torch.empty(CONTEXT, shape.hidden))
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.norm = nn.LayerNorm(shape.hidden)
        with torch.no_grad():
            for name, parameter in self.named_parameters():
                if parameter.ndim > 1:
                    scale = 0.1 if name in ("tokens", "positions") else shape.hidden**-0.5
                    parameter.normal_(0.0, scale, generator=generator)
                elif name.endswith("bias"):
                    parameter.zero_()

    @property
    def parameter_count(self) -> int:
        """Trained numbers."""
        return sum(parameter.numel() for parameter in self.parameters())

    def forward(self, ids: Tensor, places: Tensor) -> Tensor:
        """Scores of the tokens that follow.

        Rows are padded on the right, where no earlier place looks.

        Args:
            ids: Shape (B, T).
            places: Flat places in (B · T) whose next tokens are wanted, shape (N,).

        Returns:
            Shape (N, V).
        """
        x = self.tokens[ids] + self.positions[: ids.shape[1]]
        for number, block in enumerate(self.blocks, 1):
            x = block(x, places if number == len(self.blocks) else None)
        return linear(self.norm(x), self.tokens)
