"""A crowd simulated from real ratings (or generated ones).

A *percept* of an item is one rating drawn from the item's pool plus U(-jitter, jitter), which
undoes the rounding to integers. A worker reports it with a shift and a stretch of their own:
``shift + stretch * percept``. Both are the same for all items that a worker compares, so they
cannot change a best-worst answer, but they do move every slider.

Percepts lie on the scale of the source ratings, -4 ... 4; reports on ratings scales are mapped
to [0, 1].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from harness.method import ProblemError
from methods.ibws.answers import Answers, Ledger
from methods.ibws.designs import Floats, Ints, check_tuples

HALF_RANGE = 4.5
"""The source scale -4 ... 4 covers [-4.5, 4.5] once its rounding is undone."""


@dataclass(frozen=True)
class Ratings:
    """Ratings of single items.

    Attributes:
        items: Shape (M,): the item rated.
        workers: Shape (M,): who rated it.
        values: Shape (M,): in [0, 1].
    """

    items: Ints
    workers: Ints
    values: Floats


class Judge(Protocol):
    """Whoever answers: a simulated crowd, people, or a language model."""

    ledger: Ledger

    def compare(self, tuples: Ints) -> Answers:
        """Choose best and worst of each tuple; shape (T, k)."""

    def rate(self, screens: Ints, workers: Ints, points: int = 0) -> Ratings:
        """Rate all items of each screen.

        Args:
            screens: Shape (S, m): items shown together.
            workers: Shape (S,): who is asked.
            points: Points of the scale; 0 for a continuous slider.
        """


@dataclass(frozen=True)
class Crowd:
    """Raters of n items.

    Attributes:
        pool: Shape (n, p): ratings of each item, filled up with NaN on the right.
        counts: Shape (n,): how many ratings each item has.
        shift: Shape (w,): shift of each worker, in points of the source scale.
        stretch: Shape (w,): stretch of each worker, about the scale's middle.
        jitter: Half-width of the uniform noise that undoes rounding.
    """

    pool: Floats
    counts: Ints
    shift: Floats
    stretch: Floats
    jitter: float = 0.5

    @property
    def n_items(self) -> int:
        """Number of items."""
        return int(self.pool.shape[0])

    @property
    def workers(self) -> int:
        """Number of workers."""
        return self.shift.size

    def session(self, rng: np.random.Generator) -> Session:
        """A judge that draws this crowd's answers from ``rng`` and keeps the account."""
        return Session(self, rng)


class Session:
    """One annotation job with a crowd; a :class:`Judge`."""

    def __init__(self, crowd: Crowd, rng: np.random.Generator) -> None:
        self.crowd = crowd
        self.ledger = Ledger.empty(crowd.n_items)
        self._rng = rng

    def percepts(self, items: Ints) -> Floats:
        """One percept for each entry of ``items``, in its shape."""
        crowd = self.crowd
        pick = (self._rng.random(items.shape) * crowd.counts[items]).astype(np.intp)
        noise = self._rng.uniform(-crowd.jitter, crowd.jitter, items.shape)
        return crowd.pool[items, pick] + noise

    def compare(self, tuples: Ints) -> Answers:
        """Best and worst percept of each tuple, shape (T, k), equal ones in random order."""
        check_tuples(tuples)
        percepts = self.percepts(tuples)
        # Columns in random order, so that argmax and argmin break ties at random.
        order = np.argsort(self._rng.random(tuples.shape), axis=1)
        shuffled = np.take_along_axis(percepts, order, axis=1)
        items = np.take_along_axis(tuples, order, axis=1)
        rows = np.arange(tuples.shape[0])
        worst = shuffled.argmin(axis=1)
        # If all are equal, argmax would name the worst again.
        masked = shuffled.copy()
        masked[rows, worst] = -np.inf
        best = masked.argmax(axis=1)
        self.ledger.charge(tuples, judgements=1, selections=2)
        return Answers(tuples, items[rows, best], items[rows, worst])

    def rate(self, screens: Ints, workers: Ints, points: int = 0) -> Ratings:
        """Percepts with the worker's shift and stretch, on a slider or a ``points``-point scale.

        Args:
            screens: Shape (S, m): items shown together.
            workers: Shape (S,): who is asked, from 0 to ``crowd.workers`` - 1.
            points: Points of the scale; 0 for a continuous slider.
        """
        check_tuples(screens)
        crowd = self.crowd
        reports = crowd.shift[workers][:, None] + crowd.stretch[workers][:, None] * self.percepts(screens)
        self.ledger.charge(screens, judgements=screens.shape[1], selections=screens.shape[1])
        who = np.repeat(workers, screens.shape[1])
        return Ratings(screens.ravel(), who, on_scale(reports.ravel(), points))


