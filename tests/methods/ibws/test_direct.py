"""Direct assessment and EASL."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import beta as beta_law

from harness.method import ProblemError
from methods.ibws import Ratings, crowd_of, direct_assessment, easl, mean_by_item, normalised_by_worker
from methods.ibws.crowd import Session
from methods.ibws.direct import Beliefs, match_quality


def _session(n: int = 30, **bias: float) -> Session:
    rng = np.random.default_rng(0)
    values = np.linspace(-4, 4, n)
    return crowd_of([np.array([v]) for v in values], rng, workers=12, **bias).session(rng)


def test_each_item_gets_different_raters() -> None:
    session = _session()
    ratings = direct_assessment(30, session, np.random.default_rng(1), raters=5, workers=12)
    for item in range(30):
        assert len(set(ratings.workers[ratings.items == item])) == 5
    assert session.ledger.reads.tolist() == [5] * 30
    assert session.ledger.screens.tolist() == [5] * 30


def test_items_on_a_screen_share_worker_and_screen() -> None:
    session = _session()
    ratings = direct_assessment(30, session, np.random.default_rng(1), raters=3, workers=12, per_screen=5)
    assert (ratings.workers.reshape(-1, 5) == ratings.workers[::5, None]).all()
    assert session.ledger.reads.tolist() == [3] * 30
    assert session.ledger.screens == pytest.approx([0.6] * 30)


@pytest.mark.parametrize(
    ("raters", "per_screen"), [(13, 1), (0, 1), (1, 0), (1, 31)], ids=["raters", "none", "empty", "wide"]
)
def test_impossible_requests_are_refused(raters: int, per_screen: int) -> None:
    with pytest.raises(ProblemError) as caught:
        direct_assessment(
            30, _session(), np.random.default_rng(1), raters=raters, workers=12, per_screen=per_screen
        )
    assert caught.value.where
    assert caught.value.fix


def test_means_by_item() -> None:
    ratings = Ratings(np.array([0, 0, 2]), np.array([0, 1, 0]), np.array([0.2, 0.4, 0.9]))
    assert mean_by_item(3, ratings) == pytest.approx([0.3, 0.5, 0.9])


def test_normalising_undoes_shift_and_stretch() -> None:
    truth = np.linspace(0.3, 0.6, 20)
    items = np.tile(np.arange(20), 2)
    workers = np.repeat([0, 1], 20)
    values = np.concatenate([truth, 0.1 + 1.4 * truth])
    z = normalised_by_worker(Ratings(items, workers, values)).values
    np.testing.assert_allclose(z[:20], z[20:])
    np.testing.assert_allclose(z[:20], (truth - truth.mean()) / truth.std())


def test_a_worker_with_equal_ratings_says_nothing() -> None:
    ratings = Ratings(np.array([0, 1, 2]), np.array([3, 3, 0]), np.array([0.7, 0.7, 0.1]))
    assert normalised_by_worker(ratings).values.tolist() == [0, 0, 0]


def test_easl_golden_values() -> None:
    one = Beliefs(np.ones(1), np.ones(1)).updated(Ratings(np.array([0]), np.array([0]), np.array([0.8])))
    assert (one.a[0], one.b[0]) == pytest.approx((1.8, 1.2))
    assert one.mode[0] == pytest.approx(0.8)
    assert one.variance[0] == pytest.approx(0.06)
    # Beside an item without data (mode .5, variance .0833), one with mode .7 and variance .06.
    total = brentq(lambda t: _with_mode(0.7, t).variance[0] - 0.06, 2.5, 4)
    other = _with_mode(0.7, total)
    pair = Beliefs(np.array([1.0, other.a[0]]), np.array([1.0, other.b[0]]))
    assert match_quality(pair, 0, 0.1)[1] == pytest.approx(0.3096, abs=5e-5)


def _with_mode(mode: float, total: float) -> Beliefs:
    a = 1 + mode * (total - 2)
    return Beliefs(np.array([a]), np.array([total - a]))


def test_beliefs_agree_with_scipy() -> None:
    a, b = np.array([1.5, 3.0, 7.2]), np.array([2.5, 1.0, 4.4])
    np.testing.assert_allclose(Beliefs(a, b).variance, beta_law(a, b).var())


def test_easl_spends_its_budget_and_ranks() -> None:
    session = _session()
    scores = easl(30, session, np.random.default_rng(2), budget=4, workers=12)
    assert session.ledger.reads.sum() == pytest.approx(4 * 30, abs=5)
    assert np.corrcoef(scores, np.arange(30))[0, 1] > 0.98


def test_easl_looks_more_often_at_items_it_is_unsure_of() -> None:
    rng = np.random.default_rng(0)
    pools = [np.array([0.0]) if i < 15 else np.array([4.0 - 8 * (i % 2)]) for i in range(30)]
    reads = np.zeros(30)
    for _ in range(10):
        session = crowd_of(pools, rng).session(rng)
        easl(30, session, rng, budget=6, workers=40, hits=2)
        reads += session.ledger.reads
    assert reads.min() >= 10
    # After equally many ratings, a belief about the middle has the larger variance.
    assert reads[:15].mean() > reads[15:].mean() + 0.5
