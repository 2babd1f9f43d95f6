"""The tasks: rated items, their raters in three disjoint groups, and the evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.method import Context, ProblemError, Resource, Scores, Task
from methods.common.minilm import RatedTextEmbeddings
from methods.common.ratings import RatingSet
from methods.ibws.crowd import Crowd, crowd_of, split_raters
from methods.ibws.designs import Floats, Ints
from methods.ibws.generated import generated_ratings
from methods.ibws.iterated import Iteration, iterated_bws
from methods.ibws.problems import Annotation, AnnotationProblem, RankingProblem, TestRanking
from methods.ibws.scoring import bradley_terry

PARTITION = 2024
"""Seeds the permutation that cuts a set into folds; it is the same in every trial."""

PILOT_SEEDS = 100
"""Seeds below this one are for pilots and tuning."""
FIRST_MAIN_SEED = 200
"""First seed of the verdict: those from 100 on were seen before claims were averaged over draws."""


@dataclass(frozen=True, kw_only=True)
class Items:
    """Where a task's items come from, and how their raters are divided and behave.

    The set is cut into ``folds`` + 1 pieces that share no item. Seed s of the verdict takes its
    items from piece s - 200; pilots and tuning use the last piece only.

    Attributes:
        domain: Set of the rating data; empty for generated items.
        data: The rating data.
        count: Items a trial.
        folds: Disjoint pieces for the seeds of the verdict.
        gold: Raters an item whose mean is the gold value.
        comparative: Other raters, who answer best-worst tuples.
        direct: Other raters, who use rating scales.
        workers: Simulated workers in each crowd.
        shift_sd: Standard deviation of a worker's shift, in points of the -4 ... 4 scale.
        stretch_sd: Standard deviation of the logarithm of a worker's stretch.
    """

    domain: str = ""
    data: Resource | None = None
    count: int = 300
    folds: int = 10
    gold: int = 6
    comparative: int = 7
    direct: int = 7
    workers: int = 40
    shift_sd: float = 0.0
    stretch_sd: float = 0.0

    def draw(self, ctx: Context) -> Drawn:
        """This trial's items, the same for every method.

        Raises:
            ProblemError: If a piece is too small or the seeds outnumber the pieces.
        """
        if self.data is None:
            rated = generated_ratings(
                self.count, self.gold + self.comparative + self.direct, ctx.rng("items")
            )
            return Drawn(self, rated, np.arange(self.count), ctx)
        everything: RatingSet = ctx.load(self.data)[self.domain]
        index = self._piece(everything, ctx)
        return Drawn(self, everything.take(index), index, ctx)

    def _piece(self, everything: RatingSet, ctx: Context) -> Ints:
        verdict = ctx.stage == "main" and ctx.seed >= PILOT_SEEDS
        # An older seed would share its piece with one of these, and pass for a replicate of its own.
        if verdict and not 0 <= ctx.seed - FIRST_MAIN_SEED < self.folds:
            raise ProblemError(
                f"Only {self.folds} seeds have items of their own",
                where=f"seed {ctx.seed}, {self.domain}",
                fix=f"Use seeds from {FIRST_MAIN_SEED} to {FIRST_MAIN_SEED + self.folds - 1}.",
            )
        usable = np.flatnonzero(~everything.mismatched)
        order = np.random.default_rng(PARTITION).permutation(usable)
        pieces = np.array_split(order, self.folds + 1)
        piece = pieces[ctx.seed - FIRST_MAIN_SEED if verdict else self.folds]
        if piece.size < self.count:
            raise ProblemError(
                f"{self.count} items are asked for, but each piece of '{self.domain}' has {piece.size}",
                where=f"count={self.count}, folds={self.folds}",
                fix="Ask for fewer items or fewer folds.",
            )
        return ctx.rng("items").permutation(piece)[: self.count]


@dataclass
class Drawn:
    """One trial's items with their raters divided."""

    items: Items
    rated: RatingSet
    index: Ints
    ctx: Context

    @cached_property
    def groups(self) -> list[list[Floats]]:
        """Ratings of gold, comparative and direct raters, item by item."""
        sizes = (self.items.gold, self.items.comparative, self.items.direct)
        return split_raters(self.rated.ratings, sizes, self.ctx.rng("raters"))

    @cached_property
    def gold(self) -> Floats:
        """Shape (n,): mean of the gold raters."""
        return np.array([float(row.mean()) for row in self.groups[0]])

    def crowd(self, group: int, keep: slice = slice(None)) -> Crowd:
        """The crowd of comparative (1) or direct (2) raters."""
        return crowd_of(
            self.groups[group][keep],
            self.ctx.rng(f"workers-{group}"),
            workers=self.items.workers,
            shift_sd=self.items.shift_sd,
            stretch_sd=self.items.stretch_sd,
        )

    def problem(self, keep: slice = slice(None)) -> AnnotationProblem:
        """The annotation problem of all or some items."""
        return AnnotationProblem(self.rated.texts[keep], self.crowd(1, keep), self.crowd(2, keep))

    def ibws_columns(self, keep: slice = slice(None)) -> dict[str, NDArray[np.float32]]:
        """An IBWS ranking of the items by the comparative raters, as position and by Bradley-Terry.

        Four appearances a round; the answers are this evaluation's own.
        """
        crowd, rng = self.crowd(1, keep), self.ctx.rng("reference")
        options = Iteration(appearances=4)
        found = iterated_bws(crowd.n_items, crowd.session(rng).compare, rng, options)
        return {
            "ibws_position": single(found.estimate),
            "ibws_bt": single(bradley_terry(crowd.n_items, found.answers)),
        }

    def unit_ids(self, keep: slice = slice(None)) -> list[str]:
        """Names of the items."""
        name = self.items.domain or "generated"
        return [f"{name}-{key}" for key in self.rated.ids[keep]]


