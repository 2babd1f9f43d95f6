"""Scores from answers in files, how sure they are, and what to ask next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.method import ProblemError
from methods.ibws.answers import Answers, pairs_of
from methods.ibws.designs import Floats, Ints
from methods.ibws.halves import divided
from methods.ibws.iterated import Iteration, Rounds
from methods.ibws.scoring import bradley_terry, counting, plackett_luce, shown_counts
from methods.ibws.sheets import Sheet

Scorer = Callable[[int, list[Answers]], Floats]

SCORERS: Mapping[str, Scorer] = {
    "counts": counting,
    "bradley-terry": bradley_terry,
    "plackett-luce": plackett_luce,
}
"""From n and answers to n scores, larger for better."""


def score_intervals(
    sheet: Sheet, scorer: Scorer, rng: np.random.Generator, *, draws: int = 1000, level: float = 0.95
) -> NDArray[np.float64]:
    """Percentile intervals of scores by a bootstrap over questions.

    The answers to one question come together, since people who see the same tuple err alike. An item counts
    in those draws that show it.

    Args:
        sheet: The answers.
        scorer: From answers to scores.
        rng: Source of the draws.
        draws: How many.
        level: Of the intervals.

    Returns:
        Shape (2, n): lower and upper ends; NaN for an item that is in no draw.
    """
    questions = sheet.questions()
    count = int(questions.max()) + 1
    order = np.argsort(questions, kind="stable")
    starts = np.searchsorted(questions[order], np.arange(count + 1))
    found = np.full((draws, len(sheet.items)), np.nan)
    for draw in range(draws):
        drawn = rng.integers(count, size=count)
        rows = np.concatenate([order[starts[question] : starts[question + 1]] for question in drawn])
        answers = sheet.answers(rows)
        shown = shown_counts(len(sheet.items), answers) > 0
        found[draw, shown] = scorer(len(sheet.items), answers)[shown]
    ends = np.full((2, len(sheet.items)), np.nan)
    seen = ~np.isnan(found).all(axis=0)
    ends[:, seen] = np.nanquantile(found[:, seen], [(1 - level) / 2, (1 + level) / 2], axis=0)
    return ends


@dataclass(frozen=True)
class Reliability:
    """Split-half reliability over S random splits.

    Attributes:
        spearman: Shape (S,): rank correlation of the scores of both halves.
        pearson: Shape (S,): their correlation.
        questions: Questions that were divided.
        single: Questions with one answer, which were left out.
    """

    spearman: Floats
    pearson: Floats
    questions: int
    single: int


def split_half(sheet: Sheet, scorer: Scorer, rng: np.random.Generator, splits: int = 100) -> Reliability:
    """Split-half reliability: of each question half of the answers go into either half.

    As by Kiritchenko and Mohammad, 2017 (card, section 5): halves of all answers would have asked different
    questions. Scores are compared over the items that both halves show.

    Raises:
        ProblemError: If no question has two answers.
    """
    questions = sheet.questions()
    counts = np.bincount(questions)
    rows = np.flatnonzero(counts[questions] > 1)
    if rows.size == 0:
        raise ProblemError(
            "No question has two answers, so that there are no halves to compare",
            where=f"{len(sheet.tuples)} answers to {counts.size} questions",
            fix="Ask at least two people the same tuples.",
        )
    n, rank, plain = len(sheet.items), [], []
    for _ in range(splits):
        side = divided(questions[rows], rng)
        halves = [sheet.answers(rows[side == half]) for half in (0, 1)]
        both = np.logical_and(*(shown_counts(n, half) > 0 for half in halves))
        first, second = (scorer(n, half)[both] for half in halves)
        rank.append(_correlation(_ranks(first), _ranks(second)))
        plain.append(_correlation(first, second))
    single = int((counts == 1).sum())
    return Reliability(np.array(rank), np.array(plain), counts.size - single, single)


def spearman_brown(half: float) -> float:
    """The reliability of all answers, from that of halves: 2r / (1 + r)."""
    return 2 * half / (1 + half)


def replay(sheet: Sheet | None, n_items: int, options: Iteration, seed: int) -> Rounds:
    """IBWS as far as the answers go.

    What was asked is read from the answers, not drawn again, so that a design of another tool or version of
    NumPy counts as well; only the order among equal scores is drawn, from the seed.

    Args:
        sheet: The answers so far; ``None`` before the first round.
        n_items: Number of items.
        options: The switches.
        seed: The same in all rounds.

    Raises:
        ProblemError: If a round is missing, a tuple spans two buckets, or an item of a round has no answer.
    """
    state = Rounds(n_items, options)
    last = 0 if sheet is None else int(sheet.rounds.max())
    for number in range(1, last + 1):
        assert sheet is not None
        rows = np.flatnonzero(sheet.rounds == number)
        _check_round(sheet, rows, number, state)
        state.learn(sheet.answers(rows), np.random.default_rng([seed, number, 1]))
    return state


def next_questions(state: Rounds, seed: int) -> list[Ints]:
    """The tuples of the next round, each part of shape (T, k); none if the ranking is complete."""
    return state.questions(np.random.default_rng([seed, len(state.rankings) + 1, 0]))


def _check_round(sheet: Sheet, rows: Ints, number: int, state: Rounds) -> None:
    names, bucket = sheet.items, state.bucket
    if rows.size == 0:
        raise ProblemError(
            f"Round {number} has no answers, and a later one has", fix="Give the answers of all rounds."
        )
    expected = next_questions(state, seed=0)  # Which items are asked of does not depend on the seed.
    if not expected:
        raise ProblemError(
            f"Round {number} comes after the last one", fix="Leave it out; the ranking is complete before."
        )
    for row in rows:
        shown = sheet.tuples[row][sheet.tuples[row] >= 0]
        if np.unique(bucket[shown]).size > 1:
            other = next(item for item in shown if bucket[item] != bucket[shown[0]])
            raise ProblemError(
                f"'{names[shown[0]]}' and '{names[other]}' are in different buckets before round {number}",
                where=sheet.places[row],
                fix="Give the same items, seed and options as when this round was made, and its round.",
            )
    asked = np.unique(np.concatenate([part.ravel() for part in expected]))
    if (missing := np.setdiff1d(asked, sheet.tuples[rows])).size:
        raise ProblemError(
            f"Round {number} has no answer about {missing.size} of its {asked.size} items",
            where=", ".join(names[item] for item in missing[:5]),
            fix="Have their tuples answered first.",
        )


@dataclass(frozen=True)
class WorkerRow:
    """How well somebody's answers fit those of the others.

    Attributes:
        worker: Who.
        answers: Answers given.
        agreement: Share of the pairs that they decide which the others' scores order alike, equal ones half.
        chance: Standard error of that share for somebody who answers at random.
    """

    worker: str
    answers: int
    agreement: float
    chance: float


def worker_quality(sheet: Sheet, scorer: Scorer) -> list[WorkerRow]:
    """Each worker's agreement with scores from the answers of all others, worst first.

    Raises:
        ProblemError: If the answers do not name two workers.
    """
    workers = sorted({name for name in sheet.workers if name})
    if len(workers) < 2:
        raise ProblemError(
            "The answers do not say who gave them",
            where=f"{len(workers)} workers named",
            fix="Add a column 'worker' that names at least two.",
        )
    names = np.array(sheet.workers)
    found = []
    for worker in workers:
        own = np.flatnonzero(names == worker)
        scores = scorer(len(sheet.items), sheet.answers(np.flatnonzero(names != worker)))
        winners, losers = pairs_of(sheet.answers(own))
        ahead = np.sign(scores[winners] - scores[losers])
        found.append(WorkerRow(worker, own.size, float((1 + ahead).mean() / 2), 0.5 / np.sqrt(own.size)))
    return sorted(found, key=lambda row: (row.agreement, row.worker))


def _ranks(values: Floats) -> Floats:
    from scipy.stats import rankdata

    return np.asarray(rankdata(values), dtype=np.float64)


def _correlation(first: Floats, second: Floats) -> float:
    """Pearson's correlation; NaN where one side does not vary."""
    first, second = first - first.mean(), second - second.mean()
    size = float(np.sqrt((first @ first) * (second @ second)))
    return float(first @ second) / size if size > 0 else float("nan")
