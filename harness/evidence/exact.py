"""The rules that need no test of a mean: exact properties, sampler law, existence and counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.claims import Cell, CountCost, Exact, Existence, SamplerLaw
from harness.claims.labels import cell_label, contrast_label
from harness.evidence.findings import Finding, Settled, not_measured
from harness.evidence.quantities import Quantity
from harness.evidence.rows import NotMeasuredError
from harness.evidence.series import Reader, Series, partial
from harness.evidence.uniformity import dkw_half_width, ks_distance
from harness.evidence.wording import count, number
from harness.method.metric import Metric
from harness.store.records import Interval, TestRecord

_EXACT_COLUMNS = ("error", "tolerance", "case", "confirmed")


def _nothing(_: Mapping[str, object]) -> float:
    return float("nan")


@dataclass(frozen=True)
class Pooled:
    """The rows of one cell over all its trials.

    Attributes:
        columns: As they are named.
        trials: Ids of the trials.
        lacking: What of the cell's units is not among them, in words.
    """

    columns: Mapping[str, NDArray[np.generic]]
    trials: tuple[str, ...]
    lacking: str = ""


def pooled(reader: Reader, cell: Cell, names: tuple[str, ...]) -> Pooled:
    """Columns of a cell's rows, all seeds together; the cell's own metric is not asked.

    Raises:
        NotMeasuredError: As :meth:`Reader.series`; also for a diverged trial, which has no rows.
    """
    metric = Metric("rows", names, _nothing, "higher")
    series = reader.series(Cell(cell.experiment, cell.method, metric, cell.task, cell.part, cell.where))
    columns = {name: np.concatenate([rows.columns[name] for rows in series.rows]) for name in names}
    readable = {name: _readable(cell, name, column, series) for name, column in columns.items()}
    lacking = partial(cell, series.coverage, series.partial).what if series.partial else ""
    return Pooled(readable, series.trials, lacking)


def _whole(settled: Settled, tables: Sequence[Pooled]) -> Settled:
    """What held in some of the cases only has not been seen to hold; what broke is broken."""
    lacking = [table.lacking for table in tables if table.lacking]
    if settled.verdict != "reproduced" or not lacking:
        return settled
    return Settled("not comparable", f"{'; '.join(lacking)}.")


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


def examine_exact(form: Exact, reader: Reader) -> Finding:
    """In every case the error is within its tolerance; a counterexample needs its oracle."""
    try:
        tables = [pooled(reader, cell, _EXACT_COLUMNS) for cell in form.cells]
    except NotMeasuredError as error:
        return Finding(settled=not_measured(error), trials=error.trials)
    tests = tuple(_exact_record(cell, table) for cell, table in zip(form.cells, tables, strict=True))
    trials = tuple(dict.fromkeys(trial for table in tables for trial in table.trials))
    return Finding(tests=tests, trials=trials, settled=_whole(_settle_exact(form, tables), tables))


def _settle_exact(form: Exact, tables: Sequence[Pooled]) -> Settled:
    cases = sum(len(table.columns["error"]) for table in tables)
    broken, confirmed = [], []
    for table in tables:
        beyond = _beyond(table)
        broken += table.columns["case"][beyond].tolist()
        confirmed += table.columns["case"][beyond & table.columns["confirmed"].astype(bool)].tolist()
    if confirmed:
        return Settled(
            "not reproduced",
            f"A counterexample in {len(confirmed)} of {count(cases, 'case')}, confirmed by {form.oracle}: "
            f"{confirmed[0]}.",
        )
    if broken:
        return Settled(
            "inconclusive",
            f"{count(len(broken), 'case')} beyond tolerance, not confirmed by {form.oracle}: {broken[0]}.",
            "invalid",
        )
    if cases < form.min_cases:
        return Settled("inconclusive", f"Only {cases} of at least {form.min_cases} cases.", "power")
    return Settled("reproduced", f"Held in {count(cases, 'case')}, checked by {form.oracle}.")


def _beyond(table: Pooled) -> NDArray[np.bool_]:
    """Cases whose error is not within tolerance; an error that is no number is beyond any."""
    error = table.columns["error"].astype(np.float64)
    return np.asarray(~(np.abs(error) <= table.columns["tolerance"].astype(np.float64)))


def _exact_record(cell: Cell, table: Pooled) -> TestRecord:
    error = np.abs(table.columns["error"].astype(np.float64))
    at = int(np.argmax(np.nan_to_num(error, nan=np.inf)))
    tolerance = float(table.columns["tolerance"].astype(np.float64)[at])
    return TestRecord(
        label=f"largest error of {cell.method}",
        effect=Interval(value=float(error[at])),
        test=f"within its tolerance of {number(tolerance)}",
        seeds=len(table.trials),
        units=len(error),
    )


def examine_law(form: SamplerLaw, reader: Reader) -> Finding:
    """PIT values are uniform at every depth: KS distance + DKW half-width ≤ margin."""
    try:
        rows = pooled(reader, form.cell, ("depth", "pit"))
    except NotMeasuredError as error:
        return Finding(settled=not_measured(error), trials=error.trials)
    depth = rows.columns["depth"].astype(np.int64)
    pit = rows.columns["pit"].astype(np.float64)
    bands = [_band(d, pit[depth == d]) for d in range(1, form.depths + 1)]
    settled, tests, trials = _settle_law(form, bands), tuple(band.record() for band in bands), rows.trials
    settled = _whole(settled, [rows])
    if form.exact:
        exact = examine_exact(Exact(cells=form.exact, oracle="exact enumeration"), reader)
        tests, trials = (*exact.tests, *tests), (*exact.trials, *trials)
        if exact.settled is not None and exact.settled.verdict != "reproduced":
            settled = _worse(exact.settled, settled)
    return Finding(tests=tests, trials=trials, settled=settled)


@dataclass(frozen=True)
class Band:
    """The distance from uniformity at one depth, with its 95 % half-width."""

    depth: int
    tokens: int
    distance: float
    half_width: float

    def record(self) -> TestRecord:
        """The record of this depth."""
        low, high = max(0.0, self.distance - self.half_width), self.distance + self.half_width
        known = self.tokens > 0
        return TestRecord(
            label=f"distance from uniformity at depth {self.depth}",
            effect=Interval(value=self.distance, low=low if known else None, high=high if known else None),
            test="Kolmogorov-Smirnov with the DKW band",
            units=self.tokens,
        )


def _band(depth: int, pit: NDArray[np.float64]) -> Band:
    if not len(pit):
        return Band(depth, 0, float("nan"), float("nan"))
    if not np.all((pit >= 0) & (pit <= 1)):
        return Band(depth, len(pit), 1.0, dkw_half_width(len(pit)))
    return Band(depth, len(pit), ks_distance(pit), dkw_half_width(len(pit)))


def _settle_law(form: SamplerLaw, bands: Sequence[Band]) -> Settled:
    # Any depth may reject, so each is held to a share of the level.
    broken = [
        band
        for band in bands
        if band.tokens and band.distance - dkw_half_width(band.tokens, 0.05 / form.depths) > form.margin
    ]
    if broken:
        worst = max(broken, key=lambda band: band.distance)
        return Settled(
            "not reproduced",
            f"At depth {worst.depth} the samples are {number(worst.distance)} from the target's law, "
            f"beyond the margin {number(form.margin)}.",
        )
    few = [band for band in bands if band.tokens < form.min_tokens]
    if few:
        least = min(few, key=lambda band: band.tokens)
        return Settled(
            "inconclusive",
            f"Only {least.tokens} of at least {form.min_tokens} tokens at depth {least.depth}.",
            "power",
        )
    widest = max(bands, key=lambda band: band.distance + band.half_width)
    bound = widest.distance + widest.half_width
    if bound <= form.margin:
        return Settled(
            "reproduced",
            f"At all {form.depths} depths within {number(bound)} of the target's law "
            f"(margin {number(form.margin)}).",
        )
    return Settled(
        "inconclusive",
        f"At depth {widest.depth} the bound {number(bound)} exceeds the margin {number(form.margin)}.",
        "power",
    )


def _worse(left: Settled, right: Settled) -> Settled:
    """The one further from holding."""
    order = ["not reproduced", "not comparable", "inconclusive", "not run", "reproduced"]
    return min(left, right, key=lambda settled: order.index(settled.verdict))


def examine_existence(form: Existence, reader: Reader) -> Finding:
    """One witness that an oracle has checked is enough; none is no proof against it."""
    try:
        rows = pooled(reader, form.cell, ("witness", "confirmed", "case"))
    except NotMeasuredError as error:
        return Finding(settled=not_measured(error), trials=error.trials)
    found = rows.columns["witness"].astype(bool) & rows.columns["confirmed"].astype(bool)
    cases = len(found)
    record = TestRecord(
        label=f"confirmed witnesses of {form.cell.method}",
        effect=Interval(value=float(found.sum())),
        test="counted",
        seeds=len(rows.trials),
        units=cases,
    )
    if found.any():
        first = rows.columns["case"][found][0]
        settled = Settled("reproduced", f"A witness, confirmed by {form.oracle}: {first}.")
    else:
        settled = Settled(
            "inconclusive", f"No witness that {form.oracle} confirms in {count(cases, 'case')}.", "no witness"
        )
    return Finding(tests=(record,), trials=rows.trials, settled=settled)


def examine_count(form: CountCost, reader: Reader) -> Finding:
    """A deterministic count: θ ≥ δ in every seed."""
    try:
        quantity = Quantity(reader, form.theta)
        quantity.refuse_partial()
        theta = quantity.by_replicate()
    except NotMeasuredError as error:
        return Finding(settled=not_measured(error), trials=error.trials)
    value = Interval(value=float(theta.mean()), low=float(theta.min()), high=float(theta.max()))
    record = TestRecord(
        label=contrast_label(form.theta),
        effect=value,
        test="counted; the interval is the range over seeds",
        seeds=len(theta),
        units=quantity.size,
        cells=[Interval(value=float(row.mean())) for row in quantity.cell_values()],
        cell_labels=[cell_label(item.cell) for item in quantity.series],
        replicates=theta.tolist(),
    )
    reached = int(np.sum(theta >= form.delta))
    phrase = f"{record.label} is at least {number(form.delta)} in {reached} of {count(len(theta), 'seed')}"
    if reached == len(theta):
        settled = Settled("reproduced", f"{phrase}.")
    elif reached == 0:
        settled = Settled("not reproduced", f"{phrase}.")
    else:
        settled = Settled("inconclusive", f"{phrase}, so it is not a fixed count.", "invalid")
    return Finding(tests=(record,), trials=quantity.trials, settled=settled)
