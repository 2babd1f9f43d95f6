"""Iterated best-worst scaling: best-worst rounds inside ever smaller buckets.

Buckets are numbered from the top, so that their positions, not the order in which they become
terminal, give the ranking.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
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


@dataclass
class _State:
    bucket: Ints
    last: Floats
    answers: list[Answers] = field(default_factory=list)


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
    options = options or Iteration()
    options.check(n_items)
    state = _State(np.zeros(n_items, dtype=np.intp), np.zeros(n_items))
    rounds: list[Floats] = []
    while _active(state, options, len(rounds)):
        _round(state, compare, rng, options, score)
        rounds.append(positions(state.bucket, state.last))
        if after_round is not None:
            after_round(len(rounds), rounds[-1])
    if options.terminal == "mini_tuple":
        _mini_tuples(state, compare, options)
        rounds[-1:] = [positions(state.bucket, state.last)]
    estimate = rounds[-1] if options.final == "position" else bradley_terry(n_items, state.answers)
    return IteratedRanking(estimate, rounds, state.answers, state.bucket)


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


def _active(state: _State, options: Iteration, done: int) -> bool:
    if options.max_rounds and done >= options.max_rounds:
        return False
    return bool(np.bincount(state.bucket).max() >= options.tuple_size)


def _round(
    state: _State, compare: Compare, rng: np.random.Generator, options: Iteration, score: Score
) -> None:
    tuples = _designs(state.bucket, rng, options)
    answers = compare(np.repeat(tuples, options.raters_per_tuple, axis=0))
    state.answers.append(answers)
    sizes = np.bincount(state.bucket)
    playing = sizes[state.bucket] >= options.tuple_size
    scores = score(state.bucket.size, [answers])
    state.last = np.where(playing, scores, state.last)
    state.bucket = split_buckets(state.bucket, state.last, playing, options.split, rng)


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


def _mini_tuples(state: _State, compare: Compare, options: Iteration) -> None:
    sizes = np.bincount(state.bucket)
    order = np.argsort(state.bucket, kind="stable")
    size_of = sizes[state.bucket[order]]
    for size in range(2, options.tuple_size):
        tuples = order[size_of == size].reshape(-1, size)
        if tuples.size == 0:
            continue
        answers = compare(np.repeat(tuples, options.raters_per_tuple, axis=0))
        state.answers.append(answers)
        scores = counting(state.bucket.size, [answers])
        members = tuples.ravel()
        state.last[members] = scores[members]
