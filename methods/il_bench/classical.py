"""Classical learners on the same items: reference values for the other methods (card §4).

Decision-tree tasks are trivial for a decision tree, so that CART is an upper line and no competitor.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal, assert_never

from harness.method import Context, Method, ProblemError, Resource, param
from methods.common.minilm import MINILM
from methods.il_bench.items import Item
from methods.il_bench.predictors import Input, Labelled, Predictor
from methods.il_bench.problem import Learned, ProgramProblem
from methods.il_bench.rules import read_values

if TYPE_CHECKING:
    from methods.il_bench.asking import Executor

Learner = Literal["majority", "cart", "forest", "boosting", "knn", "logistic"]
"""Names of classical learners."""
Features = Callable[[Sequence[str]], Any]
"""From n texts to n feature vectors, or to anything the classifier reads."""


@dataclass(frozen=True)
class Classical:
    """A fitted classifier of texts.

    Attributes:
        features: What it reads of a text.
        classifier: Of scikit-learn, fitted on those.
    """

    features: Features
    classifier: Any

    def __call__(self, texts: Sequence[str]) -> list[str]:
        """The label of each text."""
        if not texts:
            return []
        return [str(label) for label in self.classifier.predict(self.features(texts))]


def fit_classical(
    learner: Learner, items: Sequence[Item], seed: int, *, embed: Features | None = None, neighbours: int = 5
) -> Classical:
    """Fit a classifier on items.

    Args:
        learner: Which.
        items: Training items.
        seed: For learners that draw.
        embed: Sentence embeddings, shape (n, d); without it the symbols that a text states are read,
            one-hot, whatever its template.
        neighbours: k of the nearest neighbours: those that share most symbols, or of the largest cosine.

    Raises:
        ProblemError: If there are no items.
    """
    from sklearn.feature_extraction import DictVectorizer
    from sklearn.pipeline import make_pipeline

    if not items:
        raise ProblemError(
            "A classifier has nothing to learn from", where=learner, fix="Give it training items."
        )
    features = embed or symbols
    chosen = _classifier(learner, seed, min(neighbours, len(items)), symbolic=embed is None)
    classifier = make_pipeline(DictVectorizer(sparse=False), chosen) if embed is None else chosen
    classifier.fit(features([item.text for item in items]), [item.label for item in items])
    return Classical(features, classifier)


def symbols(texts: Sequence[str]) -> list[dict[str, str]]:
    """The assignment that each text states."""
    return [read_values(text) for text in texts]


def _classifier(learner: Learner, seed: int, neighbours: int, *, symbolic: bool) -> Any:
    from sklearn.dummy import DummyClassifier
    from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.tree import DecisionTreeClassifier

    match learner:
        case "majority":
            return DummyClassifier(strategy="most_frequent")
        case "cart":
            return DecisionTreeClassifier(random_state=seed)
        case "forest":
            return RandomForestClassifier(random_state=seed)
        case "boosting":
            return GradientBoostingClassifier(random_state=seed)
        case "knn":
            # On one-hot symbols the city-block distance is twice the number of symbols that differ.
            metric = "cityblock" if symbolic else "cosine"
            return KNeighborsClassifier(neighbours, metric=metric, algorithm="brute")
        case "logistic":
            return LogisticRegression(max_iter=1000)
        case _:
            assert_never(learner)


@dataclass(frozen=True)
class WithoutAsking(Predictor):
    """A classifier of texts as a solution that never asks the executor."""

    fitted: Classical

    def answer(self, inputs: Sequence[Input], executor: Executor) -> Labelled:
        """See :class:`~methods.il_bench.predictors.Predictor`."""
        return Labelled(self.fitted([one.text for one in inputs]), [0] * len(inputs))


@dataclass(frozen=True)
class ClassicalLearner(Method[ProgramProblem, Learned]):
    """A classifier of scikit-learn, with its default settings, over the symbols that a text states.

    Symbols are read whatever the template. Asks neither the learner nor the executor.
    """

    problem_type: ClassVar[type] = ProgramProblem

    learner: Literal["majority", "cart", "forest", "boosting", "knn", "logistic"] = param(
        "cart", source="card, section 4", doc="which classifier"
    )
    neighbours: int = param(5, source="scikit-learn's default", doc="k of the nearest neighbours")

    def run(self, problem: ProgramProblem, ctx: Context) -> Learned:
        """Fit it on the training items."""
        return Learned(WithoutAsking(self.fit(problem, ctx)))

    def fit(self, problem: ProgramProblem, ctx: Context) -> Classical:
        """The fitted classifier."""
        seed = int(ctx.rng("classical").integers(2**31))
        return fit_classical(self.learner, problem.train, seed, neighbours=self.neighbours)


@dataclass(frozen=True)
class EmbeddingLearner(ClassicalLearner):
    """A classifier of scikit-learn over sentence embeddings of the texts as they are."""

    cites: ClassVar[str] = "Reimers and Gurevych (2019), arXiv:1908.10084"

    encoder: Resource = MINILM
    longest: int = param(256, source="ours", doc="tokens after which a text is cut")

    def fit(self, problem: ProgramProblem, ctx: Context) -> Classical:
        """See :class:`ClassicalLearner`."""
        from methods.common.minilm import embed

        seed = int(ctx.rng("classical").integers(2**31))
        read = partial(embed, ctx.load(self.encoder), longest=self.longest)
        return fit_classical(self.learner, problem.train, seed, embed=read, neighbours=self.neighbours)
