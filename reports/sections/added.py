"""Methods that a user added to a run, beside the paper's own on the same tasks and seeds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace

from harness.claims import Cell
from harness.claims.quantity import CALIBRATION
from harness.plan.displayed import made_for, planned_rows
from harness.plan.selection import cells_of, pairs
from harness.store.records import TrialRecord
from harness.store.view import TIMED_METHOD
from harness.suite import Experiment
from harness.text import plural
from reports.document import Block, Break, Code, Column, NotMeasured, Number, Row, Section, Spans, Table, Text
from reports.numbers import Ledger, last_line
from reports.places import methods_at
from reports.sections.common import joined, run_note, words
from reports.sections.methods import shown
from reports.text import anchor


def added(ledger: Ledger) -> Section | None:
    """One table an experiment that got new methods; nothing if there are none.

    Added is what the run planned, or could not plan, and the suite does not declare: also what came
    with ``--resume``, and what failed.
    """
    blocks: list[Block] = []
    record = ledger.view.record
    named = methods_at((*record.planned, *record.blocked))
    for experiment in ledger.experiments.values():
        names = _new(ledger, experiment, named.get(experiment.id, ()))
        if names:
            blocks += [_parameters(ledger, experiment, names), _table(ledger, experiment, names)]
    return Section("added", "Methods added to this run", tuple(blocks)) if blocks else None


def _new(ledger: Ledger, experiment: Experiment, named: Iterable[str]) -> list[str]:
    known = {*experiment.methods, TIMED_METHOD, CALIBRATION}
    found = [*named, *(arm for trial in _timed(ledger, experiment) for arm in _arms(ledger, trial))]
    return list(dict.fromkeys(name for name in found if name not in known))


def _timed(ledger: Ledger, experiment: Experiment) -> list[str]:
    """The trials of a timed experiment, whose methods are arms."""
    if experiment.timed is None:
        return []
    trials = ledger.view.trials.values()
    return [trial.trial for trial in trials if trial.experiment == experiment.id and trial.status == "ok"]


def _arms(ledger: Ledger, trial: str) -> list[str]:
    rows = ledger.columns(trial, "time")
    return [] if isinstance(rows, NotMeasured) else [str(arm) for arm in rows["arm"]]


def _parameters(ledger: Ledger, experiment: Experiment, names: list[str]) -> Table:
    rows = tuple(
        Row(((Code(name),), _values(ledger, experiment, name), _state(ledger, experiment, name)))
        for name in names
    )
    columns = (
        Column("Method", "method"),
        Column("Parameters, as they ran", "parameters"),
        Column("Trials", "trials"),
    )
    caption = (Text("Added to "), Code(experiment.id), Text("."))
    return Table(f"added-parameters-{anchor(experiment.id)}", caption, columns, rows)


def _values(ledger: Ledger, experiment: Experiment, name: str) -> Spans:
    trials = _trials(ledger, experiment, name)
    if not trials:
        return (NotMeasured("no trial has finished"),)
    values = joined(Code(f"{key} = {shown(value)}") for key, value in trials[0].params.items())
    return values or words("none")


def _trials(ledger: Ledger, experiment: Experiment, name: str) -> list[TrialRecord]:
    names = (name, TIMED_METHOD) if experiment.timed else (name,)
    return [
        trial
        for trial in ledger.view.trials.values()
        if trial.experiment == experiment.id and trial.method in names and trial.stage == "main"
    ]


def _state(ledger: Ledger, experiment: Experiment, name: str) -> Spans:
    """How its trials ended, with the last line of what the first failed one said."""
    trials = _trials(ledger, experiment, name)
    counts = Counter(trial.status for trial in trials)
    spans = list(words(", ".join(f"{number} {status}" for status, number in counts.items())))
    for trial in [trial for trial in trials if trial.status not in ("ok", "diverged")][:1]:
        spans += [Break(), Code(trial.trial), Text(f" {last_line(trial)}")]
    record = ledger.view.record
    planned = sum(_is_of(place.rpartition("/")[0], experiment, name) for place in record.planned)
    if planned > len(trials):
        spans += [Break(), Text(f"{plural(planned - len(trials), 'trial')} not finished")]
    for place, reason in record.blocked.items():
        if _is_of(place, experiment, name):
            spans += [Break(), Text(f"not run: {reason}")]
    return tuple(spans if trials else spans[2:])


def _is_of(place: str, experiment: Experiment, method: str) -> bool:
    """Whether "experiment/task/method" is of a method in an experiment."""
    return place.startswith(f"{experiment.id}/") and place.endswith(f"/{method}")


def _table(ledger: Ledger, experiment: Experiment, names: list[str]) -> Table:
    columns = (Column("Method", "method"), Column("Value, 95 % interval", "value", "number"))
    rows = [row for cell in _questions(ledger, experiment) for row in _rows(ledger, cell, experiment, names)]
    notes = (
        words("Bold: every pairwise difference to the other methods passes the direction rule."),
        words(
            "In brackets: over how many of the units the number is, where a method leaves some out. "
            "It is compared with no other."
        ),
        words(run_note(ledger)),
    )
    caption = (Text("New methods beside the declared ones in "), Code(experiment.id), Text("."))
    return Table(f"added-{anchor(experiment.id)}", caption, columns, tuple(rows), notes, export=True)


def _questions(ledger: Ledger, experiment: Experiment) -> Iterator[Cell]:
    """One cell for each metric, task, set and filter that claims and tables look at."""
    scale = ledger.scale
    tables = made_for(ledger.suite.tables, scale.profile)
    rows = (row for table in tables for row in planned_rows(table, scale, ledger.experiments))
    entries = tuple(entry for row in rows for entry in row.entries.values())
    forms = tuple(claim.forms.get(scale.profile) for claim in ledger.suite.claims)
    seen: set[tuple[str, ...]] = set()
    for cell in cells_of((forms, entries)):
        key = (cell.metric.name, cell.task, cell.part, str(cell.where))
        here = cell.experiment == experiment.id and cell.task in ("", *experiment.tasks)
        if here and key not in seen:
            seen.add(key)
            yield cell


def _rows(ledger: Ledger, cell: Cell, experiment: Experiment, names: list[str]) -> Iterator[Row]:
    """A row a method that has the number; a new one has its row in any case."""
    where = ", ".join([cell.task, *(f"{name} = {value}" for name, value in cell.where)]).strip(", ")
    group = f"{cell.metric.name}{f' ({where})' if where else ''}, {cell.metric.better} is better"
    task = cell.task or next(iter(experiment.tasks))
    declared = [method for at, method in pairs(experiment) if at == task]
    cells = [replace(cell, method=name) for name in (*names, *declared)]
    best = ledger.winners(cells)
    for at, one in enumerate(cells):
        number = ledger.cell(one)
        if isinstance(number, Number):
            yield Row(((Code(one.method),), (replace(number, bold=at in best),)), group)
        elif one.method in names:
            yield Row(((Code(one.method),), (number,)), group)
