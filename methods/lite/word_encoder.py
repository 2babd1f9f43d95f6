"""A transformer over word ids that is small enough to be trained from scratch in seconds."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize


class WordEncoder(nn.Module):
    """Unit vectors of words that have seen the others of their text.

    Args:
        words: Vocabulary.
        longest: Words of the longest text.
        width: Of the vectors.
        layers: Of the transformer.
    """

    def __init__(self, words: int, longest: int, *, width: int = 64, layers: int = 1) -> None:
        super().__init__()
        self.word = nn.Embedding(words, width)
        self.place = nn.Embedding(longest, width)
        layer = nn.TransformerEncoderLayer(
            width, 4, 2 * width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.body = nn.TransformerEncoder(layer, layers, nn.LayerNorm(width), enable_nested_tensor=False)

    def forward(self, texts: Tensor) -> Tensor:
        """Vectors of texts of one length.

        Args:
            texts: Word ids, shape (..., n, length).

        Returns:
            Unit vectors, shape (..., n, length, width).
        """
        places = torch.arange(texts.shape[-1], device=texts.device)
        read: Tensor = self.body((self.word(texts) + self.place(places)).flatten(0, -3))
        return normalize(read.view(*texts.shape, -1), dim=-1)
