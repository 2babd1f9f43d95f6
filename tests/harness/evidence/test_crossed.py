"""Variance components over units × seeds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.formula.api import ols

from harness.evidence.crossed import additive, jackknife_variance, jackknifed, satterthwaite

RNG = np.random.default_rng(11)


def test_components_agree_with_a_two_way_analysis_of_variance() -> None:
    matrix = RNG.normal(0, 1, (12, 4)) + RNG.normal(0, 2, (12, 1)) + RNG.normal(0, 1, (1, 4))
    units, seeds = matrix.shape
    cells = [(i, j, matrix[i, j]) for i in range(units) for j in range(seeds)]
    frame = pd.DataFrame(cells, columns=["unit", "seed", "y"])
    table = sm.stats.anova_lm(ols("y ~ C(unit) + C(seed)", frame).fit())
    mean_square = table["mean_sq"]
    found = additive([matrix])
    assert found.units == pytest.approx(mean_square["C(unit)"] / (units * seeds))
    assert found.seeds == pytest.approx(mean_square["C(seed)"] / (units * seeds))
    residual = mean_square["Residual"] / (units * seeds)
    assert found.total == pytest.approx(max(found.units + found.seeds - residual, found.units, found.seeds))


@given(st.integers(2, 8), st.integers(2, 6), st.integers(0, 10_000))
def test_total_is_at_least_each_part(units: int, seeds: int, seed: int) -> None:
    matrix = np.random.default_rng(seed).normal(0, 1, (units, seeds))
    found = additive([matrix])
    assert found.total >= max(found.units, found.seeds)
    assert found.df >= seeds - 1


def test_variance_between_seeds_only() -> None:
    matrix = np.tile(RNG.normal(0, 1, 5), (100, 1))
    found = additive([matrix])
    assert found.units == pytest.approx(0, abs=1e-12)
    assert found.total == pytest.approx(np.var(matrix[0], ddof=1) / 5)
    assert found.df == pytest.approx(4)


def test_disjoint_sets_of_units_add_up() -> None:
    one, other = RNG.normal(0, 1, (30, 5)), RNG.normal(0, 1, (20, 5))
    both = additive([one, other])
    assert both.units == pytest.approx(additive([one]).units + additive([other]).units)
    by_seed = one.mean(axis=0) + other.mean(axis=0)
    assert both.seeds == pytest.approx(np.var(by_seed, ddof=1) / 5)


def test_noise_floor_bounds_the_seed_part() -> None:
    matrix = np.ones((10, 5))
    assert additive([matrix], noise_floor=0.1).seeds == pytest.approx(0.01 / 5)
    assert jackknifed([np.ones(10)], np.ones(5), 0.1).seeds == pytest.approx(0.01 / 5)


def test_jackknife_of_a_mean_is_its_variance() -> None:
    values = RNG.normal(0, 1, 40)
    left_out = (values.sum() - values) / 39
    assert jackknife_variance(left_out) == pytest.approx(np.var(values, ddof=1) / 40)


def test_satterthwaite_of_two_equal_parts_adds_their_degrees() -> None:
    assert satterthwaite(2.0, [(1.0, 4), (1.0, 4)], 4) == pytest.approx(8)
    assert satterthwaite(0.0, [(0.0, 4)], 4) == 4
