"""Numbers for tables and figures: estimates with intervals, and what may be set in bold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from harness.claims import Cell, Contrast, Replication, difference
from harness.claims.findings import ALPHA, NotMeasuredError
from harness.evidence.coverage import NOTHING_SAID, Declared
from harness.evidence.inference import enough, infer
from harness.evidence.quantities import Quantity
from harness.evidence.series import Reader, shared_reader
from harness.store.answers import Coverage
from harness.store.records import Interval
from harness.store.view import RunView

MIN_SEEDS = 5


@dataclass(frozen=True)
class Estimate:
    """A number for a table or a figure.

    Attributes:
        interval: The estimate with its 95 % interval; without bounds for one replicate.
        seeds: Seeds behind it.
        units: Units of each seed, or blocks of a time.
        test: How the interval was made.
        trials: Ids of the trials it comes from.
        coverage: What the method answered of its evaluation sets; nothing for a contrast, which is
            not made over part of them.
    """

    interval: Interval
    seeds: int
    units: int
    test: str
    trials: tuple[str, ...]
    coverage: Coverage | None = None


_found: WeakKeyDictionary[Reader, dict[tuple[Cell | Contrast, Replication], Estimate]] = WeakKeyDictionary()
"""What was estimated of the runs read last."""


def estimate(
    view: RunView,
    quantity: Cell | Contrast,
    replication: Replication = Replication.SEEDS,
    said: Declared = NOTHING_SAID,
) -> Estimate:
    """A cell or a contrast of a finished run, with its interval.

    Results are remembered for the runs read last; the run is taken to be finished.

    Args:
        view: The run.
        quantity: What to measure.
        replication: What the interval is over.
        said: What the suite says of units, for the coverage.

    Raises:
        NotMeasuredError: If the run cannot give it; its message says why.
    """
    reader = shared_reader(view, said)
    found, key = _found.setdefault(reader, {}), (quantity, replication)
    if key not in found:
        contrast = Contrast(((1.0, quantity),)) if isinstance(quantity, Cell) else quantity
        found[key] = _estimate(Quantity(reader, contrast), replication)
    return found[key]


def _estimate(quantity: Quantity, replication: Replication) -> Estimate:
    inference = infer(quantity, replication, rng=np.random.default_rng(0), flips=False)
    return Estimate(
        interval=inference.interval,
        seeds=len({key.split("/")[0] for key in quantity.keys}),
        units=inference.units,
        test=inference.test,
        trials=quantity.trials,
        coverage=quantity.coverage if len(quantity.series) == 1 else None,
    )


def best_by_direction(
    view: RunView,
    cells: Sequence[Cell],
    replication: Replication = Replication.SEEDS,
    said: Declared = NOTHING_SAID,
) -> list[int]:
    """The cells that may be set in bold: better than every other, each difference tested.

    A cell wins if θ ≤ 0 is rejected for its difference to each other cell that was measured, and
    measured whole (an intersection of tests, so none is corrected), over at least five seeds, 50
    units or eight blocks. That leaves one winner or none.
    """
    reader = shared_reader(view, said)
    measured = [index for index, cell in enumerate(cells) if _is_measured(reader, cell)]
    if len(measured) < 2:
        return []
    return [
        index
        for index in measured
        if all(_beats(reader, cells[index], cells[j], replication) for j in measured if j != index)
    ]


def _beats(reader: Reader, cell: Cell, other: Cell, replication: Replication) -> bool:
    better, worse = (cell, other) if cell.metric.better == "higher" else (other, cell)
    try:
        quantity = Quantity(reader, difference(better, worse))
        inference = infer(quantity, replication, rng=np.random.default_rng(0), flips=False)
    except NotMeasuredError:
        return False
    p = inference.p_above(0.0)
    return p is not None and p <= ALPHA and enough(inference, quantity, replication, MIN_SEEDS) == ""


def _is_measured(reader: Reader, cell: Cell) -> bool:
    try:
        quantity = Quantity(reader, Contrast(((1.0, cell),)))
        quantity.refuse_partial()
        quantity.by_replicate()
    except NotMeasuredError:
        return False
    return True
