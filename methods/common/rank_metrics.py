"""Rank correlations as metrics over unit rows.

An estimate without any spread ranks nothing: breaking its ties at random correlates 0 with
anything on average, and that is its score.

Reports ask for hundreds of thousands of them, each over hundreds of rows, where SciPy's functions spend
nearly all of their time on p-values and checks. So the ranks are made here. The numbers are SciPy's to the
last bit; Spearman's up to 200,000 rows, where sums of products of ranks begin to be rounded.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from harness.method import Metric
from harness.method.metric import Columns

_Kind = Literal["spearman", "kendall", "pearson"]
_Values = NDArray[np.float64]


def correlation(kind: _Kind, left: str, right: str, columns: Columns) -> float:
    """Spearman's rho, Kendall's tau-b or Pearson's r between two columns; 0 if one is constant."""
    x = np.asarray(columns[left], dtype=np.float64)
    y = np.asarray(columns[right], dtype=np.float64)
    # Not their range: that of a column of infinities is no number.
    if x.size < 2 or (x == x[0]).all() or (y == y[0]).all():
        return 0.0
    return _MEASURES[kind](x, y)


def spearman_rho(x: _Values, y: _Values) -> float:
    """Pearson's correlation of average ranks.

    Args:
        x: Shape (n,), n ≥ 2.
        y: Shape (n,).

    Returns:
        The correlation; NaN if a value is NaN or a column constant.
    """
    if np.isnan(x).any() or np.isnan(y).any():
        return math.nan
    left, right = _centred_ranks(x), _centred_ranks(y)
    # Divided one after the other, as NumPy's corrcoef does: the last bit depends on it.
    per_row = 1 / (len(x) - 1)
    variances = [float(ranks @ ranks) * per_row for ranks in (right, left)]
    if not all(variances):
        return math.nan
    rho = float(left @ right) * per_row
    for variance in variances:
        rho /= math.sqrt(variance)
    return min(1.0, max(-1.0, rho))


def kendall_tau(x: _Values, y: _Values) -> float:
    """Kendall's tau-b: (C - D) / √((P - Tx) (P - Ty)), of P pairs C concordant, D discordant and T tied.

    Args:
        x: Shape (n,), n ≥ 2.
        y: Shape (n,).

    Returns:
        The correlation; NaN if a value is NaN or a column constant.
    """
    if np.isnan(x).any() or np.isnan(y).any():
        return math.nan
    by_y = np.argsort(y)
    x, y = x[by_y], y[by_y]
    new_y = y[1:] != y[:-1]
    # Small whole numbers are compared fastest.
    y_ranks = np.concatenate([[0], np.cumsum(new_y)]).astype(np.min_scalar_type(len(y)))
    # Where x is tied, y stays in order, and no such pair counts as discordant.
    by_x = np.argsort(x, kind="stable")
    x, y_ranks = x[by_x], y_ranks[by_x]
    new_x = x[1:] != x[:-1]
    pairs, x_ties, y_ties = len(x) * (len(x) - 1) // 2, _tied_pairs(new_x), _tied_pairs(new_y)
    if pairs in (x_ties, y_ties):
        return math.nan
    joint_ties = _tied_pairs(new_x | (y_ranks[1:] != y_ranks[:-1]))
    excess = pairs - x_ties - y_ties + joint_ties - 2 * inversions(y_ranks)
    tau = excess / math.sqrt(pairs - x_ties) / math.sqrt(pairs - y_ties)
    return min(1.0, max(-1.0, tau))


def inversions(values: NDArray[Any], at_once: int = 256) -> int:
    """Pairs of which the larger value comes first: by halves, until all pairs of one are compared at once.

    Args:
        values: Shape (n,), no NaN.
        at_once: Values whose pairs are all compared, which is faster for few.
    """
    size = len(values)
    if size <= at_once:
        return int(np.count_nonzero((values[:, None] > values) & _in_order(size)))
    left, right = values[: size // 2], values[size // 2 :]
    larger = len(left) * len(right) - int(np.searchsorted(np.sort(left), right, side="right").sum())
    return inversions(left, at_once) + inversions(right, at_once) + larger


@lru_cache(maxsize=256)
def _in_order(size: int) -> NDArray[np.bool_]:
    """Which pairs of places have the second after the first, shape (size, size)."""
    return np.triu(np.ones((size, size), dtype=bool), 1)


def _centred_ranks(values: _Values) -> _Values:
    """Average ranks less their mean, shape (n,): multiples of one half."""
    order = np.argsort(values)
    ordered = values[order]
    is_new = ordered[1:] != ordered[:-1]
    ranks = np.empty(len(values))
    if is_new.all():
        ranks[order] = _untied(len(values))
        return ranks
    starts = np.concatenate([[0], np.flatnonzero(is_new) + 1])
    ends = np.concatenate([starts[1:], [len(values)]])
    ranks[order] = np.repeat((starts + ends - len(values)) / 2, ends - starts)
    return ranks


@lru_cache(maxsize=1024)
def _untied(size: int) -> _Values:
    return np.arange(size, dtype=np.float64) - (size - 1) / 2


def _tied_pairs(is_new: NDArray[np.bool_]) -> int:
    """Pairs of equal values, from where the sorted values change, shape (n - 1,)."""
    if is_new.all():
        return 0
    sizes = np.diff(np.flatnonzero(is_new), prepend=-1, append=len(is_new))
    return int((sizes * (sizes - 1) // 2).sum())


def _pearson_r(x: _Values, y: _Values) -> float:
    from scipy import stats

    return float(stats.pearsonr(x, y).statistic)


_MEASURES: dict[_Kind, Callable[[_Values, _Values], float]] = {
    "spearman": spearman_rho,
    "kendall": kendall_tau,
    "pearson": _pearson_r,
}


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
