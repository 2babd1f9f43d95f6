"""From a quantity and its declared replication to an estimate, an interval and p-values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.claims import Replication
from harness.claims.findings import NotMeasuredError
from harness.claims.labels import cell_label
from harness.claims.ratios import ratio_of
from harness.evidence.crossed import (
    additive,
    crossed_distribution,
    jackknife_variance,
    jackknifed,
)
from harness.evidence.distributions import (
    Floats,
    SamplingDistribution,
    StudentDistribution,
    bca,
    sign_flip,
    sign_flip_of_many,
    student,
)
from harness.evidence.quantities import Quantity
from harness.evidence.unit_sets import Positions
from harness.store.records import Interval, TestRecord
from harness.text import plural

MIN_UNITS = 50
"""Units (or clusters) that a verdict over units needs."""

MIN_BLOCKS = 8
"""Timed blocks that a verdict needs."""

MIN_BOOTSTRAP = 20
"""Below this many units the bootstrap covers too little; the jackknife's t takes its place."""

_RESAMPLES = 9999
_COSTLY_RESAMPLES = 1999
_GROUPS = 50
_MANY_SEEDS = 50
"""Replicates above which sign flips are drawn by our own code: SciPy needs a second for some hundreds."""


@dataclass(frozen=True)
class Inference:
    """What is known of θ.

    Attributes:
        value: The estimate.
        distribution: Its sampling distribution, or ``None`` if there is only one replicate.
        test: Name of the test.
        replicates: θ of each seed or block.
        units: Units behind each replicate.
        unit_variance: The part of the estimate's variance that more seeds do not reduce.
        p_sign_flip: One-sided p of θ ≤ threshold by sign-flip, as a check.
        timed: Whether the replicates are blocks.
    """

    value: float
    distribution: SamplingDistribution | None
    test: str
    replicates: tuple[float, ...]
    units: int
    unit_variance: float = 0.0
    p_sign_flip: float | None = None
    timed: bool = False

    @property
    def interval(self) -> Interval:
        """The estimate with its 95 % interval."""
        if self.distribution is None:
            return Interval(value=self.value)
        low, high = self.distribution.interval()
        return Interval(value=self.value, low=low, high=high)

    def p_above(self, threshold: float) -> float | None:
        """One-sided p of θ ≤ ``threshold``, if a distribution is known."""
        return None if self.distribution is None else self.distribution.p_above(threshold)

    def p_below(self, threshold: float) -> float | None:
        """One-sided p of θ ≥ ``threshold``, if a distribution is known."""
        return None if self.distribution is None else self.distribution.p_below(threshold)


def infer(
    quantity: Quantity,
    replication: Replication,
    *,
    rng: np.random.Generator,
    noise_floor: float = 0.0,
    threshold: float = 0.0,
    flips: bool = True,
) -> Inference:
    """The estimate of θ under the declared replication.

    Timed quantities are replicated by block, whatever is declared. Where each seed draws units
    of its own, crossed replication falls back to seeds: their spread holds that of the units.

    Args:
        quantity: θ over a run.
        replication: As declared.
        rng: Draws bootstrap samples and sign flips.
        noise_floor: Replaces a smaller standard deviation of θ between seeds.
        threshold: What the sign-flip check tests θ against.
        flips: Whether the sign-flip check is made, which takes longer than all else over many seeds.

    Raises:
        NotMeasuredError: If rows cannot be paired, or a metric gives no number.
    """
    options = InferenceOptions(rng, noise_floor, threshold, flips)
    if quantity.timed:
        return _by_replicate(quantity, options, "t over blocks")
    if replication is Replication.SEEDS:
        return _by_replicate(quantity, options, "t over seeds")
    if quantity.nested():
        if replication is Replication.UNITS:
            raise NotMeasuredError(
                "Each seed has units of its own, so seeds are the replicates", kind="mismatch"
            )
        return _by_replicate(quantity, options, "t over seeds with units of their own")
    if replication is Replication.UNITS:
        return _over_units(quantity, options)
    if len(quantity.keys) < 2 or min(group.size for group in quantity.groups()) < 2:
        return _by_replicate(quantity, options, "t over seeds")
    return _crossed(quantity, options)


@dataclass(frozen=True)
class InferenceOptions:
    """The settings of one inference, as :func:`infer` was given them."""

    rng: np.random.Generator
    noise_floor: float
    threshold: float
    flips: bool

    def sign_flip(self, values: Floats) -> float | None:
        """One-sided p of θ ≤ threshold by flipping signs, if it is asked for."""
        return sign_flip(values - self.threshold, self.rng) if self.flips else None

    def sign_flip_of_replicates(self, values: Floats) -> float | None:
        """The same for replicates, which may be hundreds."""
        if not self.flips or len(values) <= _MANY_SEEDS:
            return self.sign_flip(values)
        return sign_flip_of_many(values - self.threshold, self.rng)


def _by_replicate(quantity: Quantity, options: InferenceOptions, name: str) -> Inference:
    theta = quantity.by_replicate()
    distribution = student(theta, options.noise_floor)
    return Inference(
        value=float(np.mean(theta)),
        distribution=distribution,
        test=f"{name} ({len(theta) - 1} df)" if distribution else "one replicate",
        replicates=tuple(theta.tolist()),
        units=quantity.size,
        p_sign_flip=options.sign_flip_of_replicates(theta) if distribution else None,
        timed=quantity.timed,
    )


