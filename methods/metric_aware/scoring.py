"""Rows of decisions: raw columns by item, from which all metrics are computed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.method import ProblemError
from methods.metric_aware.problem import Decisions

Floats = NDArray[np.float64]


def decision_rows(
    ids: Sequence[str], truth: Floats, found: Decisions, values: Sequence[float], threshold: float
) -> dict[str, Any]:
    """One row an item.

    Args:
        ids: Names of the items.
        truth: Their labels, shape (n,); they may lie between the values of the grid.
        found: The decisions.
        values: The grid; a decision hits if it is the value nearest to the label.
        threshold: The least label that counts as positive.

    Raises:
        ProblemError: If a decision is missing or no number.
    """
    if found.values.shape != (len(ids),) or not np.isfinite(found.values).all():
        raise ProblemError(
            f"{len(ids)} items need as many finite decisions; found {found.values.shape}, "
            f"{int((~np.isfinite(found.values)).sum())} of them no number",
            where="Decisions.values",
            fix="Decide for each item, in the order of `problem.test.ids`.",
        )
    grid = np.asarray(values)
    nearest = grid[np.abs(truth[:, None] - grid[None, :]).argmin(axis=1)]
    rows: dict[str, Any] = {
        "unit_id": list(ids),
        "truth": truth,
        "decision": found.values,
        "hit": np.isclose(found.values, nearest),
        "positive": truth >= threshold,
        "fallback": found.fallback,
    }
    if found.mass is not None:
        rows["mass"] = found.mass
    if found.exact is not None:
        rows["excess"] = np.square(found.values - found.exact)
    return rows


def law_rows(
    ids: Sequence[str], law: Floats, human: Floats | None, values: Sequence[float]
) -> dict[str, Any]:
    """One row an item about its distribution.

    Args:
        ids: Names of the items.
        law: Predictive distributions, shape (n, V).
        human: Distributions of the raters' labels, shape (n, V); None where only one label is known.
        values: The grid.

    Returns:
        Entropy in nats and spread (standard deviation); and the first Wasserstein distance to the
        raters, in units of the grid, with the spread among them.
    """
    grid = np.asarray(values)
    # Read-outs that do not normalise have rows that sum to less.
    law = law / law.sum(axis=1, keepdims=True)
    rows: dict[str, Any] = {
        "unit_id": list(ids),
        # The floor makes 0 · log 0 zero.
        "entropy": -(law * np.log(np.maximum(law, 1e-300))).sum(axis=1),
        "spread": _spread(law, grid),
    }
    if human is not None:
        gaps = np.abs((law - human).cumsum(axis=1)[:, :-1])
        rows["distance"] = gaps @ np.diff(grid)
        rows["human_spread"] = _spread(human, grid)
    return rows


def _spread(law: Floats, grid: Floats) -> Floats:
    mean = law @ grid
    found: Floats = np.sqrt(np.maximum(law @ np.square(grid) - np.square(mean), 0.0))
    return found


def fitted_rows(found: Decisions) -> dict[str, Any]:
    """What was fitted on held-out items."""
    return {"unit_id": list(found.fitted), "value": [float(one) for one in found.fitted.values()]}