def single(values: Sequence[float] | NDArray[Any]) -> NDArray[np.float32]:
    """Values in single precision, which is ample for ranking and halves the records."""
    return np.asarray(values, dtype=np.float32)


@dataclass(frozen=True, kw_only=True)
class AnnotationTask(Task[AnnotationProblem, Annotation]):
    """Rank items by asking simulated people.

    Rows are items with the columns gold, estimate, reads, judgements, selections and seconds;
    for direct assessment also ibws_position and ibws_bt, the ranking of the same items by IBWS
    with other raters; for methods that report halves, half_a and half_b.

    Attributes:
        items: The items and their raters.
        seconds_per_screen: t0 of the cost model seconds = t0 * screens + t1 * reads.
        seconds_per_read: t1.
    """

    items: Items = field(default_factory=Items)
    seconds_per_screen: float = 2.0
    seconds_per_read: float = 4.0

    def problem(self, ctx: Context) -> AnnotationProblem:
        """Items and raters, without gold values."""
        return self.items.draw(ctx).problem()

    def evaluate(self, result: Annotation, ctx: Context) -> Scores:
        """Rows by item."""
        drawn = self.items.draw(ctx)
        ledger = result.ledger
        table: dict[str, Any] = {
            "unit_id": drawn.unit_ids(),
            "gold": single(drawn.gold),
            "estimate": single(result.estimate),
            "reads": single(ledger.reads),
            "judgements": single(ledger.judgements),
            "selections": single(ledger.selections),
            "seconds": single(ledger.seconds(self.seconds_per_screen, self.seconds_per_read)),
        }
        if result.group == "direct":
            table |= drawn.ibws_columns()
        if result.halves is not None:
            table |= {"half_a": single(result.halves[0]), "half_b": single(result.halves[1])}
        return Scores({"main" if ctx.stage == "main" else "validation": table})


@dataclass(frozen=True, kw_only=True)
class PerfectJudgeTask(Task[AnnotationProblem, Annotation]):
    """Items in a known order, and raters who never err: is the order found exactly?

    Attributes:
        sizes: Numbers of items; one size is drawn for each seed, in turn.
    """

    sizes: tuple[int, ...] = (5, 10, 17, 24, 27)

    def _values(self, ctx: Context) -> Floats:
        size = self.sizes[ctx.seed % len(self.sizes)]
        # Unequal distances: only the order may matter.
        return np.exp(ctx.rng("items").normal(size=size))

    def problem(self, ctx: Context) -> AnnotationProblem:
        """Items whose raters all report the latent value itself."""
        values = self._values(ctx)
        rng = ctx.rng("workers")
        crowd = crowd_of([np.array([value]) for value in values], rng, jitter=0.0)
        return AnnotationProblem(tuple(f"item {i}" for i in range(values.size)), crowd, crowd)

    def evaluate(self, result: Annotation, ctx: Context) -> Scores:
        """One row: how many pairs are out of order, by comparing every pair."""
        values = self._values(ctx)
        wrong = sum(
            (values[i] < values[j]) != (result.estimate[i] < result.estimate[j])
            for i in range(values.size)
            for j in range(values.size)
            if i != j
        )
        row: dict[str, list[Any]] = {
            "unit_id": [f"n={values.size}"],
            "case": [f"{values.size} items, seed {ctx.seed}"],
            "error": [float(wrong)],
            "tolerance": [0.0],
            "confirmed": [wrong > 0],
        }
        return Scores({"main": row})


@dataclass(frozen=True, kw_only=True)
class RankingTask(Task[RankingProblem, TestRanking]):
    """Learn from annotated texts to rank texts that nobody has rated for the learner.

    Rows are test texts with the columns gold, estimate, ibws_position, ibws_bt (the test texts
    ranked by IBWS), label_reads and label_judgements (cost of a training label). In tuning, items
    come from the piece that no main seed uses, and the part is ``validation``.

    Attributes:
        items: Training and test texts together, and their raters.
        test: How many of them are for testing.
        embeddings: Embeddings of the whole set, for methods that use them.
    """

    items: Items = field(default_factory=Items)
    test: int = 100
    embeddings: RatedTextEmbeddings | None = None

    def problem(self, ctx: Context) -> RankingProblem:
        """Training texts with raters, test texts without."""
        drawn = self.items.draw(ctx)
        train, test = self._split()
        vectors = None if self.embeddings is None else ctx.load(self.embeddings)[drawn.index]
        return RankingProblem(
            train_texts=drawn.rated.texts[train],
            test_texts=drawn.rated.texts[test],
            train_vectors=None if vectors is None else vectors[train],
            test_vectors=None if vectors is None else vectors[test],
            comparative=drawn.crowd(1, train),
            direct=drawn.crowd(2, train),
            expert=drawn.gold[train],
        )

    def evaluate(self, result: TestRanking, ctx: Context) -> Scores:
        """Rows by test text."""
        drawn = self.items.draw(ctx)
        _, test = self._split()
        table: dict[str, Any] = {
            "unit_id": drawn.unit_ids(test),
            "gold": single(drawn.gold[test]),
            "estimate": single(result.estimate),
            "label_reads": single([result.label_reads] * self.test),
            "label_judgements": single([result.label_judgements] * self.test),
        }
        if ctx.stage == "tune":
            return Scores({"validation": table})
        return Scores({"main": table | drawn.ibws_columns(test)})

    def _split(self) -> tuple[slice, slice]:
        border = self.items.count - self.test
        if border < 1 or self.test < 1:
            raise ProblemError(
                "Training and testing need texts each",
                where=f"count={self.items.count}, test={self.test}",
                fix="Set test to less than count.",
            )
        return slice(0, border), slice(border, self.items.count)
