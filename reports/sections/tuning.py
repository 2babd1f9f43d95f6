"""The whole grid of every tuned method, not only its winner."""

from __future__ import annotations

import math
from collections import defaultdict

from harness.store.records import TrialRecord
from harness.suite import Experiment, Tuned
from reports.document import (
    Badge,
    Block,
    Code,
    Column,
    Handle,
    NotMeasured,
    Number,
    Row,
    Section,
    Spans,
    Table,
    Text,
)
from reports.numbers import Ledger
from reports.sections.common import words
from reports.sections.methods import shown
from reports.text import anchor

Grid = dict[str, list[TrialRecord]]


def tuning(ledger: Ledger) -> Section | None:
    """Grids with their validation scores; nothing if no method was tuned."""
    blocks: list[Block] = []
    for experiment in ledger.experiments.values():
        for name, declared in experiment.methods.items():
            if isinstance(declared, Tuned):
                blocks += _grids(ledger, experiment, name, declared)
    return Section("tuning", "Tuning", tuple(blocks)) if blocks else None


def _grids(ledger: Ledger, experiment: Experiment, method: str, tuned: Tuned) -> list[Block]:
    blocks: list[Block] = []
    for task in experiment.tasks:
        points: Grid = defaultdict(list)
        for trial in ledger.view.trials.values():
            place = (trial.experiment, trial.task, trial.method, trial.stage)
            if trial.kind == "trial" and place == (experiment.id, task, method, "tune"):
                points[trial.trial.rpartition("/")[0].rpartition("/")[2]].append(trial)
        if points:
            blocks.append(_grid(ledger, f"{experiment.id}/{task}/{method}", tuned, points))
    return blocks


def _grid(ledger: Ledger, place: str, tuned: Tuned, points: Grid) -> Table:
    chosen, edge = _chosen(ledger, place)
    columns = (
        *(Column(name, name) for name in tuned.grid),
        Column(f"{tuned.select.name}, validation", "score", "number"),
        Column("Chosen", "chosen"),
    )
    rows = []
    for point, trials in points.items():
        values = tuple(shown(trials[0].params.get(name)) for name in tuned.grid)
        mark: Spans = (
            (Badge("yes"), Text(" at the grid's edge" if edge else "")) if values == chosen else words("")
        )
        rows.append(
            Row((*((Code(value),) for value in values), (_score(ledger, place, point, tuned, trials),), mark))
        )
    seeds = ", ".join(str(seed) for seed in tuned.seeds)
    notes = (words(f"Tuning seeds {seeds}, never those of a verdict; {tuned.select.better} is better."),)
    return Table(
        f"tuning-{anchor(place)}", (Text("Grid of "), Code(place), Text(".")), columns, tuple(rows), notes
    )


def _chosen(ledger: Ledger, place: str) -> tuple[tuple[str, ...], bool]:
    for trial in ledger.view.trials.values():
        if trial.stage == "main" and trial.tuned and trial.trial.startswith(f"{place}/"):
            values = tuple(shown(value) for name, value in trial.tuned.items() if name != "edge")
            return values, bool(trial.tuned.get("edge"))
    return (), False


def _score(
    ledger: Ledger, place: str, point: str, tuned: Tuned, trials: list[TrialRecord]
) -> Number | NotMeasured:
    done = [trial for trial in trials if trial.status == "ok"]
    if len(done) < len(trials):
        return NotMeasured(", ".join(sorted({trial.status for trial in trials if trial.status != "ok"})))
    scores = [tuned.select(ledger.view.table(trial.trial, tuned.part)) for trial in done]
    mean = math.fsum(scores) / len(scores)
    handle = Handle("cell", f"{place}/tune/{point}", tuple(trial.trial for trial in done))
    return Number(mean, handle, digits=tuned.select.digits, unit=tuned.select.unit)
