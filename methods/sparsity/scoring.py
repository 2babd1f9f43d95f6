"""What is measured of a trained model: metrics over unit rows, and the rows."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.method import Metric, mean_of
from harness.method.metric import Columns

if TYPE_CHECKING:
    from methods.sparsity.counting import Counts, LayerCounts

BINS = 15
"""Bins of the calibration error; the paper does not say how many it uses."""
RANKS = tuple(range(0, 101, 4))
"""Percentiles at which the sorted firing rates of a layer are kept."""
SPARSE_PERCENT = 10.0
RARE_PERCENT = 1.0

NNZ = mean_of("nnz", better="lower", name="non-zero entries", unit="%", digits=1, worst=100.0)
"""nnz%: the mean over layers (section 3.1 of the paper)."""
COUNT = mean_of("count", better="lower", name="non-zero entries a token", digits=1, worst=1e9)
TAIL_COUNT = mean_of(
    "count95", better="lower", name="95th percentile of entries a token", digits=0, worst=1e9
)
DEAD = mean_of("dead", better="lower", name="neurons that never fire", unit="%", digits=1, worst=100.0)
HIGHEST = mean_of("highest", better="lower", name="highest firing rate", unit="%", digits=1, worst=100.0)
BELOW_TEN = mean_of(
    "below_ten", better="higher", name="neurons that fire on < 10 %", unit="%", digits=1, worst=0.0
)
ABOVE_ONE = mean_of(
    "above_one", better="higher", name="neurons that fire on > 1 %", unit="%", digits=1, worst=0.0
)
RARE, RARER = (
    mean_of(
        f"rate{share:02d}",
        better="higher",
        name=f"{share}th percentile of firing rates",
        unit="%",
        digits=1,
        worst=0.0,
    )
    for share in (10, 5)
)
"""Firing rates that at most a tenth, or a twentieth, of the neurons stay below."""
RATE = mean_of("rate", better="lower", name="firing rate", unit="%", digits=2, worst=100.0)
GAP = mean_of(
    "gap",
    better="lower",
    name="largest difference between sets in a layer",
    unit="points",
    digits=1,
    worst=100.0,
)
LOSS = mean_of("loss", better="lower", name="cross-entropy", unit="nats", digits=3, worst=100.0)


def _percent(column: str, columns: Columns) -> float:
    return 100.0 * float(np.mean(np.asarray(columns[column], dtype=np.float64)))


ACCURACY = Metric(
    name="accuracy",
    columns=("correct",),
    reduce=partial(_percent, "correct"),
    better="higher",
    unit="%",
    digits=1,
    worst=0.0,
)


def _calibration(bins: int, columns: Columns) -> float:
    from methods.sparsity.calibration import expected_calibration_error

    return 100.0 * expected_calibration_error(columns["confidence"], columns["correct"], bins)


def calibration(bins: int = BINS) -> Metric:
    """Expected calibration error in points, equal-width bins."""
    return Metric(
        name="calibration error" if bins == BINS else f"calibration error ({bins} bins)",
        columns=("confidence", "correct"),
        reduce=partial(_calibration, bins),
        better="lower",
        unit="%",
        digits=1,
        worst=100.0,
    )


ECE = calibration()


def layer_rows(counts: Counts) -> dict[str, Any]:
    """One row a layer: percentages, counts and firing rates (in per cent)."""
    layers = counts.layers
    rates = [100.0 * layer.rates for layer in layers]
    return {
        "unit_id": [f"layer-{index:02d}" for index in range(len(layers))],
        "layer": list(range(len(layers))),
        "name": [layer.name for layer in layers],
        "nnz": [layer.nnz_percent for layer in layers],
        "count": [layer.mean_count for layer in layers],
        "count95": [layer.percentile(95) for layer in layers],
        "dead": [100.0 * layer.dead for layer in layers],
        "highest": [float(rate.max()) for rate in rates],
        "below_ten": [100.0 * float((rate < SPARSE_PERCENT).mean()) for rate in rates],
        "above_one": [100.0 * float((rate > RARE_PERCENT).mean()) for rate in rates],
        **{f"rate{share:02d}": [float(np.percentile(rate, share)) for rate in rates] for share in (5, 10)},
    }


def neuron_rows(layer: LayerCounts) -> dict[str, Any]:
    """Firing rates of one layer from the most to the least active neuron, at :data:`RANKS`."""
    found = np.percentile(100.0 * layer.rates, [100 - rank for rank in RANKS])
    return {
        "unit_id": [f"rank-{rank:03d}" for rank in RANKS],
        "rank": list(RANKS),
        "rate": found,
    }


def gap_row(train: Counts, test: Counts) -> dict[str, Any]:
    """The largest difference of a layer's percentage between two sets, in points."""
    gap = abs(train.nnz_percents - test.nnz_percents).max()
    return {"unit_id": ["layers"], "gap": [float(gap)]}
