"""Metrics: named maps from unit rows to a number."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

Columns = Mapping[str, Any]
"""Raw columns by name, as NumPy arrays of one length."""


@dataclass(frozen=True)
class Metric:
    """A number computed from unit rows, so that it can be resampled correctly.

    Attributes:
        name: Its standard name, as reports print it ("Spearman's rho", "block efficiency").
        columns: The columns it reads.
        reduce: From those columns to a number; a module-level function (or a
            :func:`functools.partial` of one), so that it pickles and has a name to hash.
        better: Which side is better.
        unit: Unit of the number, for axes and headers; empty if it has none.
        additive: Whether the number is the plain mean of one column, which allows the
            additive variance decomposition over units and seeds.
        digits: Decimals to print.
        worst: The score of a diverged trial, which is never dropped; without it, claims over a
            diverged trial get no verdict.
    """

    name: str
    columns: tuple[str, ...]
    reduce: Callable[[Columns], float]
    better: Literal["higher", "lower"]
    unit: str = ""
    additive: bool = False
    digits: int = 3
    worst: float | None = None

    def __call__(self, table: Columns) -> float:
        """The metric of a table that has (at least) this metric's columns."""
        return float(self.reduce({name: table[name] for name in self.columns}))


def _mean(column: str, columns: Columns) -> float:
    import numpy as np

    return float(np.mean(np.asarray(columns[column], dtype=np.float64)))


def mean_of(
    column: str,
    *,
    better: Literal["higher", "lower"],
    name: str = "",
    unit: str = "",
    digits: int = 3,
    worst: float | None = None,
) -> Metric:
    """The plain mean of one column (accuracy, log-probability, seconds)."""
    return Metric(
        name=name or column,
        columns=(column,),
        reduce=partial(_mean, column),
        better=better,
        unit=unit,
        additive=True,
        digits=digits,
        worst=worst,
    )
