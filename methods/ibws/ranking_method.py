"""Learning to rank from annotated texts, as methods of the harness."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from harness.method import Context, Method, ProblemError, Resource, param
from methods.common.ratings import LEXICON
from methods.ibws import ranking
from methods.ibws.designs import Floats
from methods.ibws.method import BestWorst, DirectAssessment, IteratedBestWorst
from methods.ibws.problems import Annotation, RankingProblem, TestRanking

_NAN = float("nan")


@dataclass(frozen=True)
class Labels:
    """Training labels and what they cost a text."""

    values: Floats
    reads: float
    judgements: float


def collect_labels(protocol: str, amount: int, problem: RankingProblem, ctx: Context) -> Labels:
    """Annotate the training texts.

    Args:
        protocol: ``gold`` (the experts' labels, not priced), ``slider``, ``five_point``, ``bws``
            or ``ibws``.
        amount: Raters of each text for scales, appearances of each text for tuples.
        problem: The texts and their raters.
        ctx: The trial.

    Raises:
        ProblemError: If there is no such protocol.
    """
    if protocol == "gold":
        return Labels(problem.expert, _NAN, _NAN)
    protocols = {
        "slider": DirectAssessment(raters=amount),
        "five_point": DirectAssessment(raters=amount, points=5),
        "bws": BestWorst(appearances=amount),
        "ibws": IteratedBestWorst(appearances=amount, final="bt_all"),
    }
    if protocol not in protocols:
        raise ProblemError(
            f"There is no labelling protocol '{protocol}'",
            where="labels",
            fix=f"Use gold, {', '.join(protocols)}.",
        )
    found: Annotation = protocols[protocol].run(problem.annotation(), ctx)
    return Labels(found.estimate, float(found.ledger.reads.mean()), float(found.ledger.judgements.mean()))


@dataclass(frozen=True)
class LinearRanker(Method[RankingProblem, TestRanking]):
    """A linear model of the labels, on words or on sentence embeddings.

    ``tfidf`` is ridge regression on word and word-pair features, ``ridge`` the same on embeddings,
    and ``pairwise`` minimises the logistic loss of label-ordered pairs of embeddings.
    """

    problem_type: ClassVar[type] = RankingProblem

    labels: str = param("slider", source="card, claim C5", doc="how the training texts are labelled")
    amount: int = param(2, source="ours: unspecified in the paper", doc="raters or appearances of a text")
    model: Literal["tfidf", "ridge", "pairwise"] = param("ridge", source="ours", doc="features and loss")
    strength: float = param(0.3, source="ours: tuned", doc="penalty")

    def run(self, problem: RankingProblem, ctx: Context) -> TestRanking:
        """Label, fit, score the test texts."""
        labels = collect_labels(self.labels, self.amount, problem, ctx)
        values = self.labels_for_training(labels.values, ctx)
        return TestRanking(self._scores(problem, values, ctx), labels.reads, labels.judgements)

    def labels_for_training(self, values: Floats, ctx: Context) -> Floats:
        """The labels as they are; negative controls change them here."""
        del ctx
        return values

    def _scores(self, problem: RankingProblem, values: Floats, ctx: Context) -> Floats:
        if self.model == "tfidf":
            return ranking.tfidf_ridge(problem.train_texts, values, problem.test_texts, self.strength)
        train, test = vectors_of(problem)
        if self.model == "ridge":
            return ranking.vector_ridge(train, values, test, self.strength)
        return ranking.pairwise_logistic(train, values, test, self.strength, ctx.rng("pairs"))


def vectors_of(problem: RankingProblem) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Training and test embeddings.

    Raises:
        ProblemError: If the task has none.
    """
    if problem.train_vectors is None or problem.test_vectors is None:
        raise ProblemError(
            "This task has no embeddings",
            where="model",
            fix="Use model='tfidf', or give the task embeddings.",
        )
    return problem.train_vectors, problem.test_vectors


@dataclass(frozen=True)
class LexiconRanker(Method[RankingProblem, TestRanking]):
    """VADER's compound score: a lexicon with rules, without any training label."""

    problem_type: ClassVar[type] = RankingProblem
    cites: ClassVar[str] = "Hutto and Gilbert (2014)"

    lexicon: Resource = field(default=LEXICON, metadata={"source": "ours", "doc": "words with ratings"})

    def run(self, problem: RankingProblem, ctx: Context) -> TestRanking:
        """Score the test texts."""
        return TestRanking(ctx.load(self.lexicon).compound(problem.test_texts), 0.0, 0.0)
