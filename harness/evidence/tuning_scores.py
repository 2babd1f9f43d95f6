"""The selected metric of tuning trials, from their rows or from what committed results keep of them."""

from __future__ import annotations

from harness.claims import Cell
from harness.claims.findings import NotMeasuredError
from harness.declared import cell_key
from harness.errors import OmittedRowsError
from harness.method.metric import Metric
from harness.store.answers import Coverage
from harness.store.kept import KeptCell, KeptValue
from harness.store.records import TrialRecord
from harness.store.view import RunView


def tuning_score(view: RunView, select: Metric, record: TrialRecord, part: str) -> float:
    """What a tuning trial is chosen by.

    Raises:
        NotMeasuredError: If the metric cannot be computed, or is left out with its rows.
        RecordError: If the rows are missing or damaged.
    """
    kept = (view.kept or {}).get(score_key(select, record, part))
    try:
        rows = view.table(record.trial, part)
    except OmittedRowsError as error:
        if kept is None:
            raise NotMeasuredError(error.what, kind="omitted") from error
        return _kept_score(kept)
    if kept is not None and not set(select.columns) <= set(rows):
        return _kept_score(kept)
    try:
        return select(rows)
    except Exception as error:
        # A metric is given whatever a method's trial left.
        what = f"{select.name} cannot be computed: {error} ({record.trial})"
        raise NotMeasuredError(what, kind="undefined") from error


def kept_score(view: RunView, select: Metric, record: TrialRecord, part: str) -> KeptCell:
    """A tuning score as committed results keep it."""
    try:
        value = tuning_score(view, select, record, part)
    except NotMeasuredError as error:
        return KeptCell((), error.what, error.kind, (record.trial,))
    size = len(view.table(record.trial, part)["unit_id"])
    return KeptCell((KeptValue(str(record.seed), value, "", size, "", Coverage(size, size)),))


def score_key(select: Metric, record: TrialRecord, part: str) -> str:
    """The key of a tuning score among the kept cells."""
    cell = Cell(record.experiment, record.method, select, record.task, part)
    return f"{cell_key(cell)} {record.trial}"


def _kept_score(kept: KeptCell) -> float:
    if kept.fault or not kept.values or kept.values[0].value is None:
        raise NotMeasuredError(kept.fault, kind="undefined")
    return kept.values[0].value
