"""Estimates for tables and figures, from the evidence package."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.claims import Cell, Contrast, Replication
from harness.store.view import RunView


@dataclass(frozen=True)
class Estimate:
    """An estimate with its 95 % interval and what it rests on.

    Attributes:
        value: The estimate, in the unit of its metric.
        low: Lower end; ``None`` where no interval can be computed (one seed, zero units).
        high: Upper end.
        seeds: Number of seeds or blocks.
        units: Number of units.
    """

    value: float
    low: float | None = None
    high: float | None = None
    seeds: int = 0
    units: int = 0


def measure(view: RunView, quantity: Cell | Contrast, replication: Replication) -> Estimate:
    """The estimate of a cell or contrast."""
    from harness.evidence import estimate

    found = estimate(view, quantity, replication)
    return Estimate(
        found.interval.value, found.interval.low, found.interval.high, found.seeds, found.units
    )


def best_of(view: RunView, cells: Sequence[Cell], replication: Replication) -> tuple[int, ...]:
    """Positions of the cells whose differences to every other one pass the direction rule."""
    from harness.evidence import best_by_direction

    return tuple(best_by_direction(view, cells, replication))
