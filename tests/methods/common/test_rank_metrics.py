"""Rank correlations as metrics."""

from __future__ import annotations

import pickle
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from methods.common.rank_metrics import inversions, kendall, pearson, spearman

VALUES = st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=3, max_size=12)


def _table(rows: list[tuple[int, int]]) -> dict[str, np.ndarray]:
    estimate, gold = np.array(rows, dtype=np.float32).T
    return {"estimate": estimate, "gold": gold}


@given(VALUES)
def test_kendall_is_tau_b_by_counting_pairs(rows: list[tuple[int, int]]) -> None:
    table = _table(rows)
    score, left, right = 0.0, 0, 0
    for (a, b), (c, d) in combinations(rows, 2):
        score += np.sign(a - c) * np.sign(b - d)
        left += a != c
        right += b != d
    expected = score / np.sqrt(left * right) if left and right else 0.0
    assert kendall()(table) == pytest.approx(expected, abs=1e-9)


@given(VALUES)
def test_spearman_is_pearson_of_mean_ranks(rows: list[tuple[int, int]]) -> None:
    table = _table(rows)
    ranks = {name: np.array([(x > v).sum() + (x == v).sum() / 2 for x in v]) for name, v in table.items()}
    assert spearman()(table) == pytest.approx(pearson()(ranks), abs=1e-9)


ANY = st.one_of(st.floats(width=32), st.sampled_from([0.0, 0.5, 1.0]))
"""NaN and infinities are among them, and ties."""


@given(st.lists(st.tuples(ANY, ANY), min_size=2, max_size=40))
def test_rank_correlations_are_those_of_scipy_to_the_last_bit(rows: list[tuple[float, float]]) -> None:
    np.testing.assert_array_equal(*_ours_and_scipys(*np.array(rows).T))


@pytest.mark.parametrize("decimals", [0, 1, 9])
@pytest.mark.parametrize("size", [255, 256, 257, 700, 1501])
def test_long_columns_are_those_of_scipy_to_the_last_bit(size: int, decimals: int) -> None:
    rng = np.random.default_rng(size)
    x = rng.normal(size=size)
    for y in (x + rng.normal(size=size), x**3, -x, rng.integers(0, 2, size) + 0.0):
        np.testing.assert_array_equal(*_ours_and_scipys(x.round(decimals), y.round(decimals)))


def _ours_and_scipys(x: np.ndarray, y: np.ndarray) -> tuple[list[float], list[float]]:
    """Spearman's and Kendall's correlation, by the metrics and by the library."""
    constant = (x == x[0]).all() or (y == y[0]).all()
    ours = [metric({"estimate": x, "gold": y}) for metric in (spearman(), kendall())]
    return ours, [0.0 if constant else f(x, y).statistic for f in (stats.spearmanr, stats.kendalltau)]


@given(st.lists(st.integers(0, 20), max_size=30), st.integers(1, 8))
def test_inversions_are_counted_pair_by_pair_or_by_halves(values: list[int], at_once: int) -> None:
    expected = sum(before > after for before, after in combinations(values, 2))
    assert inversions(np.array(values, dtype=np.float64), at_once) == expected


@given(VALUES)
def test_reversing_an_estimate_reverses_every_correlation(rows: list[tuple[int, int]]) -> None:
    table = _table(rows)
    mirrored = {**table, "estimate": -table["estimate"]}
    for metric in (spearman(), kendall(), pearson()):
        assert metric(mirrored) == pytest.approx(-metric(table), abs=1e-9)


@pytest.mark.parametrize("value", [1.0, np.inf, -np.inf])
def test_an_estimate_without_spread_scores_zero(value: float) -> None:
    table = {"estimate": np.full(5, value), "gold": np.arange(5.0)}
    assert [metric(table) for metric in (spearman(), kendall(), pearson())] == [0, 0, 0]


def test_metrics_name_their_columns_and_pickle() -> None:
    metric = spearman("half_a", "half_b", name="reliability")
    assert metric.columns == ("half_a", "half_b")
    assert metric.worst == -1
    assert pickle.loads(pickle.dumps(metric)).name == "reliability"  # noqa: S301 - our own bytes
