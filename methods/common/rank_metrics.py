"""Rank correlations as metrics over unit rows.

An estimate without any spread ranks nothing: breaking its ties at random correlates 0 with
anything on average, and that is its score.
"""

from __future__ import annotations

from functools import partial
from typing import Literal

import numpy as np

from harness.method import Metric
from harness.method.metric import Columns

_Kind = Literal["spearman", "kendall", "pearson"]


def correlation(kind: _Kind, left: str, right: str, columns: Columns) -> float:
    """Spearman's rho, Kendall's tau-b or Pearson's r between two columns; 0 if one is constant."""
    from scipy import stats

    x = np.asarray(columns[left], dtype=np.float64)
    y = np.asarray(columns[right], dtype=np.float64)
    if x.size < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return 0.0
    measure = {"spearman": stats.spearmanr, "kendall": stats.kendalltau, "pearson": stats.pearsonr}[kind]
    return float(measure(x, y).statistic)


def _metric(kind: _Kind, name: str, left: str, right: str) -> Metric:
    return Metric(
        name=name,
        columns=(left, right),
        reduce=partial(correlation, kind, left, right),
        better="higher",
        worst=-1.0,
    )


def spearman(left: str = "estimate", right: str = "gold", *, name: str = "Spearman's ρ") -> Metric:
    """Spearman's rank correlation of two columns."""
    return _metric("spearman", name, left, right)


def kendall(left: str = "estimate", right: str = "gold", *, name: str = "Kendall's τ-b") -> Metric:
    """Kendall's tau-b of two columns; b, since means of ratings have many ties."""
    return _metric("kendall", name, left, right)


def pearson(left: str = "estimate", right: str = "gold", *, name: str = "Pearson's r") -> Metric:
    """Pearson's correlation of two columns."""
    return _metric("pearson", name, left, right)