def on_scale(reports: Floats, points: int) -> Floats:
    """Reports on the source scale as marks in [0, 1].

    A slider ends where the scale ends; a k-point scale has k equal intervals and reports their
    centres.

    Raises:
        ProblemError: If ``points`` is 1 or negative.
    """
    if points == 1 or points < 0:
        raise ProblemError(
            "A rating scale needs at least two points",
            where=f"points={points}",
            fix="Use 3, 5, 7 or 9 (0: slider).",
        )
    unit = np.clip((reports + HALF_RANGE) / (2 * HALF_RANGE), 0, 1)
    if points == 0:
        return unit
    return (np.minimum(np.floor(unit * points), points - 1) + 0.5) / points


def crowd_of(
    ratings: Sequence[NDArray[np.float64]],
    rng: np.random.Generator,
    *,
    workers: int = 40,
    shift_sd: float = 0.0,
    stretch_sd: float = 0.0,
    jitter: float = 0.5,
) -> Crowd:
    """A crowd from the pools of ratings of n items, with freshly drawn workers.

    Args:
        ratings: Ratings of each item, at least one.
        rng: Source of the workers.
        workers: Number of workers.
        shift_sd: Standard deviation of their shifts, in points of the source scale.
        stretch_sd: Standard deviation of the logarithm of their stretches.
        jitter: Half-width of the uniform noise.

    Raises:
        ProblemError: If an item has no rating, or one that is not finite.
    """
    counts = np.array([len(row) for row in ratings], dtype=np.intp)
    if counts.size == 0 or counts.min() == 0:
        raise ProblemError(
            "An item has no ratings",
            where=f"item {int(counts.argmin()) if counts.size else 0}",
            fix="Leave it out, or split the raters otherwise.",
        )
    pool = np.full((counts.size, counts.max()), np.nan)
    for item, row in enumerate(ratings):
        pool[item, : counts[item]] = row
    broken = ~np.isfinite(pool) & (np.arange(pool.shape[1]) < counts[:, None])
    if broken.any():
        item, column = np.argwhere(broken)[0]
        raise ProblemError(
            "A rating is not a finite number",
            where=f"item {item}, rating {column}",
            fix="Remove ratings that are missing (NaN) or infinite.",
        )
    shift = rng.normal(0, 1, workers) * shift_sd
    stretch = np.exp(rng.normal(0, 1, workers) * stretch_sd)
    return Crowd(pool, counts, shift, stretch, jitter)


def split_raters(
    ratings: Sequence[NDArray[np.generic]], sizes: Sequence[int], rng: np.random.Generator
) -> list[list[NDArray[np.float64]]]:
    """Divide each item's ratings at random into disjoint groups.

    Args:
        ratings: Ratings of each item.
        sizes: How many ratings each group gets.
        rng: Source of randomness.

    Returns:
        For each group, the ratings of each item.

    Raises:
        ProblemError: If an item has fewer ratings than all groups together ask for.
    """
    groups: list[list[NDArray[np.float64]]] = [[] for _ in sizes]
    borders = np.cumsum([0, *sizes])
    for item, row in enumerate(ratings):
        if row.size < borders[-1]:
            raise ProblemError(
                f"An item has {row.size} raters, but {borders[-1]} are asked for",
                where=f"item {item}, groups of {', '.join(map(str, sizes))}",
                fix="Ask for fewer raters a group, or leave out items with few raters.",
            )
        shuffled = rng.permutation(row).astype(np.float64)
        for group, low, high in zip(groups, borders[:-1], borders[1:], strict=True):
            group.append(shuffled[low:high])
    return groups
