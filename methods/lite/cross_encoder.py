"""A cross-encoder: query and passage read together by a BERT-like encoder, scored at [CLS].

Where a 22M encoder would take minutes too many, the two texts may be read alone in the lower layers
and together in the upper ones only (MacAvaney et al., 2020, arXiv:2004.14255): what a passage looks
like below the join is then computed once, whatever the number of its queries. With all layers joined
it is the usual cross-encoder.

Shapes: B pairs, L1 and L2 tokens, d the hidden size.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from harness.method import ProblemError


class CrossEncoder(nn.Module):
    """Scores pairs of texts.

    Args:
        encoder: A BERT model of ``transformers``; its weights are trained in place.
        joined: Upper layers that read both texts together.
        generator: Draws the head.

    Raises:
        ProblemError: If the encoder has not so many layers, or is not built as BERT is.
    """

    def __init__(self, encoder: nn.Module, joined: int, generator: torch.Generator) -> None:
        super().__init__()
        layers = getattr(getattr(encoder, "encoder", None), "layer", None)
        if layers is None or not hasattr(encoder, "embeddings"):
            raise ProblemError(
                f"A {type(encoder).__name__} has no layers that a cross-encoder can join",
                where="encoder",
                fix="Use an encoder built as BERT is (BERT, MiniLM, RoBERTa).",
            )
        if not 1 <= joined <= len(layers):
            raise ProblemError(
                f"{joined} layers cannot be joined", where="joined", fix=f"Use 1 to {len(layers)}."
            )
        self.embeddings: Any = encoder.embeddings
        self.lower = nn.ModuleList(layers[: len(layers) - joined])
        self.upper = nn.ModuleList(layers[len(layers) - joined :])
        config: Any = encoder.config
        self.heads = int(config.num_attention_heads)
        self.segments = nn.Parameter(torch.zeros(2, config.hidden_size))
        self.head = nn.Linear(config.hidden_size, 1)
        with torch.no_grad():
            self.head.weight.copy_(0.02 * torch.randn(1, config.hidden_size, generator=generator))
            self.head.bias.zero_()

    def read(self, ids: Tensor, mask: Tensor) -> Tensor:
        """What texts look like below the join: ids and mask (B, L), result (B, L, d)."""
        states: Tensor = self.embeddings(input_ids=ids)
        for layer in self.lower:
            states = self._layer(layer, states, states, mask)
        return states

    def forward(self, q: Tensor, q_mask: Tensor, d: Tensor, d_mask: Tensor) -> Tensor:
        """Scores of pairs, from what :meth:`read` gave for both texts; shape (B,)."""
        states = torch.cat([q + self.segments[0], d + self.segments[1]], dim=1)
        mask = torch.cat([q_mask, d_mask], dim=1)
        for layer in self.upper[:-1]:
            states = self._layer(layer, states, states, mask)
        # The score needs nothing but [CLS] from the last layer.
        first = self._layer(self.upper[-1], states[:, :1], states, mask)
        scores: Tensor = self.head(first[:, 0]).squeeze(-1)
        return scores

    def _layer(self, layer: Any, queries: Tensor, states: Tensor, mask: Tensor) -> Tensor:
        """One layer for the positions ``queries``, which attend to ``states``."""
        attention = layer.attention.self

        def split(vectors: Tensor) -> Tensor:
            return vectors.unflatten(-1, (self.heads, -1)).transpose(1, 2)

        found = scaled_dot_product_attention(
            split(attention.query(queries)),
            split(attention.key(states)),
            split(attention.value(states)),
            attn_mask=mask[:, None, None, :].bool(),
        )
        attended = layer.attention.output(found.transpose(1, 2).flatten(2), queries)
        result: Tensor = layer.output(layer.intermediate(attended), attended)
        return result
