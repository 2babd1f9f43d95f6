"""A tiny generated retrieval problem without resources, for plumbing and tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.method import Context, Scores, Task, param
from methods.lite.task import Ranking, RankingProblem, lists_of, on_device, rows_of, training_lists

if TYPE_CHECKING:
    from methods.lite.passages import RetrievalSet
    from methods.lite.prepare import Texts

SPLITS = ("train", "validation", "test", "zero-shot")


@dataclass(frozen=True)
class GeneratedRanking(Task[RankingProblem, Ranking]):
    """Queries are words of the passage they belong to, as random unit vectors with noise."""

    queries: int = param(12, source="ours", doc="queries of each split")
    candidates: int = param(5, source="ours", doc="candidates a query")
    l1: int = param(4, source="ours", doc="tokens of a query")
    l2: int = param(8, source="ours", doc="tokens of a passage")
    dim: int = param(8, source="ours", doc="dimension of token vectors")

    def problem(self, ctx: Context) -> RankingProblem:
        """Texts of this seed; the teacher knows the labels."""
        from methods.lite.prepare import TokenSet

        data = self._data()
        rng = ctx.rng("tokens")
        passages = rng.normal(size=(len(data.passages), self.l2, self.dim))
        # Query i belongs to passage i.
        own = passages[: len(data.queries), : self.l1]
        queries = own + 0.7 * rng.normal(size=own.shape)
        texts = on_device(TokenSet(_texts(queries, rng), _texts(passages, rng)), ctx.device)
        teacher = {query.id: [5.0 * grade for grade in query.grades] for query in data.queries}
        known: dict[str, Any] = {
            "bm25": {query.id: query.bm25 for query in data.queries},
            "cross-encoder": teacher,
        }
        train = training_lists(data.split("train"), data, teacher)
        return RankingProblem(texts, train, (self.l1, self.l2), self.dim, None, known)

    def evaluate(self, result: Ranking, ctx: Context) -> Scores:
        """As the real task does."""
        data, texts = self._data(), self.problem(ctx).texts
        parts = {"validation": "validation"}
        if ctx.stage == "main":
            parts = {"main": "test", "zero-shot": "zero-shot"}
        rows = {
            part: rows_of(data.split(split), result.rank(texts, lists_of(data.split(split), data)))
            for part, split in parts.items()
        }
        return Scores({**rows, "storage": {"unit_id": ["document"], "bytes": [result.bytes_per_document]}})

    def _data(self) -> RetrievalSet:
        from methods.lite.passages import Passage, Query, RetrievalSet

        count = self.queries * len(SPLITS)
        queries = []
        for i in range(count):
            others = [(i + 1 + j) % count for j in range(self.candidates - 1)]
            names = tuple(f"p{j}" for j in sorted([i, *others]))
            grades = tuple(float(name == f"p{i}") for name in names)
            bm25 = tuple(float((7 * i + j) % 5) for j in range(self.candidates))
            queries.append(Query(f"q{i}", "", SPLITS[i % 4], f"domain-{i % 2}", names, grades, bm25))
        return RetrievalSet(
            tuple(queries), tuple(Passage(f"p{i}", "", f"domain-{i % 2}") for i in range(count))
        )


def _texts(vectors: np.ndarray, rng: np.random.Generator) -> Texts:
    """Unit vectors, and between 2 and L tokens a text."""
    import torch

    from methods.lite.prepare import Texts
    from methods.lite.tokens import unit_tokens

    length = vectors.shape[1]
    kept = rng.integers(2, length + 1, size=(len(vectors), 1))
    mask = torch.from_numpy((np.arange(length) < kept).astype(np.float32))
    return Texts(unit_tokens(torch.from_numpy(vectors.astype(np.float32)), mask), mask)
