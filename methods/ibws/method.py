"""Ways to rank items by asking people, as methods of the harness."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from harness.method import Context, Method, ProblemError, param
from methods.ibws import pairwise, scoring
from methods.ibws.answers import Answers, Ledger
from methods.ibws.crowd import Judge
from methods.ibws.designs import Floats, Ints, balanced_design
from methods.ibws.direct import direct_assessment, easl, mean_by_item, normalised_by_worker
from methods.ibws.halves import answer_halves, rating_halves
from methods.ibws.iterated import Iteration, iterated_bws
from methods.ibws.problems import Annotation, AnnotationProblem

_PLAIN: dict[str, Callable[[int, list[Answers]], Floats]] = {
    "counting": scoring.counting,
    "abw": scoring.abw,
    "bradley_terry": scoring.bradley_terry,
    "plackett_luce": scoring.plackett_luce,
    "maxdiff": scoring.maxdiff,
}
_ORDERED: dict[str, Callable[[int, list[Answers], np.random.Generator], Floats]] = {
    "elo": pairwise.elo,
    "value": pairwise.value_learning,
    "rescorla_wagner": pairwise.rescorla_wagner,
}


def score_answers(scorer: str, n_items: int, answers: list[Answers], rng: np.random.Generator) -> Floats:
    """Scores of n items by the scorer of that name.

    Raises:
        ProblemError: If there is no such scorer.
    """
    if scorer in _PLAIN:
        return _PLAIN[scorer](n_items, answers)
    if scorer in _ORDERED:
        return _ORDERED[scorer](n_items, answers, rng)
    raise ProblemError(
        f"There is no scorer '{scorer}'", where="scorer", fix=f"Use one of {', '.join([*_PLAIN, *_ORDERED])}."
    )


@dataclass(frozen=True)
class DirectAssessment(Method[AnnotationProblem, Annotation]):
    """Each item is rated by a few different people, alone or with others on a screen.

    A rating is a position on a slider or one of k points; an item's score is the mean of its
    ratings, which may first be turned into z-scores within each rater.
    """

    problem_type: ClassVar[type] = AnnotationProblem
    cites: ClassVar[str] = "Han et al. (2024), arXiv:2408.09765 (slider)"

    raters: int = param(4, source="ours: unspecified in the paper", doc="ratings of each item")
    points: int = param(0, source="ours", doc="points of the scale; 0 is a slider")
    per_screen: int = param(1, source="ours: unspecified in the paper", doc="items on a screen")
    normalise: bool = param(False, source="ours", doc="z-scores within each rater")
    split_half: bool = param(False, source="ours", doc="also score random halves of the ratings")

    def run(self, problem: AnnotationProblem, ctx: Context) -> Annotation:
        """Collect ratings and average them."""
        judge = problem.direct.session(ctx.rng("answers"))
        ratings = direct_assessment(
            problem.n_items,
            judge,
            ctx.rng("screens"),
            raters=self.raters,
            workers=problem.direct.workers,
            points=self.points,
            per_screen=self.per_screen,
        )
        if self.normalise:
            ratings = normalised_by_worker(ratings)
        halves = rating_halves(problem.n_items, ratings, ctx.rng("halves")) if self.split_half else None
        return Annotation(mean_by_item(problem.n_items, ratings), judge.ledger, "direct", halves)


@dataclass(frozen=True)
class Easl(Method[AnnotationProblem, Annotation]):
    """Efficient annotation of scalar labels: sliders, five items a screen, chosen adaptively.

    Beliefs about items are Beta distributions; the next screens show the items of which least is
    known beside items of a similar score.
    """

    problem_type: ClassVar[type] = AnnotationProblem
    cites: ClassVar[str] = "Sakaguchi and Van Durme (2018), arXiv:1806.01170"

    budget: float = param(4.0, source="ours", doc="ratings an item, on average")
    per_screen: int = param(5, source="official code of EASL", doc="items on a screen")
    gamma: float = param(0.1, source="official code of EASL", doc="width of the match quality")

    def run(self, problem: AnnotationProblem, ctx: Context) -> Annotation:
        """Collect ratings until the budget is spent."""
        judge = problem.direct.session(ctx.rng("answers"))
        scores = easl(
            problem.n_items,
            judge,
            ctx.rng("screens"),
            budget=self.budget,
            workers=problem.direct.workers,
            per_screen=self.per_screen,
            gamma=self.gamma,
        )
        return Annotation(scores, judge.ledger, "direct")


@dataclass(frozen=True)
class BestWorst(Method[AnnotationProblem, Annotation]):
    """One round of best-worst scaling over a balanced random design."""

    problem_type: ClassVar[type] = AnnotationProblem
    cites: ClassVar[str] = "Kiritchenko and Mohammad (2017), arXiv:1712.01765"

    appearances: int = param(8, source="Kiritchenko and Mohammad (2017)", doc="tuples an item is in")
    tuple_size: int = param(4, source="Kiritchenko and Mohammad (2017)", doc="items in a tuple")
    scorer: str = param("bradley_terry", source="ours", doc="from answers to scores")
    raters_per_tuple: int = param(1, source="ours", doc="answers to each tuple")
    candidates: int = param(1, source="ours", doc="random designs to choose the most diverse from")
    split_half: bool = param(False, source="ours", doc="also score random halves of each tuple's answers")

    def run(self, problem: AnnotationProblem, ctx: Context) -> Annotation:
        """Ask all tuples, then score.

        Raises:
            ProblemError: If a tuple gets no answer, or a single one that is to be divided into halves.
        """
        if self.raters_per_tuple < 1:
            raise ProblemError(
                "Each tuple needs a rater",
                where=f"raters_per_tuple={self.raters_per_tuple}",
                fix="Set raters_per_tuple to 1 or more.",
            )
        judge = problem.comparative.session(ctx.rng("answers"))
        design = balanced_design(
            problem.n_items, self.tuple_size, self.appearances, ctx.rng("design"), candidates=self.candidates
        )
        answers = self.answered(np.repeat(design, self.raters_per_tuple, axis=0), judge, ctx)

        def scored(some: Answers) -> Floats:
            return score_answers(self.scorer, problem.n_items, [some], ctx.rng("order"))

        each, rng = self.raters_per_tuple, ctx.rng("halves")
        halves = answer_halves(answers, each, scored, rng) if self.split_half else None
        return Annotation(scored(answers), judge.ledger, "comparative", halves)

    def answered(self, design: Ints, judge: Judge, ctx: Context) -> Answers:
        """Who answers; negative controls put someone else here."""
        del ctx
        return judge.compare(design)


@dataclass(frozen=True)
class IteratedBestWorst(Method[AnnotationProblem, Annotation]):
    """Iterated best-worst scaling: rounds inside ever smaller buckets.

    After each round every bucket is cut into upper, middle and lower by this round's counting
    scores, until no bucket fills a tuple. The ranking is the order of the buckets (``position``),
    or a Bradley-Terry fit to the answers of all rounds (``bt_all``).
    """

    problem_type: ClassVar[type] = AnnotationProblem
    cites: ClassVar[str] = "Han et al. (2024), arXiv:2408.09765"

    appearances: int = param(2, source="Potato's default; unspecified in the paper", doc="tuples a round")
    tuple_size: int = param(4, source="Potato's default; unspecified in the paper", doc="items in a tuple")
    raters_per_tuple: int = param(1, source="ours: unspecified in the paper", doc="answers to each tuple")
    split: Literal["thirds", "sign"] = param(
        "thirds", source="Potato (card, section 3.2)", doc="how a bucket is cut"
    )
    terminal: Literal["tie", "mini_tuple"] = param("mini_tuple", source="ours", doc="order in small buckets")
    final: Literal["position", "bt_all"] = param(
        "position", source="Potato (card, section 3.2)", doc="what ranks in the end"
    )
    max_rounds: int = param(0, source="Potato", doc="limit on rounds; 0 for none")
    design: Literal["balanced", "complete"] = param("balanced", source="ours", doc="tuples of a bucket")
    trace: bool = param(False, source="ours", doc="evaluate the ranking after each round")

    def run(self, problem: AnnotationProblem, ctx: Context) -> Annotation:
        """Rank the items."""
        judge = problem.comparative.session(ctx.rng("answers"))
        found = iterated_bws(
            problem.n_items,
            self.comparison(judge, ctx),
            ctx.rng("design"),
            self.options(),
            after_round=self._probe(judge, ctx) if self.trace else None,
        )
        return Annotation(found.estimate, judge.ledger, "comparative")

    def options(self) -> Iteration:
        """The switches of the algorithm."""
        return Iteration(
            tuple_size=self.tuple_size,
            appearances=self.appearances,
            raters_per_tuple=self.raters_per_tuple,
            split=self.split,
            terminal=self.terminal,
            final=self.final,
            max_rounds=self.max_rounds,
            design=self.design,
        )

    @staticmethod
    def _probe(judge: Judge, ctx: Context) -> Callable[[int, Floats], None]:
        def after_round(number: int, ranks: Floats) -> None:
            ctx.probe(number, Annotation(ranks, deepcopy(judge.ledger), "comparative"))

        return after_round

    def comparison(self, judge: Judge, ctx: Context) -> Callable[[Ints], Answers]:
        """Who answers; negative controls put someone else here."""
        del ctx
        return judge.compare


@dataclass(frozen=True)
class RandomRanking(Method[AnnotationProblem, Annotation]):
    """Items in random order, without asking anybody."""

    problem_type: ClassVar[type] = AnnotationProblem

    def run(self, problem: AnnotationProblem, ctx: Context) -> Annotation:
        """Draw the order."""
        order = ctx.rng("answers").permutation(problem.n_items).astype(np.float64)
        return Annotation(order, Ledger.empty(problem.n_items), "direct")
