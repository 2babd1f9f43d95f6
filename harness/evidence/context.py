"""A run as the forms of its claims see it: their questions measured."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import special

from harness.claims import Cell, Contrast, Replication
from harness.claims.findings import ALPHA, NotMeasuredError, flips_needed
from harness.claims.judging import JudgingContext, Pooled, Question, Sampling, Values
from harness.evidence.distributions import StudentDistribution, student
from harness.evidence.family import holm
from harness.evidence.inference import MIN_BLOCKS, MIN_UNITS, Inference, as_test, enough, infer
from harness.evidence.power import Spread, Supposed, collapsed, detectable, fewest, upper_sd
from harness.evidence.quantities import Quantity
from harness.evidence.ratio import Moments, fieller
from harness.evidence.series import Reader, Series, partial
from harness.evidence.uniformity import dkw_half_width, ks_distance
from harness.method.metric import Metric
from harness.store.records import Interval, TestRecord


@dataclass(frozen=True)
class MeasuredAnswer:
    """One question, measured.

    Attributes:
        question: What was asked.
        sampling: How θ varies, as declared.
        quantity: θ over the run.
        inference: What is known of it.
    """

    question: Question
    sampling: Sampling
    quantity: Quantity
    inference: Inference

    @property
    def effect(self) -> Interval:
        """The estimate with its 95 % interval."""
        return self.inference.interval

    @property
    def p_plus(self) -> float | None:
        """Small if θ lies where the claim needs it."""
        p = self.inference.p_above(self.question.lower)
        if p is None or self.question.upper is None:
            return p
        return max(p, self.inference.p_below(self.question.upper) or 0.0)

    @property
    def p_minus(self) -> float | None:
        """Small if θ lies where the claim falls."""
        sides = []
        if self.question.falls_below is not None:
            sides.append(self.inference.p_below(self.question.falls_below))
        if self.question.falls_above is not None:
            sides.append(self.inference.p_above(self.question.falls_above))
        known = [p for p in sides if p is not None]
        return min(known) if known else None

    @property
    def large_enough(self) -> bool:
        """Whether the estimate reaches the smallest effect that matters."""
        return self.question.size is None or self.inference.value >= self.question.size

    @property
    def trials(self) -> tuple[str, ...]:
        """Ids of the trials behind θ."""
        return self.quantity.trials

    @property
    def seeds(self) -> int:
        """Replicates that all cells share."""
        return len(self.quantity.keys)

    @property
    def lacking(self) -> str:
        """What it lacks for a verdict, or nothing."""
        return enough(self.inference, self.quantity, self.sampling.replication, self.sampling.least)

    def has_collapse(self, delta: float) -> bool:
        """Whether a trial diverged, or some seeds lie far from all others."""
        diverged = any(rows.worst is not None for item in self.quantity.series for rows in item.rows)
        return diverged or collapsed(np.array(self.inference.replicates), delta)

    @property
    def no_number(self) -> str:
        """Why no number of replicates can be named, or nothing."""
        replicates = "block" if self.inference.timed else "seed"
        if self.units is not None:
            return f"the replicates are the {self.units:,} units that the data have, and more seeds add none"
        if len(self.inference.replicates) < 2:
            return f"one {replicates} shows no spread between {replicates}s"
        return ""

    @property
    def units(self) -> int | None:
        """Units, where they are the replicates whatever is planned."""
        over_units = self.sampling.replication is Replication.UNITS and not self.inference.timed
        return self.inference.units if over_units else None

    @property
    def least(self) -> int:
        """Replicates below which there is no verdict."""
        if self.units is not None:
            return MIN_UNITS
        return max(self.sampling.least, MIN_BLOCKS if self.inference.timed else 2)

    @property
    def is_flat(self) -> bool:
        """Whether nothing varies between replicates, which are then held to the sign-flip test."""
        return self._spread.se(1) == 0

    @property
    def _spread(self) -> Spread:
        """With the upper 80 % bound of the standard deviation seen, and at least the noise floor."""
        if self.units is not None:
            return self._spread_of_units
        values = np.array(self.inference.replicates)
        seen = student(values)
        n = len(values)
        sd = upper_sd(seen.se * float(np.sqrt(n)), n - 1) if seen else 0.0
        sd = max(sd, self._floor)
        runs = self.sampling.paper_runs
        return Spread(sd, self.inference.unit_variance + (sd**2 / runs if runs else 0.0))

    @property
    def _floor(self) -> float:
        return _floor(self.question, self.sampling)

    @property
    def _spread_of_units(self) -> Spread:
        """As if each unit were a replicate: the bootstrap's standard error is that of their mean."""
        n, known = self.inference.units, self.inference.distribution
        return Spread(upper_sd(known.se * float(np.sqrt(n)), n - 1) if known else 0.0)

    @property
    def units_stay(self) -> bool:
        """Whether a part of the variance comes from units, which more seeds do not reduce."""
        return self.inference.unit_variance > 0

    def answers_at(self, truth: float) -> bool:
        """Whether it passes if θ is ``truth``; otherwise it can only fall."""
        asked = self.question
        return truth > asked.lower and (asked.upper is None or truth < asked.upper)

    def needed(self, truth: float, alpha: float, power: float) -> int | None:
        """Replicates that would answer it, whatever the estimate; ``None`` if more than are proposed."""
        supposed, spread = self._supposed(truth, alpha), self._spread
        asks = supposed.passes if self.answers_at(truth) else supposed.falls
        least = max(self.least, self._flips(alpha))
        return fewest(functools.partial(asks, spread=spread), power, least)

    def detectable(self, n: int, alpha: float, power: float) -> float | None:
        """The θ nearest to its threshold that ``n`` replicates show; ``None`` if they show none."""
        return detectable(self._supposed(self.question.lower, alpha), n, self._spread, power)

    def _supposed(self, truth: float, alpha: float) -> Supposed:
        asked = self.question
        return Supposed(
            truth,
            alpha,
            lower=asked.lower,
            upper=_or(asked.upper, np.inf),
            size=_or(asked.size, -np.inf),
            below=_or(asked.falls_below, -np.inf),
            above=_or(asked.falls_above, np.inf),
        )

    def _flips(self, alpha: float) -> int:
        """Equal replicates that sign flips need, where the replicates are equal."""
        found = self.inference.distribution
        equal = isinstance(found, StudentDistribution) and found.equal
        return flips_needed(alpha) if equal else 0

    def record(self) -> TestRecord:
        """The record of this test, not yet corrected."""
        return as_test(self.question.label, self.quantity, self.inference, self.p_plus, self.p_minus)