def _crossed(quantity: Quantity, options: InferenceOptions) -> Inference:
    theta = quantity.by_replicate()
    value = float(np.mean(theta))
    if quantity.additive:
        matrices = quantity.unit_matrices()
        variances, rule = additive(matrices, options.noise_floor), "max-rule"
    else:
        left_out = _leave_out(quantity)
        variances, rule = jackknifed(left_out, theta, options.noise_floor), "jackknife"
    distribution = crossed_distribution(value, variances, len(theta))
    return Inference(
        value=value,
        distribution=distribution,
        test=f"t over units and seeds, {rule} ({distribution.df:.1f} df)",
        replicates=tuple(theta.tolist()),
        units=quantity.size,
        unit_variance=variances.units,
        p_sign_flip=options.sign_flip_of_replicates(theta),
    )


def _over_units(quantity: Quantity, options: InferenceOptions) -> Inference:
    theta = quantity.by_replicate()
    value = float(np.mean(theta))
    units = quantity.size
    if min(group.size for group in quantity.groups()) < 2:
        return Inference(value, None, "one unit", tuple(theta.tolist()), units)
    if quantity.additive:
        means = [matrix.mean(axis=1) for matrix in quantity.unit_matrices()]
        samples = sum((_resampled_means(values, options.rng) for values in means), np.zeros(_RESAMPLES))
        left_out = [(values.sum() - values) / max(len(values) - 1, 1) for values in means]
        check = options.sign_flip(means[0]) if len(means) == 1 else None
    else:
        samples = _resampled(quantity, options.rng)
        left_out = _leave_out(quantity)
        check = None
    distribution, test = _unit_distribution(value, samples, left_out, units)
    return Inference(value, distribution, test, tuple(theta.tolist()), units, p_sign_flip=check)


def _unit_distribution(
    value: float, samples: Floats, left_out: Sequence[Floats], units: int
) -> tuple[SamplingDistribution, str]:
    if units >= MIN_BOOTSTRAP:
        away = np.concatenate([values - values.mean() for values in left_out])
        return bca(value, samples, away, units), f"paired BCa bootstrap over {units} units"
    se = float(np.sqrt(sum(jackknife_variance(values) for values in left_out)))
    return StudentDistribution(
        value, se, units - 1, units
    ), f"jackknife t over {units} units ({units - 1} df)"


def _resampled_means(values: Floats, rng: np.random.Generator) -> Floats:
    """Means of bootstrap samples, in chunks that fit the cache."""
    n, chunk = len(values), max(1, 2_000_000 // len(values))
    parts = [
        values[rng.integers(0, n, size=(min(chunk, _RESAMPLES - start), n))].mean(axis=1)
        for start in range(0, _RESAMPLES, chunk)
    ]
    return np.concatenate(parts)


def _resampled(quantity: Quantity, rng: np.random.Generator) -> Floats:
    """θ̂ on bootstrap samples of units, the same sample for all cells that share units."""
    groups = quantity.groups()
    samples = np.empty(_COSTLY_RESAMPLES)
    for i in range(_COSTLY_RESAMPLES):
        chosen: dict[int, Positions] = {}
        for group in groups:
            drawn = rng.integers(0, group.size, size=group.size)
            chosen |= dict.fromkeys(group.cells, drawn)
        samples[i] = quantity.by_replicate(chosen).mean()
    return samples


def _leave_out(quantity: Quantity) -> list[Floats]:
    """θ̂ with one of at most 50 groups of units left out, for each independent set of units."""
    result = []
    for group in quantity.groups():
        folds = np.arange(group.size) % min(_GROUPS, group.size)
        values = [
            quantity.by_replicate(dict.fromkeys(group.cells, np.flatnonzero(folds != fold))).mean()
            for fold in np.unique(folds)
        ]
        result.append(np.array(values))
    return result


def enough(inference: Inference, quantity: Quantity, replication: Replication, least: int) -> str:
    """Nothing if there are replicates enough for a verdict, else what is lacking."""
    if quantity.timed:
        blocks, wanted = len(quantity.keys), max(least, MIN_BLOCKS)
        return "" if blocks >= wanted else f"{blocks} blocks of at least {wanted}"
    if replication is Replication.UNITS:
        return "" if inference.units >= MIN_UNITS else f"{inference.units} units of at least {MIN_UNITS}"
    seeds = quantity.keys
    named = f"{plural(len(seeds), 'seed')} ({', '.join(seeds)})" if seeds else "no seeds"
    return "" if len(seeds) >= least else f"{named} of at least {least}"


def as_test(
    label: str, quantity: Quantity, inference: Inference, p_plus: float | None, p_minus: float | None
) -> TestRecord:
    """The record of one tested quantity, with the cells that enter it."""
    values = quantity.cell_values()
    distributions = [student(row) for row in values]
    return TestRecord(
        label=label,
        effect=inference.interval,
        test=inference.test,
        p_plus=p_plus,
        p_minus=p_minus,
        p_sign_flip=inference.p_sign_flip,
        seeds=len({key.split("/")[0] for key in quantity.keys}),
        units=inference.units,
        cells=[
            Inference(float(row.mean()), distribution, "", (), 0).interval
            for row, distribution in zip(values, distributions, strict=True)
        ],
        cell_labels=[cell_label(item.cell) for item in quantity.series],
        replicates=list(inference.replicates),
        ratio=ratio_of(quantity.contrast, label),
    )
