"""Holm, power, Fieller and uniformity against other implementations."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.weightstats import ttost_paired

from harness.claims import Direction, Equivalence, Replication
from harness.evidence.context import RunContext
from harness.evidence.family import holm
from harness.evidence.power import collapsed, upper_sd
from harness.evidence.ratio import Moments, fieller
from harness.evidence.series import Reader
from harness.evidence.uniformity import dkw_half_width, ks_distance
from tests.harness.evidence.worlds import gain, run_of, seeded

RNG = np.random.default_rng(13)


@settings(max_examples=25)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=15))
def test_holm_agrees_with_statsmodels(p_values: list[float]) -> None:
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1])


def test_holm_drops_what_is_missing_before_it_counts() -> None:
    assert holm([0.01, 0.04, None]) == pytest.approx([0.02, 0.04, None])
    assert holm([]) == []


def test_holm_counts_at_least_the_declared_family() -> None:
    assert holm([0.01, None], size=10) == pytest.approx([0.1, None])


def test_upper_bound_of_the_sd_covers_in_four_of_five() -> None:
    sds = np.std(RNG.normal(0, 1, (20_000, 5)), axis=1, ddof=1)
    covered = np.mean([upper_sd(float(sd), 4) >= 1 for sd in sds[:4000]])
    assert covered == pytest.approx(0.8, abs=0.02)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.8, 0.81, 0.79, 0.8, 0.3], True),
        ([0.8, 0.81, 0.79, 0.8, 1.4], True),
        ([0.8, 0.81, 0.79, 0.8, 0.82, 0.3, 0.31], True),
        ([0.8, 0.81, 0.79, 0.8, 0.78], False),
        ([1.0, 1.0, 1.0, 1.0, 0.99], False),
        ([0.1, 0.4, 0.7, 0.2, 0.9], False),
    ],
)
def test_collapse(values: list[float], *, expected: bool) -> None:
    assert collapsed(np.array(values), delta=0.02) is expected


def test_collapse_is_rarely_seen_in_normal_noise() -> None:
    draws = RNG.normal(0, 1, (2000, 5))
    assert np.mean([collapsed(row, delta=0.0) for row in draws]) < 0.02


def test_fieller_agrees_with_inverting_the_t_test() -> None:
    top, bottom = RNG.normal(2, 0.3, 8), RNG.normal(4, 0.3, 8)
    cov = np.cov(top, bottom) / 8
    t = float(stats.t.ppf(0.975, 7))
    moments = Moments(top.mean(), bottom.mean(), cov[0, 0], cov[1, 1], cov[0, 1])
    bounds = fieller(moments, t)
    assert bounds is not None
    for r in bounds:
        # On the bound, top − r · bottom is just significant.
        assert stats.ttest_1samp(top - r * bottom, 0).pvalue == pytest.approx(0.05, abs=1e-6)


def test_fieller_is_unbounded_where_the_denominator_may_be_zero() -> None:
    assert fieller(Moments(1.0, 0.1, 0.01, 0.01, 0.0), 2.0) is None


@given(st.lists(st.floats(0, 1), min_size=1, max_size=50))
def test_ks_distance_agrees_with_scipy(values: list[float]) -> None:
    assert ks_distance(np.array(values)) == pytest.approx(stats.kstest(values, "uniform").statistic)


def test_dkw_half_width_is_that_of_the_issue() -> None:
    assert dkw_half_width(10_000) == pytest.approx(math.sqrt(math.log(40) / 20_000))


def test_equivalence_agrees_with_two_one_sided_tests() -> None:
    effects = RNG.normal(0.02, 0.1, 9)
    form = Equivalence(theta=gain(), margin=0.1, margin_reason="", replication=Replication.SEEDS)
    context = RunContext(Reader(run_of(seeded(effects))), RNG, {})
    answer = context.ask(form.questions({}), form.sampling)[0]
    expected = ttost_paired(0.5 + effects, np.full(9, 0.5), -0.1, 0.1)[0]
    assert answer.p_plus == pytest.approx(expected)


def test_direction_agrees_with_paired_t_tests() -> None:
    rng = np.random.default_rng(2)
    scores = {"a": rng.normal(0.6, 0.1, (7, 20)), "b": rng.normal(0.5, 0.1, (7, 20))}
    form = Direction(theta=gain(), delta=0.15, delta_reason="", replication=Replication.SEEDS)
    context = RunContext(Reader(run_of(scores)), rng, {})
    answer = context.ask(form.questions({}), form.sampling)[0]
    a, b = scores["a"].mean(axis=1), scores["b"].mean(axis=1)
    assert answer.p_plus == pytest.approx(stats.ttest_rel(a, b, alternative="greater").pvalue)
    assert answer.p_minus == pytest.approx(stats.ttest_rel(a, b + 0.15, alternative="less").pvalue)
