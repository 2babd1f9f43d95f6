"""The simulated crowd: what moves answers, what cannot, and the account it keeps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.method import ProblemError
from methods.ibws import balanced_design, crowd_of, on_scale, split_raters
from methods.ibws.answers import Ledger

ITEMS = [np.array([float(x), float(x) + 1]) for x in (-3, -1, 0, 2, 3, -4)]


def test_raters_split_without_overlap() -> None:
    ratings = [np.arange(20), np.arange(20, 45)]
    groups = split_raters(ratings, (6, 7, 7), np.random.default_rng(0))
    assert [len(rows[0]) for rows in groups] == [6, 7, 7]
    assert sorted(np.concatenate([group[0] for group in groups]).tolist()) == list(range(20))
    some = np.concatenate([group[1] for group in groups])
    assert len(set(some)) == 20
    assert set(some) <= set(range(20, 45))


def test_too_few_raters_are_refused_with_the_item() -> None:
    with pytest.raises(ProblemError) as caught:
        split_raters([np.arange(20), np.arange(15)], (6, 7, 7), np.random.default_rng(0))
    assert "item 1" in caught.value.where
    assert "15 raters" in caught.value.what
    assert caught.value.fix


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_ratings_that_are_not_numbers_are_refused(bad: float) -> None:
    with pytest.raises(ProblemError) as caught:
        crowd_of([np.array([1.0]), np.array([2.0, bad])], np.random.default_rng(0))
    assert caught.value.where == "item 1, rating 1"


def test_items_without_ratings_are_refused() -> None:
    with pytest.raises(ProblemError, match="no ratings"):
        crowd_of([np.array([1.0]), np.array([])], np.random.default_rng(0))


@given(st.floats(0, 3), st.floats(0, 1), st.integers(0, 99))
def test_shift_and_stretch_cannot_change_best_worst_answers(shift: float, stretch: float, seed: int) -> None:
    tuples = balanced_design(6, 4, 4, np.random.default_rng(seed))
    plain = crowd_of(ITEMS, np.random.default_rng(1)).session(np.random.default_rng(seed))
    biased = crowd_of(ITEMS, np.random.default_rng(1), shift_sd=shift, stretch_sd=stretch)
    ours, theirs = plain.compare(tuples), biased.session(np.random.default_rng(seed)).compare(tuples)
    np.testing.assert_array_equal(ours.best, theirs.best)
    np.testing.assert_array_equal(ours.worst, theirs.worst)


def test_shift_moves_sliders() -> None:
    rng = np.random.default_rng(0)
    items = np.zeros((4000, 1), dtype=np.intp)
    workers = rng.integers(2000, size=4000)
    plain = crowd_of([np.zeros(1)], rng, workers=2000).session(rng).rate(items, workers)
    biased = crowd_of([np.zeros(1)], rng, workers=2000, shift_sd=1.0).session(rng).rate(items, workers)
    assert plain.values.std() == pytest.approx(1 / 12**0.5 / 9, rel=0.1)
    assert biased.values.std() == pytest.approx((1 + 1 / 12) ** 0.5 / 9, rel=0.1)


def test_percepts_are_pool_ratings_within_the_jitter() -> None:
    rng = np.random.default_rng(0)
    percepts = crowd_of([np.array([-2.0, 3.0])], rng).session(rng).percepts(np.zeros(4000, dtype=np.intp))
    near = np.abs(percepts[:, None] - np.array([-2.0, 3.0])).min(axis=1)
    assert near.max() <= 0.5
    assert (percepts > 0).mean() == pytest.approx(0.5, abs=0.05)


def test_equal_percepts_are_chosen_at_random_and_never_twice() -> None:
    rng = np.random.default_rng(0)
    crowd = crowd_of([np.zeros(1)] * 4, rng, jitter=0.0)
    answers = crowd.session(rng).compare(np.tile(np.arange(4), (4000, 1)))
    assert (answers.best != answers.worst).all()
    assert np.bincount(answers.best).min() > 850
    assert np.bincount(answers.worst).min() > 850


def test_scales() -> None:
    x = np.array([-9.0, -4.5, -4.0, 0.0, 0.4, 4.49, 4.5, 9.0])
    np.testing.assert_allclose(on_scale(x, 0), [0, 0, 0.5 / 9, 0.5, 4.9 / 9, 8.99 / 9, 1, 1])
    np.testing.assert_allclose(on_scale(x, 9) * 9 - 0.5, [0, 0, 0, 4, 4, 8, 8, 8])
    assert len(set(on_scale(np.linspace(-6, 6, 500), 5))) == 5
    for points in (1, -3):
        with pytest.raises(ProblemError):
            on_scale(x, points)


def test_ledger_golden_values() -> None:
    ledger = Ledger.empty(5)
    ledger.charge(np.array([[0, 1, 2, 3], [0, 1, 2, 4]]), judgements=1, selections=2)
    assert ledger.reads.tolist() == [2, 2, 2, 1, 1]
    assert ledger.judgements.sum() == 2
    assert ledger.selections.sum() == 4
    assert ledger.seconds(2.0, 3.0).sum() == pytest.approx(2 * 2 + 3 * 8)
