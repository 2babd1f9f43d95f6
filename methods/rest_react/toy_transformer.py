"""A decoder-only transformer small enough to be trained in seconds on one core.

``transformers`` has the same architecture, at several times the cost of an update at these sizes:
here biases and attention are single calls, and the last layer's feed-forward part and the output
layer only run where a token is predicted.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from methods.common.draws import fill_normal

CONTEXT, REPLY = 96, 16
"""Tokens of a prompt, and of its action, at most."""


@dataclass(frozen=True)
class Shape:
    """Size of a :class:`ToyTransformer`.

    Attributes:
        vocabulary: V, tokens.
        hidden: D, width.
        layers: Blocks.
        heads: Attention heads.
        pivots: First and last id of the tokens that end a prompt; positions are counted from there,
            so that what was found just now always stands at the same ones.
    """

    vocabulary: int
    hidden: int
    layers: int = 2
    heads: int = 4
    pivots: tuple[int, int] = (0, 0)


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
        # At these sizes plain products take a third of the time of fused attention.
        query, key, value = mixed.permute(2, 0, 3, 1, 4).reshape(3, rows * self.heads, length, -1)
        future = torch.full((length, length), -torch.inf, device=x.device).triu(1)
        scores = torch.baddbmm(future, query, key.transpose(1, 2), alpha=(width // self.heads) ** -0.5)
        seen = (scores.softmax(-1) @ value).view(rows, self.heads, length, -1)
        seen = seen.transpose(1, 2).reshape(rows, length, width)
        if places is not None:
            seen, x = seen.reshape(-1, width)[places], x.reshape(-1, width)[places]
        x = x + self.out(seen)
        added: Tensor = x + self.narrow(self.wide(self.before_wide(x)).relu())
        return added


class ToyTransformer(nn.Module):
    """Causal; positions are learnt and counted from the end of the prompt; embeddings are tied.

    Args:
        shape: Size.
        generator: Draws the weights, normal with standard deviation 1/√D (.1 for the embeddings, whose
            scale matters at these widths); biases start at 0.
    """

    def __init__(self, shape: Shape, generator: torch.Generator) -> None:
        super().__init__()
        self.shape = shape
        self.tokens = nn.Parameter(torch.empty(shape.vocabulary, shape.hidden))
        self.positions = nn.Parameter(torch.empty(CONTEXT + REPLY, shape.hidden))
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.norm = nn.LayerNorm(shape.hidden)
        with torch.no_grad():
            for name, parameter in self.named_parameters():
                if parameter.ndim > 1:
                    scale = 0.1 if name in ("tokens", "positions") else shape.hidden**-0.5
                    fill_normal(parameter, 0.0, scale, generator)
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
        first, last = self.shape.pivots
        pivot = ((ids >= first) & (ids <= last)).int().argmax(1, keepdim=True)
        # Only padding lies beyond the longest action.
        place = (torch.arange(ids.shape[1], device=ids.device) - pivot).clamp(max=REPLY - 1)
        x = self.tokens[ids] + self.positions[place + CONTEXT]
        for number, block in enumerate(self.blocks, 1):
            x = block(x, places if number == len(self.blocks) else None)
        return linear(self.norm(x), self.tokens)
