"""Tuple designs: which items are shown together.

Shapes: n items, tuple size k, T tuples; a design is an integer array of shape (T, k).
"""

from __future__ import annotations

from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

from harness.method import ProblemError

Ints = NDArray[np.intp]
Floats = NDArray[np.float64]

_MOST_TUPLES = 2_000_000


def check_design(n_items: int, tuple_size: int, appearances: int) -> None:
    """Raise a :class:`ProblemError` if no design of this kind exists."""
    if tuple_size < 2:
        raise ProblemError(
            "A tuple needs at least two items", where=f"tuple_size={tuple_size}", fix="Use 4, the usual size."
        )
    if n_items < tuple_size:
        raise ProblemError(
            f"{n_items} items cannot fill a tuple of {tuple_size}",
            where=f"items={n_items}, tuple_size={tuple_size}",
            fix=f"Give at least {tuple_size} items or a smaller tuple size.",
        )
    if appearances < 1:
        raise ProblemError(
            "Each item must appear at least once",
            where=f"appearances={appearances}",
            fix="Set appearances to 1 or more.",
        )


def check_tuples(tuples: Ints) -> None:
    """Raise a :class:`ProblemError` if a tuple shows an item twice."""
    ordered = np.sort(tuples, axis=1)
    twice = (ordered[:, 1:] == ordered[:, :-1]).any(axis=1)
    if twice.any():
        row = int(np.flatnonzero(twice)[0])
        raise ProblemError(
            "The items of a tuple are not distinct",
            where=f"tuple {row}: {tuples[row].tolist()}",
            fix="Show each item at most once in a tuple.",
        )


def balanced_design(
    n_items: int, tuple_size: int, appearances: int, rng: np.random.Generator, *, candidates: int = 1
) -> Ints:
    """Random tuples in which each item appears ``appearances`` times.

    For each appearance a random permutation is cut into blocks of ``tuple_size``; the last block
    is filled with random other items, so that up to ``tuple_size - 1`` items appear once more.
    The best of several random designs is the one in which the fewest pairs meet again
    ("maximum diversity", Kiritchenko and Mohammad).

    Args:
        n_items: Number of items n.
        tuple_size: Items in a tuple k.
        appearances: Appearances of each item a.
        rng: Source of randomness.
        candidates: How many designs to draw.

    Returns:
        Shape (a * ceil(n / k), k).

    Raises:
        ProblemError: If n < k, k < 2 or a < 1.
    """
    check_design(n_items, tuple_size, appearances)
    one_bucket = np.zeros(n_items, dtype=np.intp)
    designs = [bucket_designs(one_bucket, tuple_size, appearances, rng) for _ in range(max(1, candidates))]
    if candidates <= 1:
        return designs[0]
    return min(designs, key=lambda design: repeated_pairs(design, n_items))


def bucket_designs(bucket: Ints, tuple_size: int, appearances: int, rng: np.random.Generator) -> Ints:
    """Balanced designs inside every bucket of at least ``tuple_size`` items, all at once.

    Args:
        bucket: Shape (n,): bucket number of each item.
        tuple_size: Items in a tuple.
        appearances: Appearances of each item.
        rng: Source of randomness.

    Returns:
        Shape (T, k): item numbers; no tuple spans two buckets.
    """
    parts = [_one_pass(bucket, tuple_size, rng) for _ in range(appearances)]
    return np.concatenate(parts)


def _one_pass(bucket: Ints, k: int, rng: np.random.Generator) -> Ints:
    # The last key counts first: by bucket, at random inside it.
    order = np.lexsort((rng.random(bucket.size), bucket))
    _, starts, sizes = np.unique(bucket[order], return_index=True, return_counts=True)
    place = np.arange(bucket.size) - np.repeat(starts, sizes)
    size_of = np.repeat(sizes, sizes)
    whole = order[(place < size_of // k * k) & (size_of >= k)].reshape(-1, k)
    filled = [
        _filled_block(order[start : start + size], k, rng)
        for start, size in zip(starts, sizes, strict=True)
        if size > k and size % k
    ]
    return np.concatenate([whole, np.array(filled, dtype=np.intp).reshape(-1, k)])


def _filled_block(items: Ints, k: int, rng: np.random.Generator) -> Ints:
    rest = items.size % k
    fill = rng.permutation(items.size - rest)[: k - rest]
    return np.concatenate([items[-rest:], items[fill]])


def complete_design(items: Ints, tuple_size: int) -> Ints:
    """All tuples of the items; shape (n choose k, k).

    Raises:
        ProblemError: If there would be more than two million.
    """
    check_design(items.size, tuple_size, 1)
    if comb(items.size, tuple_size) > _MOST_TUPLES:
        raise ProblemError(
            f"All tuples of {items.size} items are too many",
            where=f"tuple_size={tuple_size}",
            fix="Use the balanced design, or fewer items.",
        )
    return items[np.array(list(combinations(range(items.size), tuple_size)), dtype=np.intp)]


def repeated_pairs(tuples: Ints, n_items: int) -> int:
    """How many pairs of a design have met before."""
    first, second = np.triu_indices(tuples.shape[1], k=1)
    ordered = np.sort(tuples, axis=1)
    keys = (ordered[:, first] * n_items + ordered[:, second]).ravel()
    return int(keys.size - np.unique(keys).size)
