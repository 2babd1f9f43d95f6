"""Negative controls: broken versions of the methods. No real method imports this.

Each breaks one mechanism and costs the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from harness.method import Context
from methods.ibws.answers import Answers
from methods.ibws.crowd import Crowd, Judge
from methods.ibws.designs import Floats, Ints
from methods.ibws.encoder_method import EncoderRanker
from methods.ibws.method import BestWorst, DirectAssessment, IteratedBestWorst
from methods.ibws.problems import Annotation, AnnotationProblem
from methods.ibws.ranking_method import LinearRanker


def uninformed(crowd: Crowd, rng: np.random.Generator) -> Crowd:
    """The same crowd with the raters of each item given to another item: pure noise."""
    order = rng.permutation(crowd.n_items)
    return replace(crowd, pool=crowd.pool[order], counts=crowd.counts[order])


@dataclass(frozen=True)
class UninformedSlider(DirectAssessment):
    """Direct assessment by raters who look at other items."""

    def run(self, problem: AnnotationProblem, ctx: Context) -> Annotation:
        """Run it with ratings that belong to other items."""
        return super().run(replace(problem, direct=uninformed(problem.direct, ctx.rng("sabotage"))), ctx)


@dataclass(frozen=True)
class UninformedBestWorst(BestWorst):
    """One-shot best-worst scaling by raters who look at other items."""

    def run(self, problem: AnnotationProblem, ctx: Context) -> Annotation:
        """Run it with answers about other items."""
        crowd = uninformed(problem.comparative, ctx.rng("sabotage"))
        return super().run(replace(problem, comparative=crowd), ctx)


@dataclass(frozen=True)
class SwappedIteratedBestWorst(IteratedBestWorst):
    """IBWS that takes each best for the worst, and the reverse."""

    def comparison(self, judge: Judge, ctx: Context) -> Callable[[Ints], Answers]:
        """Answers the wrong way round."""
        del ctx
        return lambda tuples: judge.compare(tuples).reversed()


@dataclass(frozen=True)
class BlindLaterRounds(IteratedBestWorst):
    """IBWS whose answers are honest in the first round and drawn at random afterwards."""

    def comparison(self, judge: Judge, ctx: Context) -> Callable[[Ints], Answers]:
        """Honest answers once, then random ones."""
        rng = ctx.rng("sabotage")
        rounds = iter(range(10**9))

        def compare(tuples: Ints) -> Answers:
            honest = judge.compare(tuples)
            if next(rounds) == 0:
                return honest
            mixed = rng.permuted(tuples, axis=1)
            return Answers(tuples, mixed[:, 0], mixed[:, 1])

        return compare


@dataclass(frozen=True)
class ShuffledLabels(LinearRanker):
    """A ranker trained on labels that were given to other texts."""

    def labels_for_training(self, values: Floats, ctx: Context) -> Floats:
        """The labels in random order."""
        return ctx.rng("sabotage").permutation(values)


@dataclass(frozen=True)
class ShuffledEncoderLabels(EncoderRanker):
    """A fine-tuned encoder trained on labels that were given to other texts."""

    def labels_for_training(self, values: Floats, ctx: Context) -> Floats:
        """The labels in random order."""
        return ctx.rng("sabotage").permutation(values)


@dataclass(frozen=True)
class RandomBestWorst(BestWorst):
    """One-shot best-worst scaling whose answers are drawn at random, each anew."""

    def answered(self, design: Ints, judge: Judge, ctx: Context) -> Answers:
        """Ask, pay, and ignore what was said."""
        judge.compare(design)
        mixed = ctx.rng("sabotage").permuted(design, axis=1)
        return Answers(design, mixed[:, 0], mixed[:, 1])
