"""A world in which relevance depends, by a dial, on more than each token's best match.

Words come in groups of near-synonyms and have weights. A document's relevance to a query is the weighted sum
of each query word's best match, which a sum of maxima can express, and β for each two neighbours of the
query that are neighbours in the document, which it can express only through vectors that know their
neighbours. Encoder and scorer are trained together from scratch, as the paper trains them, on lists that
are drawn afresh for each update.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from harness.method import Context, Method, Scores, Task, param
from methods.lite.scoring import JI, NamedScorer, ScorerHook

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from methods.lite.scorers import Scorer
    from methods.lite.word_encoder import WordEncoder

QUERY, CANDIDATES, SYNONYM = 4, 8, 0.5
"""Words of a query, candidates of a list, and how well a synonym matches."""


@dataclass(frozen=True)
class Lists:
    """Queries (n, 4), candidates (n, 8, length) as word ids, relevances (n, 8); the best is candidate 0."""

    queries: Tensor
    documents: Tensor
    relevance: Tensor


@dataclass(frozen=True)
class Language:
    """Words in groups of four synonyms, their weights, shape (words,), and what neighbours are worth."""

    weights: Tensor
    beta: float
    length: int

    def draw(self, count: int, rng: torch.Generator) -> Lists:
        """Fresh lists; in half of the documents what they share with the query stands together."""
        import torch

        from methods.common import draws

        words = len(self.weights)
        queries = draws.uniform((count, words // 4), rng).argsort(dim=1)[:, :QUERY] * 4
        queries = queries + draws.integers(4, (count, QUERY), rng)
        shape = (count, CANDIDATES)
        documents = draws.integers(words, (*shape, self.length), rng)
        # A query's words or synonyms of them, each with probability one half.
        synonyms = queries[:, None] // 4 * 4 + draws.integers(4, (*shape, QUERY), rng)
        own = draws.uniform((*shape, QUERY), rng) < 0.5
        held = torch.where(own, queries[:, None], synonyms)
        there = draws.uniform((*shape, QUERY), rng) < 0.6
        start = draws.integers(self.length - QUERY + 1, (*shape, 1), rng) + torch.arange(QUERY)
        apart = draws.uniform((*shape, self.length), rng).argsort(dim=-1)[..., :QUERY]
        places = torch.where(draws.uniform((*shape, 1), rng) < 0.5, start, apart)
        kept = documents.gather(2, places)
        documents = documents.scatter(2, places, torch.where(there, held, kept))
        relevance = self.relevance(queries, documents)
        best = relevance.argsort(dim=1, descending=True, stable=True)
        ordered = documents.gather(1, best[..., None].expand_as(documents))
        return Lists(queries, ordered, relevance.gather(1, best))

    def relevance(self, queries: Tensor, documents: Tensor) -> Tensor:
        """Weighted best matches, and β for each pair of neighbours; shape (n, candidates).

        Args:
            queries: Word ids, shape (n, 4).
            documents: Word ids, shape (n, candidates, length).
        """
        import torch

        asked, given = queries[:, None, :, None], documents[:, :, None, :]
        alike = (asked // 4 == given // 4).float() * SYNONYM
        match = torch.where(asked == given, torch.ones(()), alike)
        matched = (match.amax(-1) * self.weights[queries][:, None]).sum(-1)
        near = (match[:, :, :-1, :-1] > 0) & (match[:, :, 1:, 1:] > 0)
        return matched + self.beta * near.any(-1).sum(-1)


@dataclass(frozen=True)
class Read:
    """A trained encoder and the scorer of its vectors."""

    encoder: WordEncoder
    scorer: Scorer


@dataclass(frozen=True)
class Neighbours(Task[Language, Read]):
    """Find the most relevant of eight candidates."""

    beta: float = param(0.5, source="ours", doc="worth of two neighbours of the query in a row")
    words: int = param(200, source="ours", doc="vocabulary")
    length: int = param(12, source="ours", doc="words of a document")
    test: int = param(2000, source="ours", doc="test queries")

    def problem(self, ctx: Context) -> Language:
        """New weights for each seed."""
        from methods.common import draws

        rng = draws.generator(int(ctx.rng("weights").integers(2**31)))
        return Language(0.5 + draws.uniform((self.words,), rng), self.beta, self.length)

    def evaluate(self, result: Read, ctx: Context) -> Scores:
        """Measures of each test query, whose most relevant candidates count."""
        import torch

        from methods.common import draws
        from methods.common.ranking import rank_queries

        rng = draws.generator(int(ctx.rng("test queries").integers(2**31)))
        drawn = self.problem(ctx).draw(self.test, rng)
        with torch.inference_mode():
            scores = score_lists(result.encoder, result.scorer, drawn)
        grades = (drawn.relevance >= drawn.relevance[:, :1]).double().tolist()
        names = [f"query-{i}" for i in range(self.test)]
        rows: dict[str, Any] = dict(rank_queries(names, scores.double().numpy(), grades))
        return Scores({"validation" if ctx.stage == "tune" else "main": rows})


def score_lists(encoder: WordEncoder, scorer: Scorer, lists: Lists) -> Tensor:
    """Scores of all candidates, shape (n, 8)."""
    import torch

    queries, documents = encoder(lists.queries), encoder(lists.documents)
    ones = torch.ones(())
    return scorer.candidates(
        queries, documents, ones.expand(queries.shape[:-1]), ones.expand(documents.shape[:-1])
    )


@dataclass(frozen=True)
class BaseLearnNeighbours(ScorerHook, Method[Language, Read]):
    """An encoder and the scorer of a subclass, trained together from scratch with margin-MSE."""

    problem_type: ClassVar[type] = Language

    steps: int = param(1500, source="ours", doc="updates")
    batch: int = param(32, source="ours", doc="queries an update")
    rate: float = param(5e-3, source="ours", doc="learning rate of AdamW, falling linearly")

    def run(self, problem: Language, ctx: Context) -> Read:
        """Train on fresh lists, with relevance itself as the teacher."""
        import torch

        from methods.common import draws
        from methods.common.loop import Loop, drawn
        from methods.lite.losses import margin_mse
        from methods.lite.word_encoder import WordEncoder

        with draws.seeded(int(ctx.rng("weights of the models").integers(2**31))):
            encoder = WordEncoder(len(problem.weights), problem.length)
            scorer = self.scorer_for(QUERY, problem.length)
        rng = draws.generator(int(ctx.rng("queries").integers(2**31)))
        learnt = [*encoder.parameters(), *scorer.parameters()]
        Loop(
            torch.optim.AdamW(learnt, lr=self.rate, fused=True),
            drawn(lambda: problem.draw(self.batch, rng)),
            lambda lists: margin_mse(score_lists(encoder, scorer, lists), lists.relevance),
            self.steps,
            schedule=lambda made: torch.optim.lr_scheduler.LinearLR(made, 1.0, 0.02, self.steps),
            clip=1.0,
            progress=ctx.progress,
        ).run()
        return Read(encoder.eval(), scorer.eval())


@dataclass(frozen=True)
class LearnNeighbours(BaseLearnNeighbours, NamedScorer):
    """A scorer of this package and its encoder."""

    cites: ClassVar[str] = JI