@dataclass(frozen=True)
class RunContext(JudgingContext):
    """A run that is judged.

    Attributes:
        reader: The run.
        rng: For bootstrap samples and sign flips.
        reported: The paper's numbers by id.
        family: By how many the level is divided for the claim at hand, for the number of seeds still needed.
        looks: Looks that the run may take, for the same.
    """

    reader: Reader
    rng: np.random.Generator
    reported: Mapping[str, float | None]
    family: int = 1
    looks: int = 1

    def ask(self, questions: Sequence[Question], sampling: Sampling) -> list[MeasuredAnswer]:
        """Measure the quantities of all questions.

        Raises:
            NotMeasuredError: If the run cannot give one of them.
        """
        return [self._answer(question, sampling) for question in questions]

    def _answer(self, question: Question, sampling: Sampling) -> MeasuredAnswer:
        if not question.theta.terms:
            raise NotMeasuredError(
                f"Nothing is left to measure in '{question.label}': its cells cancel.", kind="mismatch"
            )
        quantity = self._quantity(question.theta)
        floor = _floor(question, sampling)
        inference = infer(
            quantity, sampling.replication, rng=self.rng, noise_floor=floor, threshold=question.lower
        )
        if sampling.paper_runs:
            inference = _with_paper_noise(inference, sampling.paper_runs, floor)
        return MeasuredAnswer(question, sampling, quantity, inference)

    def _quantity(self, theta: Contrast) -> Quantity:
        quantity = Quantity(self.reader, theta)
        quantity.refuse_partial()
        return quantity

    def values(self, theta: Contrast) -> Values:
        """A quantity in each replicate."""
        quantity = self._quantity(theta)
        values = quantity.by_replicate()
        cells = tuple(float(row.mean()) for row in quantity.cell_values())
        return Values(tuple(values.tolist()), float(values.mean()), cells, quantity.size, quantity.trials)

    def pooled(self, cell: Cell, columns: tuple[str, ...]) -> Pooled:
        """Columns of a cell's rows, all seeds together; the cell's own metric is not asked.

        Raises:
            NotMeasuredError: As :meth:`Reader.series`; also for a diverged trial, which has no rows.
        """
        metric = Metric("rows", columns, _nothing, "higher")
        series = self.reader.series(
            Cell(cell.experiment, cell.method, metric, cell.task, cell.part, cell.where)
        )
        series.note_by_unit()
        found = {name: np.concatenate([rows.columns[name] for rows in series.rows]) for name in columns}
        readable = {name: _readable(cell, name, column, series) for name, column in found.items()}
        lacking = partial(cell, series.coverage, series.partial).what if series.partial else ""
        return Pooled(readable, series.trials, lacking)

    def ratio(
        self, label: str, top: Contrast, bottom: Contrast, gap: Contrast, replication: Replication
    ) -> TestRecord:
        """The ratio of two quantities with Fieller's interval."""
        over, under, both = (
            infer(Quantity(self.reader, theta), replication, rng=self.rng) for theta in (top, bottom, gap)
        )
        known = [
            x.distribution for x in (over, under, both) if isinstance(x.distribution, StudentDistribution)
        ]
        bounds = None
        if len(known) == 3:
            var_top, var_bottom, var_gap = (distribution.se**2 for distribution in known)
            # Var(top − bottom) holds the covariance.
            covariance = (var_top + var_bottom - var_gap) / 2
            moments = Moments(over.value, under.value, var_top, var_bottom, covariance)
            bounds = fieller(
                moments, float(special.stdtrit(min(distribution.df for distribution in known), 1 - ALPHA))
            )
        value = over.value / under.value if under.value else float("nan")
        low, high = bounds or (None, None)
        return TestRecord(
            label=label,
            effect=Interval(value=value, low=low, high=high),
            test="Fieller's interval",
            seeds=len(over.replicates),
            units=over.units,
        )

    def uniformity(self, values: NDArray[np.float64], level: float) -> tuple[float, float]:
        """The Kolmogorov-Smirnov distance from uniformity, and its DKW half-width."""
        return ks_distance(values), dkw_half_width(len(values), level)

    def corrected(self, p_values: Sequence[float | None]) -> list[float | None]:
        """Holm's adjusted p-values."""
        return holm(p_values)


