"""Tuple designs: balance, distinctness, refusal."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.method import ProblemError
from methods.ibws.designs import (
    balanced_design,
    bucket_designs,
    check_tuples,
    complete_design,
    repeated_pairs,
)


@given(st.integers(2, 6), st.integers(0, 60), st.integers(1, 5), st.integers(0, 2**16))
def test_every_item_appears_as_often_as_asked(k: int, more: int, a: int, seed: int) -> None:
    n = k + more
    tuples = balanced_design(n, k, a, np.random.default_rng(seed))
    assert tuples.shape == (a * -(-n // k), k)
    counts = np.bincount(tuples.ravel(), minlength=n)
    if n % k == 0:
        assert set(counts) == {a}
    assert counts.min() >= a
    assert counts.sum() - a * n == a * (-n % k)
    assert all(len(set(row)) == k for row in tuples.tolist())


@given(st.lists(st.integers(1, 14), min_size=1, max_size=8), st.integers(1, 3), st.integers(0, 999))
def test_bucket_designs_stay_inside_buckets_and_skip_small_ones(sizes: list[int], a: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    bucket = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    tuples = bucket_designs(bucket, 4, a, rng)
    assert (bucket[tuples] == bucket[tuples[:, :1]]).all()
    counts = np.bincount(tuples.ravel(), minlength=bucket.size)
    big = np.array(sizes)[bucket] >= 4
    assert (counts[~big] == 0).all()
    assert (counts[big] >= a).all()
    assert tuples.shape[0] == a * sum(-(-size // 4) for size in sizes if size >= 4)


def test_complete_design_holds_every_tuple_once() -> None:
    tuples = complete_design(np.arange(7), 4)
    assert len({frozenset(row) for row in tuples.tolist()}) == 35


def test_more_candidates_repeat_fewer_pairs() -> None:
    one = [repeated_pairs(balanced_design(24, 4, 6, np.random.default_rng(s)), 24) for s in range(20)]
    many = [
        repeated_pairs(balanced_design(24, 4, 6, np.random.default_rng(s), candidates=20), 24)
        for s in range(20)
    ]
    assert np.mean(many) < np.mean(one)


def test_repeated_pairs_by_hand() -> None:
    assert repeated_pairs(np.array([[0, 1, 2], [2, 1, 3], [0, 3, 4]]), 5) == 1


@pytest.mark.parametrize(("n", "k", "a"), [(3, 4, 1), (5, 1, 1), (8, 4, 0)])
def test_impossible_designs_are_refused(n: int, k: int, a: int) -> None:
    with pytest.raises(ProblemError) as caught:
        balanced_design(n, k, a, np.random.default_rng(0))
    assert caught.value.where
    assert caught.value.fix


def test_tuples_with_an_item_twice_are_refused() -> None:
    with pytest.raises(ProblemError, match="not distinct"):
        check_tuples(np.array([[0, 1, 2], [3, 4, 3]]))


def test_too_many_tuples_are_refused() -> None:
    with pytest.raises(ProblemError, match="too many"):
        complete_design(np.arange(200), 4)
