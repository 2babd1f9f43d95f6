"""Random halves of answers, for split-half reliability (card, section 5).

The answers to one question (the ratings of an item, or what several people said of a tuple) are divided among
the halves, so that both halves have asked the same questions.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from harness.method import ProblemError
from methods.ibws.answers import Answers
from methods.ibws.crowd import Ratings
from methods.ibws.designs import Floats, Ints
from methods.ibws.direct import mean_by_item


def divided(question: Ints, rng: np.random.Generator) -> Ints:
    """Which half, 0 or 1, each answer falls into.

    Args:
        question: Shape (M,): what each of M answers is about.
        rng: Source of randomness.

    Returns:
        Shape (M,): of every question half of the answers, drawn at random; where their number is odd, the
        halves take the last one in turn.

    Raises:
        ProblemError: If a question has a single answer.
    """
    counts = np.unique(question, return_counts=True)[1]
    if counts.min(initial=2) < 2:
        raise ProblemError(
            "A single answer cannot be divided into halves",
            where=f"{int((counts < 2).sum())} of {counts.size} questions have one answer",
            fix="Ask for two or more: raters of an item, or raters_per_tuple.",
        )
    order = np.lexsort((rng.random(question.size), question))
    side = np.empty(order.size, dtype=np.intp)
    side[order] = np.arange(order.size) % 2
    return side


def rating_halves(n_items: int, ratings: Ratings, rng: np.random.Generator) -> Floats:
    """Shape (2, n): means of two random halves of each item's ratings."""
    side = divided(ratings.items, rng)
    parts = [
        Ratings(ratings.items[side == half], ratings.workers[side == half], ratings.values[side == half])
        for half in (0, 1)
    ]
    return np.stack([mean_by_item(n_items, part) for part in parts])


def answer_halves(
    answers: Answers, each: int, score: Callable[[Answers], Floats], rng: np.random.Generator
) -> Floats:
    """Scores from two random halves of each tuple's answers.

    Args:
        answers: To each tuple ``each`` answers, one after the other.
        each: Answers to a tuple.
        score: From answers to the scores of n items.
        rng: Source of randomness.

    Returns:
        Shape (2, n).
    """
    side = divided(np.arange(answers.best.size) // each, rng)
    return np.stack([score(answers.take(np.flatnonzero(side == half))) for half in (0, 1)])
