"""Re-ranking candidates of a retrieval set: the problem, and how rankings are scored."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from harness.method import Context, Reference, Scores, Task, mean_of, param
from methods.common.ranking import mrr, ndcg

if TYPE_CHECKING:
    from torch import Tensor

    from methods.lite.passages import Query, RetrievalSet
    from methods.lite.prepare import TokenSet
    from methods.lite.ranker import Lists
    from methods.lite.training import TrainingLists

MRR, NDCG = mrr(10), ndcg(10)
BYTES = mean_of("bytes", better="lower", name="bytes a document", unit="B", digits=0)
COLUMNS = ("rr10", "rr10_low", "ndcg10", "ap")
"""What is kept of each query's ranking."""


class Ranking(Protocol):
    """What a method returns."""

    @property
    def bytes_per_document(self) -> int:
        """Bytes that are stored for a document."""

    def knows(self, queries: Sequence[str]) -> bool:
        """Whether it can rank for these queries."""

    def rank(self, texts: TokenSet, lists: Lists) -> Tensor:
        """Scores of candidate lists, shape (T, c)."""


@dataclass(frozen=True)
class RankingProblem:
    """Texts, and candidate lists to learn from.

    Attributes:
        texts: All queries and passages, as token vectors or as token ids.
        train: Training lists with labels and teacher scores.
        lengths: L1 and L2.
        dim: P.
        encoder: Gives a fresh encoder for token ids; ``None`` where texts are vectors.
        known: Scores that other systems (``bm25``, ``cross-encoder``) gave to the candidates, by
            query id; those of test queries too, since a score is no answer.
    """

    texts: TokenSet
    train: TrainingLists
    lengths: tuple[int, int]
    dim: int
    encoder: Callable[[], Any] | None = None
    known: Mapping[str, Mapping[str, Sequence[float]]] = field(default_factory=dict)


def lists_of(queries: Sequence[Query], data: RetrievalSet) -> Lists:
    """Candidate lists as rows of the set's texts."""
    import torch

    from methods.lite.ranker import Lists

    query_rows = {query.id: row for row, query in enumerate(data.queries)}
    passage_rows = {passage.id: row for row, passage in enumerate(data.passages)}
    longest = max((len(query.candidates) for query in queries), default=0)
    rows = [[passage_rows[name] for name in query.candidates] for query in queries]
    filled = [row + [0] * (longest - len(row)) for row in rows]
    real = [[True] * len(row) + [False] * (longest - len(row)) for row in rows]
    return Lists(
        tuple(query.id for query in queries),
        torch.tensor([query_rows[query.id] for query in queries], dtype=torch.long),
        torch.tensor(filled, dtype=torch.long).reshape(len(rows), longest),
        torch.tensor(real, dtype=torch.bool).reshape(len(rows), longest),
    )


def training_lists(
    queries: Sequence[Query], data: RetrievalSet, teacher: Mapping[str, Sequence[float]]
) -> TrainingLists:
    """Lists with labels and teacher scores; candidates without one have NaN."""
    import torch

    from methods.lite.training import TrainingLists

    lists = lists_of(queries, data)
    relevant = torch.zeros_like(lists.real)
    scores = torch.full(lists.real.shape, torch.nan)
    for row, query in enumerate(queries):
        relevant[row, : len(query.grades)] = torch.tensor([grade > 0 for grade in query.grades])
        if query.id in teacher:
            scores[row, : len(query.grades)] = torch.tensor(teacher[query.id], dtype=torch.float32)
    return TrainingLists(lists, relevant, scores)


def rows_of(queries: Sequence[Query], scores: Tensor) -> dict[str, Any]:
    """One row a query: its measures and where it comes from.

    Raises:
        DivergedError: If a score is no number: the ranker's training has run away.
    """
    import torch

    from harness.method import DivergedError
    from methods.common.ranking import rank_queries

    if bool(torch.isnan(scores).any()):
        raise DivergedError("The trained ranker gives scores that are not numbers")
    found = rank_queries(
        [query.id for query in queries],
        [row[: len(query.grades)] for row, query in zip(scores.tolist(), queries, strict=True)],
        [query.grades for query in queries],
        unretrieved=[query.unretrieved for query in queries],
    )
    return {
        "unit_id": found["unit_id"],
        "domain": [query.domain for query in queries],
        **{name: found[name] for name in COLUMNS},
    }


def on_device(texts: TokenSet, device: str) -> TokenSet:
    """The same texts on another device."""
    from methods.lite.prepare import Texts, TokenSet

    def moved(kind: Texts) -> Texts:
        return Texts(kind.data.to(device), kind.mask.to(device), kind.cut)

    return TokenSet(moved(texts.queries), moved(texts.passages))


@dataclass(frozen=True, kw_only=True)
class Reranking(Task[RankingProblem, Ranking]):
    """Re-rank BM25's candidates, on vectors of a frozen encoder.

    Attributes:
        data: The retrieval set.
        vectors: Its token vectors.
        teacher: Scores of a cross-encoder, by query id; without it only labels teach.
    """

    data: Reference
    vectors: Reference
    teacher: Reference | None = None
    train: int = param(0, source="ours", doc="training queries, drawn by seed; 0: all")
    fold: int = param(0, source="ours", doc="zero-shot queries of a domain; 0: all")

    def problem(self, ctx: Context) -> RankingProblem:
        """This seed's training queries; all texts."""
        texts = self.texts(ctx)
        return self.posed(ctx, texts, texts.queries.data.shape[2], None)

    def posed(
        self, ctx: Context, texts: TokenSet, dim: int, encoder: Callable[[], Any] | None
    ) -> RankingProblem:
        """The problem on these texts."""
        lengths = texts.queries.data.shape[1], texts.passages.data.shape[1]
        data: RetrievalSet = ctx.load(self.data)
        teacher: Mapping[str, Sequence[float]] = ctx.load(self.teacher) if self.teacher else {}
        queries = data.split("train")
        if 0 < self.train < len(queries):
            picks = ctx.rng("training queries").permutation(len(queries))[: self.train]
            queries = tuple(queries[i] for i in sorted(picks))
        known: dict[str, Mapping[str, Sequence[float]]] = {"bm25": {q.id: q.bm25 for q in data.queries}}
        if self.teacher:
            known["cross-encoder"] = teacher
        return RankingProblem(texts, training_lists(queries, data, teacher), lengths, dim, encoder, known)

    def evaluate(self, result: Ranking, ctx: Context) -> Scores:
        """Parts ``main`` and ``zero-shot``, one row a query, and ``storage``; or ``validation``."""
        data: RetrievalSet = ctx.load(self.data)
        splits = {"validation": "validation"}
        if ctx.stage == "main":
            splits = {"main": "test", "zero-shot": "zero-shot"}
        parts: dict[str, Any] = {}
        for part, split in splits.items():
            queries = data.split(split)
            if split == "zero-shot" and self.fold:
                # Ids are hashes, so the first of them are a random sample.
                queries = tuple(q for part in data.domains(split).values() for q in part[: self.fold])
            if queries:
                parts[part] = rows_of(queries, result.rank(self.texts(ctx), lists_of(queries, data)))
        parts["storage"] = {"unit_id": ["document"], "bytes": [result.bytes_per_document]}
        return Scores(parts)

    def texts(self, ctx: Context) -> TokenSet:
        """All texts, on this trial's device."""
        return on_device(ctx.load(self.vectors), ctx.device)
