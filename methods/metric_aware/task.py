"""Tasks whose answers are read out: the latent toy, heads on embeddings, prompted language models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from harness.method import Context, Reference, Scores, Task, param
from methods.common.ratings import RATINGS
from methods.metric_aware.corpora import Corpus
from methods.metric_aware.prepare import GradedEmbeddings, PromptedGrades
from methods.metric_aware.problem import Decisions, Predictions

if TYPE_CHECKING:
    from methods.metric_aware.corpora import Chosen, Graded
    from methods.metric_aware.problem import Floats


SENTIMENT = (tuple(map(float, range(1, 10))), 6.0)
"""Human ratings −4 … 4 moved to digits, and the least that is clearly positive."""


def scores_of(
    ids: Sequence[str],
    found: Decisions,
    scale: tuple[Sequence[float], float],
    truth: Floats,
    *,
    human: Floats | None = None,
    rater: Floats | None = None,
) -> Scores:
    """All evaluation sets of one read-out.

    Args:
        ids: Names of the test's items.
        found: What was decided.
        scale: The grid, and the least label that counts as positive.
        truth: Labels of the items; for rated texts the mean over all raters.
        human: Distributions of the raters' labels, if they are known.
        rater: One rater's label of each item, if they are known.

    Returns:
        ``main`` against the labels; ``rater`` against one person's; ``law`` on the distributions;
        ``fitted`` and ``calls`` where there are any.
    """
    from methods.metric_aware.scoring import decision_rows, fitted_rows, law_rows

    values, threshold = scale
    parts: dict[str, Any] = {"main": decision_rows(ids, truth, found, values, threshold)}
    if rater is not None:
        parts["rater"] = decision_rows(ids, rater, found, values, threshold)
    if found.law is not None:
        parts["law"] = law_rows(ids, found.law, human, values)
    if found.fitted:
        parts["fitted"] = fitted_rows(found)
    if found.calls:
        parts["calls"] = {"unit_id": [str(one) for one in found.calls["call"]], **found.calls}
    return Scores(parts)


@dataclass(frozen=True)
class LatentTask(Task[Predictions, Decisions]):
    """Grades of a noisy latent quality, predicted by a softmax regression trained by cross-entropy."""

    noise: float = param(0.8, source="card, section 9", doc="σ of a label around the latent quality")
    kind: Literal["linear", "bent"] = param("linear", source="card, section 9", doc="the latent quality")
    features: int = param(8, source="ours", doc="d")
    train: int = param(1000, source="card, section 9", doc="training items")
    held: int = param(200, source="ours", doc="items to fit on")
    test: int = param(600, source="ours", doc="items to judge by")

    def problem(self, ctx: Context) -> Predictions:
        """Draw a world, train, and ask about held-out and test items."""
        import numpy as np

        from methods.metric_aware.latent import GRADES, softmax_regression
        from methods.metric_aware.problem import from_law

        features, grades = self._items(ctx)
        scores = softmax_regression(
            features[: self.train],
            grades[: self.train],
            np.array(GRADES),
            features[self.train :],
            strength=100.0,
        )
        ids = self._ids()
        return Predictions(
            values=GRADES,
            test=from_law(ids[self.held :], GRADES, scores[self.held :], ctx.rng("answers")),
            held=from_law(ids[: self.held], GRADES, scores[: self.held], ctx.rng("held answers")),
            held_truth=grades[self.train : self.train + self.held],
            threshold=4.0,
        )

    def evaluate(self, result: Decisions, ctx: Context) -> Scores:
        """Against the grades."""
        from methods.metric_aware.latent import GRADES

        _, grades = self._items(ctx)
        ids = self._ids()[self.held :]
        return scores_of(ids, result, (GRADES, 4.0), grades[self.train + self.held :])

    def _ids(self) -> list[str]:
        return [f"{number:05d}" for number in range(self.held + self.test)]

    def _items(self, ctx: Context) -> tuple[Floats, Floats]:
        from methods.metric_aware.latent import LatentGrades

        rng = ctx.rng("world")
        world = LatentGrades.drawn(rng, features=self.features, noise=self.noise, kind=self.kind)
        return world.draw(rng, self.train + self.held + self.test)


@dataclass(frozen=True, kw_only=True)
class EmbeddedRatings(Task[Predictions, Decisions]):
    """Human sentiment ratings, predicted by a head on frozen sentence embeddings.

    Attributes:
        scores: What the heads say, by draw; a seed takes the draw of its own number.
    """

    scores: GradedEmbeddings
    data: Reference = RATINGS

    def problem(self, ctx: Context) -> Predictions:
        """The distributions of this seed's head; texts are fitted on their mean rating."""
        from methods.metric_aware.problem import from_law

        order, scores = ctx.load(self.scores)[ctx.seed]
        held, (values, threshold) = self.scores.held, SENTIMENT
        ids = [f"{place:05d}" for place in order]
        rows = self._rows(ctx, order[:held])
        return Predictions(
            values=values,
            test=from_law(ids[held:], values, scores[held:], ctx.rng("answers")),
            held=from_law(ids[:held], values, scores[:held], ctx.rng("held answers")),
            held_truth=_labels(rows),
            threshold=threshold,
        )

    def evaluate(self, result: Decisions, ctx: Context) -> Scores:
        """Against the mean over all raters, one rater, and their distribution."""
        order, _ = ctx.load(self.scores)[ctx.seed]
        tested = order[self.scores.held :]
        rows = self._rows(ctx, tested)
        human, rater = _raters(rows, SENTIMENT[0], ctx)
        ids = [f"{place:05d}" for place in tested]
        return scores_of(ids, result, SENTIMENT, _labels(rows), human=human, rater=rater)

    def _rows(self, ctx: Context, places: Sequence[int]) -> list[Graded]:
        from methods.metric_aware.corpora import Graded

        rated = ctx.load(self.data)[self.scores.domain]
        return [
            Graded(str(i), {}, float(rated.ratings[i].mean()) + 5.0, tuple(rated.ratings[i] + 5.0))
            for i in places
        ]


