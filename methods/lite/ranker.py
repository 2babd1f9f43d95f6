"""A ranker: what turns texts into token vectors, fewer document vectors, and a scorer on top."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import torch
from torch import Tensor, nn

from harness.method import ProblemError
from methods.lite.prepare import Texts, TokenSet
from methods.lite.reduction import LinearMap, block_mean, bytes_per_document, cluster, truncate
from methods.lite.scorers import Scorer
from methods.lite.tokens import slices, unit_tokens

Reduction: TypeAlias = Literal["none", "truncate", "block-mean", "linear", "k-means"]
AT_ONCE = 64
"""Queries that are ranked at once, and four times as many texts that are encoded at once."""


@dataclass(frozen=True)
class Lists:
    """Candidates of T queries, as rows of the texts; shorter lists are filled up with row 0.

    Attributes:
        names: Ids of the queries.
        queries: Rows of the queries, shape (T,).
        candidates: Rows of the passages, shape (T, c).
        real: Which of them are candidates, shape (T, c).
    """

    names: tuple[str, ...]
    queries: Tensor
    candidates: Tensor
    real: Tensor


class Tower(nn.Module):
    """Token vectors of length one: of an encoder that queries and documents share, or given ones.

    Args:
        dim: Dimension of the token vectors.
        encoder: A transformer of ``transformers``; without it, texts are unit vectors already.
        project: Learn a linear map P → P of query tokens, which starts as the identity. Stored
            documents stay as they are, so that one index serves all rankers.
    """

    def __init__(self, dim: int, *, encoder: nn.Module | None = None, project: bool = True) -> None:
        super().__init__()
        self.dim = dim
        self.encoder = encoder
        self.projection = nn.Linear(dim, dim, bias=False) if project else None
        if self.projection is not None:
            nn.init.eye_(self.projection.weight)

    def forward(self, data: Tensor, mask: Tensor) -> Tensor:
        """Unit token vectors of texts, zero at padding, shape (..., L, P)."""
        if self.encoder is None:
            return data
        length = data.shape[-1]
        rows = mask.reshape(-1, length).long()
        found: Any = self.encoder(input_ids=data.reshape(-1, length), attention_mask=rows)
        return unit_tokens(found.last_hidden_state.float().reshape(*data.shape, -1), mask)

    def queries(self, data: Tensor, mask: Tensor) -> Tensor:
        """The same of queries, mapped if the map is learnt."""
        vectors: Tensor = self(data, mask)
        return vectors if self.projection is None else unit_tokens(self.projection(vectors), mask)


class Ranker(nn.Module):
    """Scores candidates from their texts.

    Args:
        tower: Of queries and documents.
        scorer: Made for L1 and for ``doc_tokens`` (or L2) vectors.
        reduction: How L2 document vectors become ``doc_tokens``.
        doc_tokens: Document vectors that are stored; 0 stores all.
        l2: L2.
    """

    def __init__(
        self, tower: Tower, scorer: Scorer, *, reduction: Reduction, doc_tokens: int, l2: int
    ) -> None:
        super().__init__()
        self.tower = tower
        self.scorer = scorer
        self.reduction = reduction
        self.stored = doc_tokens or l2
        self.map = LinearMap(l2, doc_tokens) if reduction == "linear" else None

    def documents(self, data: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """The stored vectors of documents and their mask."""
        vectors = self.tower(data, mask)
        match self.reduction:
            case "truncate":
                return truncate(vectors, mask, self.stored)
            case "block-mean":
                vectors, mask = block_mean(vectors, mask, self.stored)
                return unit_tokens(vectors, mask), mask
            case "linear":
                assert self.map is not None
                vectors, mask = self.map(vectors, mask)
                return unit_tokens(vectors, mask), mask
            case "k-means":
                flat = vectors.reshape(-1, *vectors.shape[-2:]), mask.reshape(-1, mask.shape[-1])
                centres, kept = cluster(*flat, self.stored)
                shape = (*mask.shape[:-1], self.stored)
                return unit_tokens(centres, kept).reshape(*shape, -1), kept.reshape(shape)
            case "none":
                return vectors, mask

    def forward(self, q: Texts, d: Texts) -> Tensor:
        """Scores of candidates: q (Q, L1, …), d (Q, n, L2, …); shape (Q, n)."""
        vectors, mask = self.documents(d.data, d.mask)
        return self.scorer.candidates(self.tower.queries(q.data, q.mask), vectors, q.mask, mask)

    @property
    def bytes_per_document(self) -> int:
        """Bytes that are stored for a document in half precision."""
        return bytes_per_document(1 if self.scorer.one_vector else self.stored, self.tower.dim)

    def knows(self, queries: Sequence[str]) -> bool:
        """It reads texts, and so can rank for any query."""
        return True

    def rank(self, texts: TokenSet, lists: Lists) -> Tensor:
        """Scores of candidate lists; every text is encoded once; shape (T, c).

        Raises:
            ProblemError: If a list names a text that is not there.
        """
        _check_rows(texts, lists)
        with torch.inference_mode():
            used, places = torch.unique(lists.candidates, return_inverse=True)
            d, d_mask = self._stored(texts.passages, used)
            scores = []
            for rows in slices(len(lists.queries), AT_ONCE):
                asked = lists.queries[rows]
                mask = texts.queries.mask[asked]
                q = self.tower.queries(texts.queries.data[asked], mask)
                scores.append(self.scorer.candidates(q, d[places[rows]], mask, d_mask[places[rows]]))
            return torch.cat(scores)

    def _stored(self, passages: Texts, rows: Tensor) -> tuple[Tensor, Tensor]:
        chunks = [rows[part] for part in slices(len(rows), 4 * AT_ONCE)]
        parts = [self.documents(passages.data[r], passages.mask[r]) for r in chunks]
        return torch.cat([vectors for vectors, _ in parts]), torch.cat([mask for _, mask in parts])


def _check_rows(texts: TokenSet, lists: Lists) -> None:
    if int(lists.candidates.max()) >= len(texts.passages.data) or int(lists.queries.max()) >= len(
        texts.queries.data
    ):
        raise ProblemError(
            "A candidate list names a text that has no vectors",
            where="ranking",
            fix="Build the token vectors from the same retrieval set as the lists.",
        )
