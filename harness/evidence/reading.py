"""What verdicts, reports and comparisons read of a run: that much committed results must keep."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from harness.claims import Cell
from harness.claims.findings import NotMeasuredError
from harness.declared import cell_key
from harness.evidence.compare import quantities_of
from harness.evidence.coverage import declared
from harness.evidence.inference import infer
from harness.evidence.quantities import Quantity
from harness.evidence.series import Reader, Series, shared_reader
from harness.evidence.tuning_scores import kept_score, score_key
from harness.plan.displayed import made_for
from harness.store.kept import KeptCell, KeptValue
from harness.store.packing import EvaluationSet, Reading
from harness.store.records import TrialRecord
from harness.store.view import TIMED_METHOD, RunView, main_trials
from harness.suite import SampleView, Scale, Suite, Tuned

TIMES = "time"
"""The part that timed trials write."""

Wants = Iterator[tuple[EvaluationSet, frozenset[str]]]


def reading_of(suite: Suite, scale: Scale, view: RunView) -> Reading:
    """What was read of a run that has been judged and reported on, and what comparisons would read.

    Args:
        suite: The declarations.
        scale: Of the run.
        view: The very view that verdicts and report were made from: they noted what they read.
    """
    reader = shared_reader(view, declared(suite, scale))
    _compared(suite, scale, reader)
    cells = {cell: found for cell, found in reader.found.items() if _is_of_rows(found)}
    tuned = list(_tuning_trials(suite, scale, view))
    scores = {
        score_key(item.select, record, item.part): kept_score(view, item.select, record, item.part)
        for record, item in tuned
    }
    grids = [((record.trial, item.part), frozenset(item.select.columns)) for record, item in tuned]
    return Reading(
        cells={**{cell_key(cell): _kept(found) for cell, found in cells.items()}, **scores},
        needed=_merged([*_rows_of_cells(reader, reader.by_unit), *_rows_shown(suite, scale, view)]),
        useful=_merged([*_rows_of_cells(reader, set(cells) - reader.by_unit), *grids]),
    )


def _compared(suite: Suite, scale: Scale, reader: Reader) -> None:
    """Read what a later run would be compared in, under its declared replication."""
    for claim in suite.claims:
        for _, theta, replication in quantities_of(claim.forms.get(scale.profile)):
            try:
                infer(Quantity(reader, theta), replication, rng=np.random.default_rng(0), flips=False)
            except NotMeasuredError:
                continue  # A run that cannot give it is compared in other things.


def _is_of_rows(found: Series | NotMeasuredError) -> bool:
    """Whether rows decide what a cell gave; the rest is known from the records of trials."""
    return isinstance(found, Series) or found.kind not in ("blocked", "unplanned", "missing")


def _kept(found: Series | NotMeasuredError) -> KeptCell:
    if isinstance(found, NotMeasuredError):
        return KeptCell((), found.what, found.kind, found.trials)
    seeds = [int(trial.rpartition("/")[2]) for trial in found.trials]
    covered = dict(zip(seeds, found.covered, strict=True))
    values = []
    for at, (key, rows) in enumerate(zip(found.keys, found.rows, strict=True)):
        if rows.worst is None:  # That a trial diverged is in its record.
            value, fault = _value(found, at)
            seed = int(key.partition("/")[0])
            values.append(KeptValue(key, value, fault, rows.size, rows.unit_set, covered[seed]))
    return KeptCell(tuple(values))


def _value(series: Series, at: int) -> tuple[float | None, str]:
    try:
        return series.value(at), ""
    except NotMeasuredError as error:
        return None, error.what


def _rows_of_cells(reader: Reader, cells: set[Cell]) -> Wants:
    for cell in cells:
        found = reader.found[cell]
        if not isinstance(found, Series):
            continue
        columns = frozenset({*cell.metric.columns, *(name for name, _ in cell.where)})
        for trial in found.trials:
            if reader.view.trials[trial].status == "ok":
                yield (trial, cell.part), columns


def _rows_shown(suite: Suite, scale: Scale, view: RunView) -> Wants:
    """Rows that reports show one by one; and which arms were timed."""
    for name, record in view.trials.items():
        if record.status == "ok" and record.method == TIMED_METHOD and TIMES in record.parts:
            yield (name, TIMES), frozenset()
    for shown in made_for(suite.sample_views, scale.profile):
        if trial := _first_trial(shown, view):
            yield (trial, shown.part), frozenset(view.table(trial, shown.part))


def _tuning_trials(suite: Suite, scale: Scale, view: RunView) -> Iterator[tuple[TrialRecord, Tuned]]:
    """The finished tuning trials, whose scores reports print, each with the declaration of its grid."""
    methods = {(e.id, name): method for e in suite.experiments(scale) for name, method in e.methods.items()}
    for record in view.trials.values():
        tuned = methods.get((record.experiment, record.method))
        finished = record.stage == "tune" and record.status == "ok"
        if finished and isinstance(tuned, Tuned) and tuned.part in record.parts:
            yield record, tuned


def _first_trial(shown: SampleView, view: RunView) -> str:
    """The trial whose rows a sample view shows; empty if the run has none."""
    for trial in main_trials(view.record.planned):
        place = (trial.experiment, trial.method)
        if place == (shown.experiment, shown.method) and shown.task in ("", trial.task):
            record = view.trials.get(trial.id)
            return trial.id if record and record.status == "ok" and shown.part in record.parts else ""
    return ""


def _merged(wants: Iterable[tuple[EvaluationSet, frozenset[str]]]) -> dict[EvaluationSet, frozenset[str]]:
    merged: dict[EvaluationSet, frozenset[str]] = {}
    for place, columns in wants:
        merged[place] = merged.get(place, frozenset()) | columns
    return merged
