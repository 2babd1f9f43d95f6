"""Iterated best-worst scaling: best-worst rounds inside ever smaller buckets.

Buckets are numbered from the top, so that their positions, not the order in which they become
terminal, give the ranking.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from harness.method import ProblemError
from methods.ibws.answers import Answers
from methods.ibws.designs import Floats, Ints, bucket_designs, check_design, complete_design
from methods.ibws.scoring import bradley_terry, counting

Compare = Callable[[Ints], Answers]
Score = Callable[[int, list[Answers]], Floats]


@dataclass(frozen=True)
class Iteration:
    """The switches of IBWS that the paper's public description leaves open.

    Attributes:
        tuple_size: Items in a tuple k.
        appearances: Appearances of an item in each round a.
        raters_per_tuple: Answers to each tuple.
        split: ``thirds`` cuts a sorted bucket into floor(n/3) upper, floor(n/3) lower and the
            rest; ``sign`` by the sign of the counting score.
        terminal: ``tie`` leaves buckets below k in the order of their last scores;
            ``mini_tuple`` asks one more tuple of the bucket's size.
        final: ``position`` ranks by bucket and last score; ``bt_all`` fits Bradley-Terry to the
            answers of all rounds.
        max_rounds: At most so many rounds; 0 for no limit.
        design: ``balanced``, or ``complete`` for all tuples of each bucket.
    """

    tuple_size: int = 4
    appearances: int = 2
    raters_per_tuple: int = 1
    split: Literal["thirds", "sign"] = "thirds"
    terminal: Literal["tie", "mini_tuple"] = "mini_tuple"
    final: Literal["position", "bt_all"] = "position"
    max_rounds: int = 0
    design: Literal["balanced", "complete"] = "balanced"

    def check(self, n_items: int) -> None:
        """Raise a :class:`ProblemError` if these switches do not fit ``n_items``."""
        check_design(n_items, self.tuple_size, self.appearances)
        if self.raters_per_tuple < 1 or self.max_rounds < 0:
            raise ProblemError(
                "Each tuple needs a rater, and rounds cannot be negative",
                where=f"raters_per_tuple={self.raters_per_tuple}, max_rounds={self.max_rounds}",
                fix="Set raters_per_tuple to 1 or more and max_rounds to 0 (no limit) or more.",
            )


@dataclass(frozen=True)
class IteratedRanking:
    """What IBWS found.

    Attributes:
        estimate: Shape (n,): final score of each item, larger for better.
        rounds: Each of shape (n,): the ranking by position after each round.
        answers: All answers, round by round.
        buckets: Shape (n,): the final bucket of each item, 0 on top.
    """

    estimate: Floats
    rounds: list[Floats]
    answers: list[Answers]
    buckets: Ints


class Rounds:
    """IBWS one round at a time, for answers that take days: ask, and learn what was answered.

    Args:
        n_items: Number of items n.
        options: The switches.
        score: From n and the answers of one round to scores; counting by default.

    Attributes:
        bucket: Shape (n,): bucket of each item so far, 0 on top.
        last: Shape (n,): its score in the last round that it played.
        answers: All answers so far.
        rankings: Each of shape (n,): the ranking by position after each round.

    Raises:
        ProblemError: If n is below the tuple size or a switch is out of range.
    """

    def __init__(self, n_items: int, options: Iteration | None = None, score: Score = counting) -> None:
        self.options = options or Iteration()
        self.options.check(n_items)
        self.bucket: Ints = np.zeros(n_items, dtype=np.intp)
        self.last: Floats = np.zeros(n_items)
        self.answers: list[Answers] = []
        self.rankings: list[Floats] = []
        self._score = score
        self._ended = False

    @property
    def active(self) -> bool:
        """Whether a round is to come, with buckets that are large enough for tuples."""
        if self.options.max_rounds and len(self.rankings) >= self.options.max_rounds:
            return False
        return bool(np.bincount(self.bucket).max() >= self.options.tuple_size)

    def questions(self, rng: np.random.Generator) -> list[Ints]:
        """The tuples to ask next, each of shape (T, k), as often as they have raters; none at the end.

        A round has tuples of one size. After the last one come, once, tuples of the buckets that are too
        small for it, by size.
        """
        if self.active:
            tuples = [_designs(self.bucket, rng, self.options)]
        elif self.options.terminal == "mini_tuple" and not self._ended:
            tuples = _mini_tuples(self.bucket, self.options.tuple_size)
        else:
            tuples = []
        return [np.repeat(part, self.options.raters_per_tuple, axis=0) for part in tuples]

    def learn(self, answers: list[Answers], rng: np.random.Generator) -> None:
        """Take the answers to the last questions.

        Args:
            answers: To each part of the questions.
            rng: Order among equal scores.
        """
        n = self.bucket.size
        self.answers += answers
        if not self.active:
            self._ended = True
            for part in answers:
                members = np.unique(part.tuples)
                self.last[members] = counting(n, [part])[members]
            self.rankings[-1:] = [positions(self.bucket, self.last)]
            return
        playing = np.bincount(self.bucket)[self.bucket] >= self.options.tuple_size
        self.last = np.where(playing, self._score(n, answers), self.last)
        self.bucket = split_buckets(self.bucket, self.last, playing, self.options.split, rng)
        self.rankings.append(positions(self.bucket, self.last))


def iterated_bws(
    n_items: int,
    compare: Compare,
    rng: np.random.Generator,
    options: Iteration | None = None,
    *,
    score: Score = counting,
    after_round: Callable[[int, Floats], None] | None = None,
) -> IteratedRanking:
    """Rank ``n_items`` by iterated best-worst scaling.

    Args:
        n_items: Number of items n.
        compare: Answers tuples of shape (T, k).
        rng: Source of designs and of random order among equal scores.
        options: The switches.
        score: From n and the answers of one round to scores; counting by default.
        after_round: Told the round, from 1, and the ranking after it.

    Returns:
        The ranking and its history.

    Raises:
        ProblemError: If n is below the tuple size or a switch is out of range.
    """
    state = Rounds(n_items, options, score)
    while questions := state.questions(rng):
        playing = state.active
        state.learn([compare(tuples) for tuples in questions], rng)
        if playing and after_round is not None:
            after_round(len(state.rankings), state.rankings[-1])
    by_position = state.options.final == "position"
    estimate = state.rankings[-1] if by_position else bradley_terry(n_items, state.answers)
    return IteratedRanking(estimate, state.rankings, state.answers, state.bucket)


def positions(bucket: Ints, last: Floats) -> Floats:
    """Shape (n,): rank from the bottom by bucket, then by last score; equal ones share their mean."""
    # The last key counts first: by bucket, then by score.
    order = np.lexsort((last, -bucket))
    new = np.ones(order.size, dtype=bool)
    new[1:] = (np.diff(bucket[order]) != 0) | (np.diff(last[order]) != 0)
    group = np.cumsum(new) - 1
    sizes = np.bincount(group)
    middle = np.cumsum(sizes) - (sizes - 1) / 2
    ranks = np.empty(order.size)
    ranks[order] = middle[group]
    return ranks


def _designs(bucket: Ints, rng: np.random.Generator, options: Iteration) -> Ints:
    if options.design == "balanced":
        return bucket_designs(bucket, options.tuple_size, options.appearances, rng)
    sizes = np.bincount(bucket)
    active = np.flatnonzero(sizes >= options.tuple_size)
    return np.concatenate([complete_design(np.flatnonzero(bucket == b), options.tuple_size) for b in active])


def split_buckets(
    bucket: Ints, scores: Floats, playing: NDArray[np.bool_], rule: str, rng: np.random.Generator
) -> Ints:
    """Cut every bucket that played into upper, middle and lower, and number all buckets afresh.

    Args:
        bucket: Shape (n,).
        scores: Shape (n,): scores of this round.
        playing: Shape (n,): whether the item's bucket played.
        rule: ``thirds`` or ``sign``.
        rng: Order among equal scores.

    Returns:
        Shape (n,): new bucket numbers, 0 on top.
    """
    # The last key counts first: by bucket, then by score, then at random.
    order = np.lexsort((rng.random(bucket.size), -scores, bucket))
    sizes = np.bincount(bucket)
    starts = np.cumsum(sizes) - sizes
    place = np.arange(bucket.size) - starts[bucket[order]]
    size = sizes[bucket[order]]
    third = size // 3
    part = np.where(place < third, 0, np.where(place >= size - third, 2, 1))
    if rule == "sign":
        by_sign = 1 - np.sign(scores[order]).astype(np.intp)
        part = np.where(_undivided(bucket[order], by_sign)[bucket[order]], part, by_sign)
    part = np.where(playing[order], part, 0)
    new = np.empty(bucket.size, dtype=np.intp)
    new[order] = np.unique(bucket[order] * 3 + part, return_inverse=True)[1]
    return new


def _undivided(bucket: Ints, part: Ints) -> NDArray[np.bool_]:
    """Shape (buckets,): whether all its items fall into one part, so that signs cannot divide it."""
    pairs = np.unique(bucket * 3 + part) // 3
    parts: Ints = np.bincount(pairs, minlength=int(bucket.max()) + 1)
    return np.equal(parts, 1)


def _mini_tuples(bucket: Ints, tuple_size: int) -> list[Ints]:
    """One tuple of each bucket of two items or more, by size; each of shape (T, size)."""
    order = np.argsort(bucket, kind="stable")
    size_of = np.bincount(bucket)[bucket[order]]
    parts = [order[size_of == size].reshape(-1, size) for size in range(2, tuple_size)]
    return [tuples for tuples in parts if tuples.size]
