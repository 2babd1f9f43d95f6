"""Rank correlations as metrics."""

from __future__ import annotations

import pickle
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from methods.common.rank_metrics import kendall, pearson, spearman

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


@given(VALUES)
def test_reversing_an_estimate_reverses_every_correlation(rows: list[tuple[int, int]]) -> None:
    table = _table(rows)
    mirrored = {**table, "estimate": -table["estimate"]}
    for metric in (spearman(), kendall(), pearson()):
        assert metric(mirrored) == pytest.approx(-metric(table), abs=1e-9)


def test_an_estimate_without_spread_scores_zero() -> None:
    table = {"estimate": np.ones(5), "gold": np.arange(5.0)}
    assert [metric(table) for metric in (spearman(), kendall(), pearson())] == [0, 0, 0]


def test_metrics_name_their_columns_and_pickle() -> None:
    metric = spearman("half_a", "half_b", name="reliability")
    assert metric.columns == ("half_a", "half_b")
    assert metric.worst == -1
    assert pickle.loads(pickle.dumps(metric)).name == "reliability"  # noqa: S301 - our own bytes
