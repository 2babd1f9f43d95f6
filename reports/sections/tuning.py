"""The whole grid of every tuned method, not only its winner."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.method.metric import Metric
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

Shape = tuple[str, str, tuple[int, ...], tuple[str, ...]]
"""Metric, which side is better, seeds, and the points of a grid."""
Trials = Mapping[tuple[str, str, str], Sequence[TrialRecord]]
"""Tuning trials by experiment, task and method."""


@dataclass(frozen=True)
class Grid:
    """The grid of one tuned method on one task.

    Attributes:
        place: Experiment, task and method.
        tuned: The declaration.
        points: Trials by grid point.
    """

    place: str
    tuned: Tuned
    points: dict[str, list[TrialRecord]]


def tuning(ledger: Ledger) -> Section | None:
    """Grids with their validation scores; nothing if no method was tuned."""
    blocks: list[Block] = [_table(ledger, shape, grids) for shape, grids in _by_shape(ledger).items()]
    return Section("tuning", "Tuning", tuple(blocks)) if blocks else None


def _by_shape(ledger: Ledger) -> dict[Shape, list[Grid]]:
    """Grids that score the same points by the same metric stand in one table."""
    found: dict[Shape, list[Grid]] = {}
    tuned = _tuning_trials(ledger)
    for experiment in ledger.experiments.values():
        for name, declared in experiment.methods.items():
            if isinstance(declared, Tuned):
                for grid in _grids(tuned, experiment, name, declared):
                    shape = (declared.select.name, declared.select.better, declared.seeds, tuple(grid.points))
                    found.setdefault(shape, []).append(grid)
    return found


def _tuning_trials(ledger: Ledger) -> Trials:
    found: dict[tuple[str, str, str], list[TrialRecord]] = defaultdict(list)
    for trial in ledger.view.trials.values():
        if trial.kind == "trial" and trial.stage == "tune":
            found[trial.experiment, trial.task, trial.method].append(trial)
    return found


def _grids(trials: Trials, experiment: Experiment, method: str, tuned: Tuned) -> list[Grid]:
    grids: list[Grid] = []
    for task in experiment.tasks:
        points: dict[str, list[TrialRecord]] = defaultdict(list)
        for trial in trials.get((experiment.id, task, method), ()):
            points[trial.trial.rpartition("/")[0].rpartition("/")[2]].append(trial)
        if points:
            grids.append(Grid(f"{experiment.id}/{task}/{method}", tuned, points))
    return grids


def _table(ledger: Ledger, shape: Shape, grids: list[Grid]) -> Table:
    metric, better, seeds, points = shape
    columns = (Column("Method", "method"), *(Column(point, point, "number") for point in points))
    notes = (
        words(
            f"Tuning seeds {', '.join(str(seed) for seed in seeds)}, never those of a verdict; {better} is "
            "better. A mark stands beside the chosen point, and says if it lies at the grid's edge."
        ),
    )
    rows = tuple(Row(((Code(grid.place),), *_scores(ledger, grid))) for grid in grids)
    name = f"tuning-{anchor(f'{metric} {grids[0].place}')}"
    return Table(name, words(f"{metric} on validation data, by grid point."), columns, rows, notes)


def _scores(ledger: Ledger, grid: Grid) -> list[Spans]:
    chosen, edge = _chosen(ledger, grid.place)
    cells: list[Spans] = []
    for point, trials in grid.points.items():
        values = tuple(shown(trials[0].params.get(name)) for name in grid.tuned.grid)
        score = _score(grid, point, trials, ledger)
        mark = Badge("yes", word="edge" if edge else "chosen")
        cells.append((score, Text(" "), mark) if values == chosen else (score,))
    return cells


def _chosen(ledger: Ledger, place: str) -> tuple[tuple[str, ...], bool]:
    for trial in ledger.view.trials.values():
        if trial.stage == "main" and trial.tuned and trial.trial.startswith(f"{place}/"):
            values = tuple(shown(value) for name, value in trial.tuned.items() if name != "edge")
            return values, bool(trial.tuned.get("edge"))
    return (), False


def _select(ledger: Ledger, select: Metric, trial: TrialRecord, part: str) -> float | NotMeasured:
    """The selected metric of a tuning trial."""
    value = ledger.tuning_score(select, trial, part)
    if isinstance(value, NotMeasured):
        return value
    if not math.isfinite(value):
        return NotMeasured(f"{select.name} is not a finite number ({trial.trial})")
    return value


def _score(grid: Grid, point: str, trials: list[TrialRecord], ledger: Ledger) -> Number | NotMeasured:
    done = [trial for trial in trials if trial.status == "ok"]
    if len(done) < len(trials):
        return NotMeasured(", ".join(sorted({trial.status for trial in trials if trial.status != "ok"})))
    select = grid.tuned.select
    scores = []
    for trial in done:
        found = _select(ledger, select, trial, grid.tuned.part)
        if isinstance(found, NotMeasured):
            return found
        scores.append(found)
    handle = Handle("cell", f"{grid.place}/tune/{point}", tuple(trial.trial for trial in done))
    return Number(math.fsum(scores) / len(scores), handle, digits=select.digits, unit=select.unit)
