"""Sampling distributions against SciPy and brute force."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from harness.evidence.distributions import (
    BcaDistribution,
    StudentDistribution,
    bca,
    sign_flip,
    sign_flip_of_many,
    student,
)

RNG = np.random.default_rng(7)
finite = st.floats(-10, 10, allow_nan=False).map(lambda x: round(x, 3))


@pytest.mark.parametrize("n", [2, 3, 5, 30])
def test_student_agrees_with_scipy(n: int) -> None:
    values = RNG.normal(0.3, 1, n)
    distribution = student(values)
    assert distribution is not None
    greater = stats.ttest_1samp(values, 0.1, alternative="greater")
    less = stats.ttest_1samp(values, 0.1, alternative="less")
    both = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert distribution.p_above(0.1) == pytest.approx(greater.pvalue)
    assert distribution.p_below(0.1) == pytest.approx(less.pvalue)
    assert distribution.interval() == pytest.approx((both.low, both.high))


@given(st.lists(finite, min_size=2, max_size=12), finite)
def test_interval_and_p_values_agree(values: list[float], threshold: float) -> None:
    distribution = student(np.array(values))
    assert distribution is not None
    low, high = distribution.interval()
    if distribution.se > 0 and min(abs(low - threshold), abs(high - threshold)) > 1e-9:
        assert (distribution.p_above(threshold) < 0.025) == (low > threshold)
        assert (distribution.p_below(threshold) < 0.025) == (high < threshold)


def test_one_value_has_no_law() -> None:
    assert student(np.array([1.0])) is None


def test_zero_variance_falls_back_to_sign_flips() -> None:
    distribution = student(np.full(6, 0.1) + 0.2)
    assert distribution is not None
    assert distribution.se == 0
    assert distribution.p_above(0.0) == 2**-6
    assert distribution.p_above(0.5) == 1
    assert distribution.p_below(0.5) == 2**-6
    assert distribution.interval() == (distribution.value, distribution.value)


def test_rounding_errors_are_no_spread() -> None:
    distribution = student(np.array([0.3, 0.1 + 0.2, 0.3, 0.3, 0.1 + 0.2]))
    assert distribution is not None
    assert distribution.p_above(0.0) == 2**-5


def test_noise_floor_is_a_least_standard_deviation() -> None:
    distribution = student(np.array([1.0, 1.001, 0.999, 1.0]), noise_floor=0.5)
    assert distribution is not None
    assert distribution.se == pytest.approx(0.25)
    loud = student(np.array([0.0, 2.0]), noise_floor=0.5)
    assert loud is not None
    assert loud.se == pytest.approx(1.0)


@pytest.mark.parametrize("skew", [False, True])
def test_bca_agrees_with_scipy(*, skew: bool) -> None:
    values = RNG.exponential(1, 60) if skew else RNG.normal(0, 1, 60)
    ours = bca(
        float(values.mean()),
        values[RNG.integers(0, 60, (9999, 60))].mean(axis=1),
        (values.sum() - values) / 59,
        60,
    )
    theirs = stats.bootstrap((values,), np.mean, n_resamples=9999, method="BCa", rng=np.random.default_rng(1))
    expected = theirs.confidence_interval
    assert ours.interval() == pytest.approx((expected.low, expected.high), abs=0.02)


@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
def test_bca_p_values_invert_its_interval(level: float) -> None:
    samples = np.sort(RNG.gamma(2, 1, 5000))
    distribution = BcaDistribution(samples, z0=0.1, acceleration=0.05)
    low, high = distribution.interval(level)
    assert distribution.p_above(low) == pytest.approx((1 - level) / 2, abs=2e-3)
    assert distribution.p_below(high) == pytest.approx((1 - level) / 2, abs=2e-3)


def test_bca_never_claims_more_than_its_resamples_can_show() -> None:
    distribution = bca(5.0, RNG.normal(5, 0.1, 999), RNG.normal(5, 0.01, 60), 60)
    assert distribution.p_above(0.0) >= 1e-4
    assert distribution.p_above(0.0) < 0.01


def test_bca_of_equal_resamples_is_degenerate_not_nan() -> None:
    distribution = bca(0.5, np.full(100, 0.5), np.full(60, 0.5), 60)
    assert isinstance(distribution, StudentDistribution)
    assert distribution.interval() == (0.5, 0.5)


@pytest.mark.parametrize("n", [4, 5, 8])
def test_sign_flip_enumerates_all_flips(n: int) -> None:
    values = RNG.normal(0.4, 1, n)
    means = [np.mean(values * signs) for signs in itertools.product((1, -1), repeat=n)]
    expected = np.mean(np.array(means) >= values.mean() - 1e-12)
    assert sign_flip(values, np.random.default_rng(0)) == pytest.approx(expected)


@pytest.mark.parametrize("shift", [-0.1, 0.0, 0.05, 0.15])
def test_many_sign_flips_agree_with_scipys(shift: float) -> None:
    values = np.random.default_rng(3).normal(shift, 1, 120)
    expected = sign_flip(values, np.random.default_rng(0))
    found = sign_flip_of_many(values, np.random.default_rng(1))
    # Both draw 9,999 flips; four standard errors of a difference of such shares.
    assert found == pytest.approx(expected, abs=4 * np.sqrt(2 * expected * (1 - expected) / 9999) + 1e-4)


def test_many_sign_flips_count_ties() -> None:
    assert sign_flip_of_many(np.zeros(100), np.random.default_rng(0)) == 1
    assert sign_flip_of_many(np.ones(100), np.random.default_rng(0)) == 1e-4


def test_five_pairs_have_a_floor() -> None:
    # One-sided 2⁻⁵, so two-sided .0625: five pairs can never be significant that way.
    assert sign_flip(np.array([1.0, 2, 3, 4, 5]), np.random.default_rng(0)) == pytest.approx(1 / 32)


def test_a_last_digit_makes_and_breaks_no_ties_of_sign_flips() -> None:
    """Other processors sum up in another order: a difference of one rounding must not move the p-value."""
    values = np.array([-0.03, 0.0, 0.05, -0.06, 0.16, -0.15, -0.09, -0.04, -0.01, 0.15])
    rng = np.random.default_rng(0)
    expected = sign_flip(values, rng)
    assert expected == pytest.approx(_share_at_least(np.rint(values * 100)))
    for towards in (-1.0, 1.0):
        for at in range(len(values)):
            moved = values.copy()
            moved[at] = np.nextafter(values[at], towards)
            assert sign_flip(moved, rng) == expected


def _share_at_least(values: np.ndarray) -> float:
    """All flips of whole numbers, one by one."""
    sums = [float(np.dot(signs, values)) for signs in itertools.product((-1, 1), repeat=len(values))]
    return sum(total >= sum(values) for total in sums) / len(sums)