@dataclass(frozen=True, kw_only=True)
class PromptedTask(Task[Predictions, Decisions]):
    """Grades of texts, as a language model gives them after a few solved examples.

    All is read from the record of calls, as a replay without the model would.

    Attributes:
        answers: The calls; a seed takes the draw of examples of its own number.
        corpus: The texts.
    """

    answers: PromptedGrades
    corpus: Corpus

    def problem(self, ctx: Context) -> Predictions:
        """What the model answered about this draw's prompts."""
        import numpy as np

        from methods.common.language_model.record import recorded, replayed

        # Recorded once more, since this draw's calls are only a part of the artifact's.
        model = recorded(replayed(ctx.load(self.answers), name="recorded answers"))
        chosen = self._chosen(ctx)
        test, held = self.answers.ask(model, chosen, ctx.seed)
        return Predictions(
            values=self.corpus.values,
            test=test,
            held=held,
            held_truth=_labels(chosen.held),
            threshold=self.corpus.threshold,
            calls=model.table(),
            known=np.array(chosen.known),
        )

    def evaluate(self, result: Decisions, ctx: Context) -> Scores:
        """Against the labels, and the raters where they are known."""
        test = self._chosen(ctx).test
        ids, scale = [row.id for row in test], (self.corpus.values, self.corpus.threshold)
        if not all(row.ratings for row in test):
            return scores_of(ids, result, scale, _labels(test))
        human, rater = _raters(test, self.corpus.values, ctx)
        return scores_of(ids, result, scale, _labels(test), human=human, rater=rater)

    def _chosen(self, ctx: Context) -> Chosen:
        return self.answers.chosen(_rows(self.corpus, ctx.load(self.corpus.data)), ctx.seed)


_READ: dict[Corpus, tuple[Any, list[Graded]]] = {}
"""Texts by corpus with the data they were read from: a worker reads thousands of ratings once."""


def _rows(corpus: Corpus, loaded: Any) -> list[Graded]:
    known = _READ.get(corpus)
    if known is None or known[0] is not loaded:
        known = _READ[corpus] = (loaded, corpus.read(loaded))
    return known[1]


def _labels(rows: Sequence[Graded]) -> Floats:
    import numpy as np

    return np.array([row.label for row in rows])


def _raters(rows: Sequence[Graded], values: Sequence[float], ctx: Context) -> tuple[Floats, Floats]:
    """Distributions of the raters, and the label of one drawn for each item."""
    import numpy as np

    from methods.metric_aware.corpora import human_law

    rng = ctx.rng("raters")
    human = np.array([human_law(row, values) for row in rows])
    return human, np.array([float(rng.choice(row.ratings)) for row in rows])
