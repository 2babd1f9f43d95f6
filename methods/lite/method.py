"""Rankers: trained ones with each scorer, and systems whose scores are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from harness.method import Context, Method, ProblemError, param
from methods.lite.scoring import JI, NamedScorer, ScorerHook
from methods.lite.task import Ranking, RankingProblem

if TYPE_CHECKING:
    from torch import Tensor

    from methods.lite.prepare import TokenSet
    from methods.lite.ranker import Lists, Ranker, Reduction
    from methods.lite.training import Course


@dataclass(frozen=True)
class BaseTrainRanker(ScorerHook, Method[RankingProblem, Ranking]):
    """The scorer of a subclass, trained on an encoder, with a projection, or with the whole encoder."""

    problem_type: ClassVar[type] = RankingProblem

    trains: Literal["scorer", "projection", "encoder"] = param(
        "projection", source="ours", doc="what is trained besides the scorer"
    )
    loss: Literal["one-hot", "kl", "margin-mse"] = param(
        "margin-mse", source="paper, section 4", doc="which loss"
    )
    steps: int = param(300, source="ours", doc="updates; 0 leaves all as it is")
    batch: int = param(32, source="ours", doc="queries an update")
    negatives: int = param(4, source="ours: unspecified in the paper", doc="negatives a query")
    rate: float = param(1e-3, source="ours: tuned", doc="largest rate of scorer and projection")
    encoder_rate: float = param(5e-5, source="ours", doc="largest rate of the encoder")
    doc_tokens: int = param(0, source="card, section 3.4", doc="stored document vectors; 0: all")
    reduction: Literal["none", "truncate", "block-mean", "linear", "k-means"] = param(
        "block-mean", source="ours: unspecified in the paper", doc="how they get fewer"
    )

    def run(self, problem: RankingProblem, ctx: Context) -> Ranking:
        """Train on this problem's lists."""
        from methods.lite.training import fit

        return fit(self.ranker(problem, ctx), problem.texts, problem.train, self.course(), ctx)

    def ranker(self, problem: RankingProblem, ctx: Context) -> Ranker:
        """A new ranker.

        Raises:
            ProblemError: If the encoder is to be trained and the problem has vectors only.
        """
        from methods.common.draws import seeded
        from methods.lite.ranker import Ranker, Tower

        l1, l2 = problem.lengths
        if self.trains == "encoder" and problem.encoder is None:
            raise ProblemError(
                "The texts of this problem are vectors, whose encoder cannot be trained",
                where=type(self).__name__,
                fix="Train the scorer or the projection, or use the task FineTuning.",
            )
        encoder = problem.encoder() if problem.encoder is not None else None
        if encoder is not None and self.trains != "encoder":
            encoder.requires_grad_(False)
        with seeded(int(ctx.rng("scorer").integers(2**31))):
            scorer = self.scorer_for(l1, self.doc_tokens or l2)
        tower = Tower(problem.dim, encoder=encoder, project=self.trains == "projection")
        return Ranker(tower, scorer, reduction=self._reduction(), doc_tokens=self.doc_tokens, l2=l2).to(
            ctx.device
        )

    def course(self) -> Course:
        """How it is trained."""
        from methods.lite.training import Course

        return Course(self.loss, self.steps, self.batch, self.negatives, self.rate, self.encoder_rate)

    def _reduction(self) -> Reduction:
        return self.reduction if self.doc_tokens else "none"


@dataclass(frozen=True)
class TrainRanker(BaseTrainRanker, NamedScorer):
    """A scorer trained on a frozen encoder, with a linear projection, or with the whole encoder."""

    cites: ClassVar[str] = JI


@dataclass(frozen=True)
class Scored:
    """Scores that a system gave beforehand, by query id."""

    scores: Any
    bytes_per_document: int = 0

    def knows(self, queries: Sequence[str]) -> bool:
        """Whether all queries were scored beforehand."""
        return all(name in self.scores for name in queries)

    def rank(self, texts: TokenSet, lists: Lists) -> Tensor:
        """Look the scores up, shape (T, c).

        Raises:
            ProblemError: If a query has none.
        """
        import torch

        missing = [name for name in lists.names if name not in self.scores]
        if missing:
            raise ProblemError(
                f"{len(missing)} queries have no scores of this system, '{missing[0]}' among them",
                where="known scores",
                fix="Score all queries beforehand, or leave the system out.",
            )
        result = torch.zeros(lists.real.shape)
        for row, name in enumerate(lists.names):
            result[row, : len(self.scores[name])] = torch.tensor(self.scores[name], dtype=torch.float32)
        return result


@dataclass(frozen=True)
class KnownScores(Method[RankingProblem, Ranking]):
    """BM25, or the cross-encoder that teaches: ranks by scores that were computed beforehand."""

    problem_type: ClassVar[type] = RankingProblem

    system: Literal["bm25", "cross-encoder"] = param("bm25", source="paper, section 4", doc="whose scores")

    def run(self, problem: RankingProblem, ctx: Context) -> Ranking:
        """Its scores.

        Raises:
            ProblemError: If the problem does not have them.
        """
        if self.system not in problem.known:
            raise ProblemError(
                f"The problem holds no scores of {self.system}", where=type(self).__name__, fix="Add them."
            )
        return Scored(problem.known[self.system])
