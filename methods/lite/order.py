"""A world in which the order of words matters, which sums of maxima cannot see (card, section 3.7).

A query is four words. Of its six candidates one holds them as a phrase, two hold the same words
out of order, one holds two of them and two hold none. Documents with the same words have exactly
equal MaxSim scores, so this is evidence of existence only, not of retrieval quality.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from harness.method import Context, Method, Scores, Task, mean_of, param
from methods.lite.scoring import JI, NamedScorer, ScorerHook

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from methods.lite.scorers import Scorer

TEACHER = (3.0, 1.0, 1.0, 0.5, 0.0, 0.0)
"""Teacher scores: the phrase, two scattered copies, half of the words, nothing (twice)."""
ABOVE_SCATTERED = mean_of("above", better="higher", name="phrase above scattered words", worst=0.0)


@dataclass(frozen=True)
class Drawn:
    """Queries and candidates as word ids, shapes (n, 4) and (n, 6, length)."""

    queries: Tensor
    documents: Tensor


@dataclass(frozen=True)
class OrderProblem:
    """A vocabulary of random unit vectors, shape (words, d), and the sizes of texts."""

    vectors: Tensor
    length: int

    def draw(self, count: int, rng: torch.Generator) -> Drawn:
        """Fresh queries with their six candidates; the phrase is candidate 0."""
        import torch

        from methods.common import draws

        words = self.vectors.shape[0]
        # The query's words come first in a random order of the vocabulary, fillers after them.
        order = draws.uniform((count, words), rng).argsort(dim=1)
        queries = order[:, :4]
        fill = 4 + draws.integers(words - 4, (count, 6, self.length), rng)
        documents = order.unsqueeze(1).expand(-1, 6, -1).gather(2, fill)
        start = draws.integers(self.length - 3, (count, 1), rng)
        documents[:, 0].scatter_(1, start + torch.arange(4), queries)
        for copy in (1, 2):
            documents[:, copy].scatter_(1, _scattered(count, self.length, rng), queries)
        places = draws.uniform((count, self.length), rng).argsort(dim=1)[:, :2]
        documents[:, 3].scatter_(1, places, queries[:, :2])
        return Drawn(queries, documents)

    def embed(self, drawn: Drawn, vectors: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Token matrices and masks of drawn texts, as scorers take them."""
        import torch
        from torch.nn.functional import normalize

        unit = normalize(vectors, dim=1)
        return (
            unit[drawn.queries],
            unit[drawn.documents],
            torch.ones(drawn.queries.shape, device=unit.device),
            torch.ones(drawn.documents.shape, device=unit.device),
        )


def _scattered(count: int, length: int, rng: torch.Generator) -> Tensor:
    """Four distinct places a row that do not come in the query's order, shape (n, 4)."""
    import torch

    from methods.common import draws

    places = draws.uniform((count, length), rng).argsort(dim=1)[:, :4]
    sorted_rows = (places[:, 1:] > places[:, :-1]).all(1, keepdim=True)
    return torch.where(sorted_rows, places[:, [1, 0, 2, 3]], places)


@dataclass(frozen=True)
class OrderResult:
    """A scorer and the word vectors that it was trained on (or with)."""

    scorer: Scorer
    vectors: Tensor


@dataclass(frozen=True)
class WordOrder(Task[OrderProblem, OrderResult]):
    """Rank the phrase above the same words out of order."""

    words: int = param(400, source="ours", doc="vocabulary")
    dim: int = param(32, source="ours", doc="dimension of word vectors")
    length: int = param(16, source="ours", doc="words of a document")
    test: int = param(500, source="ours", doc="test queries")

    def problem(self, ctx: Context) -> OrderProblem:
        """A new vocabulary for each seed."""
        import torch

        from methods.common import draws

        rng = draws.generator(int(ctx.rng("vocabulary").integers(2**31)))
        vectors = draws.normal((self.words, self.dim), rng)
        return OrderProblem(torch.nn.functional.normalize(vectors, dim=1), self.length)

    def evaluate(self, result: OrderResult, ctx: Context) -> Scores:
        """Measures of each query, and as witnesses the queries on which order decided."""
        import torch

        from methods.common import draws
        from methods.common.ranking import rank_queries

        problem = self.problem(ctx)
        rng = draws.generator(int(ctx.rng("test queries").integers(2**31)))
        drawn = problem.draw(self.test, rng)
        with torch.inference_mode():
            scores = result.scorer.candidates(*problem.embed(drawn, result.vectors))
        names = [f"query-{i}" for i in range(self.test)]
        above = (scores[:, :1] > scores[:, 1:3]).all(1)
        grades = [(1.0, 0.0, 0.0, 0.0, 0.0, 0.0)] * self.test
        rows: dict[str, Any] = dict(rank_queries(names, scores.double().numpy(), grades))
        rows["above"] = above.double().numpy()
        witness: dict[str, Any] = {
            "unit_id": names,
            "witness": above.numpy(),
            "confirmed": [_order_alone(q, d) for q, d in zip(drawn.queries, drawn.documents, strict=True)],
            "case": [f"words {q} as a phrase above the same words scattered" for q in drawn.queries.tolist()],
        }
        part = "validation" if ctx.stage == "tune" else "main"
        return Scores({part: rows, "witness": witness})


def _order_alone(query: Tensor, documents: Tensor) -> bool:
    """Whether only document 0 holds the query's words in a row, while 1 and 2 hold each of them once.

    Plain lists, independent of how the documents were drawn.
    """
    words = query.tolist()
    phrase = [
        any(document[i : i + 4] == words for i in range(len(document) - 3)) for document in documents.tolist()
    ]
    same = all(sorted(w for w in d if w in words) == sorted(words) for d in documents[:3].tolist())
    return same and phrase == [True, False, False, False, False, False]


@dataclass(frozen=True)
class BaseLearnOrder(ScorerHook, Method[OrderProblem, OrderResult]):
    """The scorer of a subclass, trained with margin-MSE."""

    problem_type: ClassVar[type] = OrderProblem

    vectors: bool = param(False, source="ours", doc="train the word vectors too")
    steps: int = param(1250, source="ours", doc="updates; 0 leaves the scorer as it is")
    batch: int = param(64, source="ours", doc="queries an update")
    rate: float = param(2e-3, source="ours", doc="learning rate of AdamW")

    def run(self, problem: OrderProblem, ctx: Context) -> OrderResult:
        """Train on fresh queries."""
        import torch

        from methods.common import draws
        from methods.common.loop import Loop, drawn
        from methods.lite.losses import margin_mse

        with draws.seeded(int(ctx.rng("scorer").integers(2**31))):
            scorer = self.scorer_for(4, problem.length)
        vectors = problem.vectors.clone().requires_grad_(self.vectors)
        learnt = [*scorer.parameters(), *([vectors] if self.vectors else [])]
        if not learnt or not self.steps:
            return OrderResult(scorer.eval(), vectors.detach())
        rng = draws.generator(int(ctx.rng("queries").integers(2**31)))
        teacher = torch.tensor(TEACHER).expand(self.batch, -1)
        Loop(
            torch.optim.AdamW(learnt, lr=self.rate),
            drawn(lambda: problem.draw(self.batch, rng)),
            lambda batch: margin_mse(scorer.candidates(*problem.embed(batch, vectors)), teacher),
            self.steps,
            progress=ctx.progress,
        ).run()
        return OrderResult(scorer.eval(), vectors.detach())


@dataclass(frozen=True)
class LearnOrder(BaseLearnOrder, NamedScorer):
    """A scorer trained with margin-MSE, alone or together with the word vectors."""

    cites: ClassVar[str] = JI
