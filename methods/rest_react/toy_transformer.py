"""A decoder-only transformer small enough to be trained in seconds on one core.

``transformers`` has the same architecture, at several times the cost of an update at these sizes:
here biases and attention are single calls, and the last layer's queries, its feed-forward part and the
output layer only run where a token is predicted.
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

    def forward(self, x: Tensor, read: Read | None = None) -> Tensor:
        """From (B, T, D) to (B, T, D), or to (N, D) at the places of ``read``, all that is computed then."""
        rows, length, width = x.shape
        calm = self.before_attention(x)
        if read is None:
            asked, key, value = self._heads(linear(calm, self.mixed.weight, self.mixed.bias), 3)
            hidden = torch.full((length, length), -torch.inf, device=x.device).triu(1)
        else:
            # Keys and values everywhere, queries only where a token is predicted.
            weight, bias = self.mixed.weight, self.mixed.bias
            (asked,) = self._heads(linear(calm[read.row, read.place], weight[:width], bias[:width]), 1)
            key, value = self._heads(linear(calm, weight[width:], bias[width:]), 2)
            later = torch.arange(length, device=x.device) > read.place[..., None]
            hidden = torch.zeros(later.shape, device=x.device).masked_fill_(later, -torch.inf)
            hidden = hidden.repeat_interleave(self.heads, 0)
        # At these sizes plain products take a third of the time of fused attention.
        scores = torch.baddbmm(hidden, asked, key.transpose(1, 2), alpha=(width // self.heads) ** -0.5)
        seen = (scores.softmax(-1) @ value).view(rows, self.heads, -1, width // self.heads)
        seen = seen.transpose(1, 2).reshape(rows, -1, width)
        if read is not None:
            seen, x = seen[read.chosen], x[read.row, read.place][read.chosen]
        x = x + self.out(seen)
        added: Tensor = x + self.narrow(self.wide(self.before_wide(x)).relu())
        return added

    def _heads(self, mixed: Tensor, parts: int) -> Tensor:
        """From (B, A, parts · D) to (parts, B · heads, A, D / heads)."""
        rows, asked, _ = mixed.shape
        split = mixed.view(rows, asked, parts, self.heads, -1).permute(2, 0, 3, 1, 4)
        return split.reshape(parts, rows * self.heads, asked, -1)


@dataclass(frozen=True)
class Read:
    """Places whose next tokens are wanted, row by row: A of each of B rows, with fillers at the end.

    Attributes:
        row: Number of the row, shape (B, 1).
        place: Place in the row, shape (B, A); 0 for fillers.
        chosen: Which are no fillers, in the order of the flat places, shape (B, A).
    """

    row: Tensor
    place: Tensor
    chosen: Tensor

    @classmethod
    def at(cls, places: Tensor, rows: int, length: int) -> Read:
        """Of ascending flat places in (B · T), shape (N,)."""
        row = places // length
        counts = torch.bincount(row, minlength=rows)
        rank = torch.arange(len(places), device=places.device) - (counts.cumsum(0) - counts)[row]
        most = int(counts.max())
        place = torch.zeros((rows, most), dtype=places.dtype, device=places.device)
        place[row, rank] = places % length
        number = torch.arange(most, device=places.device)
        every = torch.arange(rows, device=places.device)[:, None]
        return cls(every, place, number < counts[:, None])


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
    def matrices(self) -> list[nn.Parameter]:
        """What maps activations to activations."""
        return [one for one in self.blocks.parameters() if one.ndim > 1]

    @property
    def others(self) -> list[nn.Parameter]:
        """Embeddings, positions, norms and biases."""
        ids = {id(one) for one in self.matrices}
        return [one for one in self.parameters() if id(one) not in ids]

    @property
    def parameter_count(self) -> int:
        """Trained numbers."""
        return sum(parameter.numel() for parameter in self.parameters())

    def forward(self, ids: Tensor, places: Tensor) -> Tensor:
        """Scores of the tokens that follow.

        Rows are padded on the right, where no earlier place looks.

        Args:
            ids: Shape (B, T).
            places: Flat places in (B · T) whose next tokens are wanted, ascending, shape (N,).

        Returns:
            Shape (N, V).
        """
        first, last = self.shape.pivots
        pivot = ((ids >= first) & (ids <= last)).int().argmax(1, keepdim=True)
        # Only padding lies beyond the longest action.
        place = (torch.arange(ids.shape[1], device=ids.device) - pivot).clamp(max=REPLY - 1)
        x = self.tokens[ids] + self.positions[place + CONTEXT]
        read = Read.at(places, *ids.shape)
        for number, block in enumerate(self.blocks, 1):
            x = block(x, read if number == len(self.blocks) else None)
        return linear(self.norm(x), self.tokens)
