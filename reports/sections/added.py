"""Methods that a user added to a run, beside the paper's own on the same tasks and seeds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from harness.claims import Cell
from harness.plan.selection import cells_of
from harness.store.view import TIMED_METHOD
from harness.suite import Experiment
from reports.document import Block, Code, Column, NotMeasured, Number, Row, Section, Spans, Table, Text
from reports.numbers import Ledger
from reports.sections.common import joined, run_note, words
from reports.sections.methods import shown
from reports.text import anchor


def added(ledger: Ledger) -> Section | None:
    """One table an experiment that got new methods; nothing if the run was given none."""
    blocks: list[Block] = []
    command = ledger.view.record.provenance.command
    if not any(part == "--method" or part.startswith("--method=") for part in command):
        return None
    for experiment in ledger.experiments.values():
        names = _new(ledger, experiment)
        if names:
            blocks += [_parameters(ledger, experiment, names), _table(ledger, experiment, names)]
    return Section("added", "Methods added to this run", tuple(blocks)) if blocks else None


def _new(ledger: Ledger, experiment: Experiment) -> list[str]:
    known = {*experiment.methods, TIMED_METHOD}
    places = [trial.split("/") for trial in ledger.view.record.planned]
    return list(dict.fromkeys(p[2] for p in places if p[0] == experiment.id and p[2] not in known))


def _parameters(ledger: Ledger, experiment: Experiment, names: list[str]) -> Table:
    rows = tuple(Row(((Code(name),), _values(ledger, experiment, name))) for name in names)
    columns = (Column("Method", "method"), Column("Parameters, as they ran", "parameters"))
    caption = (Text("Added to "), Code(experiment.id), Text("."))
    return Table(f"added-parameters-{anchor(experiment.id)}", caption, columns, rows)


def _values(ledger: Ledger, experiment: Experiment, name: str) -> Spans:
    for trial in ledger.view.trials.values():
        if (trial.experiment, trial.method, trial.stage) == (experiment.id, name, "main"):
            values = joined(Code(f"{key} = {shown(value)}") for key, value in trial.params.items())
            return values or words("none")
    return (NotMeasured("no trial has finished"),)


def _table(ledger: Ledger, experiment: Experiment, names: list[str]) -> Table:
    columns = (Column("Method", "method"), Column("Value, 95 % interval", "value", "number"))
    rows = [row for cell in _questions(ledger, experiment) for row in _rows(ledger, cell, experiment, names)]
    notes = (
        words("Bold: every pairwise difference to the other methods passes the direction rule."),
        words(run_note(ledger)),
    )
    caption = (Text("New methods beside the declared ones in "), Code(experiment.id), Text("."))
    return Table(f"added-{anchor(experiment.id)}", caption, columns, tuple(rows), notes, export=True)


def _questions(ledger: Ledger, experiment: Experiment) -> Iterator[Cell]:
    """One cell for each metric, task, set and filter that claims and tables look at."""
    scale = ledger.scale
    rows = (row for table in ledger.suite.tables for row in table.rows(scale))
    entries = tuple(entry for row in rows for entry in row.entries.values())
    forms = tuple(claim.forms.get(scale.profile) for claim in ledger.suite.claims)
    seen: set[tuple[str, ...]] = set()
    for cell in cells_of((forms, entries)):
        key = (cell.metric.name, cell.task, cell.part, str(cell.where))
        if cell.experiment == experiment.id and key not in seen:
            seen.add(key)
            yield cell


def _rows(ledger: Ledger, cell: Cell, experiment: Experiment, names: list[str]) -> Iterator[Row]:
    where = ", ".join([cell.task, *(f"{name} = {value}" for name, value in cell.where)]).strip(", ")
    group = f"{cell.metric.name}{f' ({where})' if where else ''}, {cell.metric.better} is better"
    cells = [replace(cell, method=name) for name in (*names, *experiment.methods)]
    best = ledger.winners(cells)
    for at, one in enumerate(cells):
        number = ledger.cell(one)
        if isinstance(number, Number):
            yield Row(((Code(one.method),), (replace(number, bold=at in best),)), group)
