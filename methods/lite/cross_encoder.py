"""A cross-encoder: query and passage read together by a BERT-like encoder.

To save time, the two texts may be read alone in the lower layers and together in the upper ones only
(MacAvaney et al., 2020, arXiv:2004.14255): what a passage looks like below the join is then computed
once, whatever the number of its queries. With all layers joined
it is the usual cross-encoder.

The score is a linear read-out of [CLS], as usual, plus two scaled cosines between the mean token
vectors of query and passage: after both were read together, and as the encoder gave them for each
text alone before training. With a few thousand examples [CLS] by itself stays at chance; the cosines
start from what an encoder that is tuned for similarity knows already.

Shapes: B pairs, L1 and L2 tokens, d the hidden size.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cosine_similarity, scaled_dot_product_attention

from harness.method import ProblemError
from methods.common.minilm import mean_pooled


class CrossEncoder(nn.Module):
    """Scores pairs of texts.

    Args:
        encoder: A BERT model of ``transformers``; its weights are trained in place.
        joined: Upper layers that read both texts together.

    Raises:
        ProblemError: If the encoder has not so many layers, or is not built as BERT is.
    """

    def __init__(self, encoder: nn.Module, joined: int) -> None:
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
        # Zero at first, so that training starts from the cosines.
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)
        self.scale = nn.Parameter(torch.tensor(20.0))
        self.prior = nn.Parameter(torch.tensor(20.0))

    def read(self, ids: Tensor, mask: Tensor) -> Tensor:
        """What texts look like below the join: ids and mask (B, L), result (B, L, d)."""
        mask = _never_empty(mask)
        states: Tensor = self.embeddings(input_ids=ids)
        for layer in self.lower:
            states = self._layer(layer, states, mask)
        return states

    def alone(self, states: Tensor, mask: Tensor) -> Tensor:
        """The mean of a text's tokens after all layers, from what :meth:`read` gave; shape (B, d)."""
        mask = _never_empty(mask)
        for layer in self.upper:
            states = self._layer(layer, states, mask)
        return mean_pooled(states, mask)  # type: ignore[no-any-return]

    def forward(self, q: Tensor, q_mask: Tensor, d: Tensor, d_mask: Tensor, prior: Tensor) -> Tensor:
        """Scores of pairs.

        Args:
            q: What :meth:`read` gave for the queries, shape (B, L1, d).
            q_mask: Shape (B, L1).
            d: The same for the passages, shape (B, L2, d).
            d_mask: Shape (B, L2).
            prior: Cosines of :meth:`alone`, shape (B,).

        Returns:
            Shape (B,).
        """
        states = torch.cat([q + self.segments[0], d + self.segments[1]], dim=1)
        mask = _never_empty(torch.cat([q_mask, d_mask], dim=1))
        for layer in self.upper:
            states = self._layer(layer, states, mask)
        length = q.shape[1]
        asked = mean_pooled(states[:, :length], q_mask)
        found = mean_pooled(states[:, length:], d_mask)
        cosines = self.scale * cosine_similarity(asked, found) + self.prior * prior
        scores: Tensor = cosines + self.head(states[:, 0]).squeeze(-1)
        return scores

    def _layer(self, layer: Any, states: Tensor, mask: Tensor) -> Tensor:
        """One layer, without dropout."""
        attention = layer.attention.self

        def split(vectors: Tensor) -> Tensor:
            return vectors.unflatten(-1, (self.heads, -1)).transpose(1, 2)  # type: ignore[no-any-return, no-untyped-call]

        found = scaled_dot_product_attention(
            split(attention.query(states)),
            split(attention.key(states)),
            split(attention.value(states)),
            attn_mask=mask[:, None, None, :].bool(),
        )
        attended = layer.attention.output(found.transpose(1, 2).flatten(2), states)
        result: Tensor = layer.output(layer.intermediate(attended), attended)
        return result


def _never_empty(mask: Tensor) -> Tensor:
    """The mask with its first place set: a text without any token would attend to nothing."""
    return torch.cat([torch.ones_like(mask[:, :1]), mask[:, 1:]], dim=1)