def _floor(question: Question, sampling: Sampling) -> float:
    """The noise floor of a question: a step of a trend is as noisy as its width times the slope."""
    return sampling.noise_floor * question.scale


def _with_paper_noise(inference: Inference, paper_runs: int, floor: float) -> Inference:
    """Add the paper's own noise, taken to be as large: the standard error becomes s·√(1/n + 1/n_paper)."""
    if not isinstance(inference.distribution, StudentDistribution):
        return inference
    variance = max(float(np.var(inference.replicates, ddof=1)), floor**2) / paper_runs
    distribution = replace(inference.distribution, se=float(np.sqrt(inference.distribution.se**2 + variance)))
    return replace(inference, distribution=distribution, test=f"{inference.test}, with the paper's noise")


def _or(limit: float | None, otherwise: float) -> float:
    return otherwise if limit is None else limit


def _nothing(_: Mapping[str, object]) -> float:
    return float("nan")


def _readable(cell: Cell, name: str, column: NDArray[np.generic], series: Series) -> NDArray[np.generic]:
    """The column, if it can be read as what its name says: numbers, but for names of cases."""
    try:
        return column if name == "case" else column.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise NotMeasuredError(
            f"The column {name} of '{cell.method}' holds something else than numbers",
            kind="mismatch",
            trials=series.trials,
        ) from error
