"""What tables and figures show under a scale: the declared cells that it plans."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from harness.claims import Cell, Profile
from harness.plan.carried import Fault
from harness.plan.selection import cells_of
from harness.suite import Experiment, PaperFigure, PaperTable, SampleView, Scale, Series, Suite, TableRow

T = TypeVar("T")
DisplayT = TypeVar("DisplayT", PaperTable, PaperFigure, SampleView)
Experiments = Mapping[str, Experiment]
"""Experiments that a scale plans, by id."""


def made_for(items: Iterable[DisplayT], profile: Profile) -> Iterator[DisplayT]:
    """The tables, figures or views that a profile may have."""
    return (item for item in items if profile in profiles_of(item))


def shown(items: Iterable[DisplayT], scale: Scale, experiments: Experiments) -> Iterator[DisplayT]:
    """What a scale has: all that names its profile, and of the rest that of which it plans a cell."""
    return (
        item
        for item in made_for(items, scale.profile)
        if _names_profiles(item) or any(_planned_cells(item, scale, experiments))
    )


def shown_under(item: PaperTable, suite: Suite) -> tuple[Profile, ...]:
    """The profiles that have a table, with or without ``--full``."""
    scales = (Scale(profile=profile, full=full) for profile in Profile for full in (False, True))
    found = (
        scale.profile
        for scale in scales
        if any(True for _ in shown([item], scale, {one.id: one for one in suite.experiments(scale)}))
    )
    return tuple(dict.fromkeys(found))


def _names_profiles(item: PaperTable | PaperFigure | SampleView) -> bool:
    declared = (
        item.rows if isinstance(item, PaperTable) else item.series if isinstance(item, PaperFigure) else {}
    )
    return bool(item.profiles) or isinstance(declared, Mapping)


def _planned_cells(
    item: PaperTable | PaperFigure | SampleView, scale: Scale, experiments: Experiments
) -> Iterator[bool]:
    """Something for each cell of it that is planned."""
    if isinstance(item, PaperTable):
        yield from (_has_cells(row.entries.values()) for row in planned_rows(item, scale, experiments))
    if isinstance(item, PaperFigure):
        yield from (
            _has_cells(y for _, y in line.points) for line in planned_series(item, scale, experiments)
        )


def profiles_of(item: PaperTable | PaperFigure | SampleView) -> tuple[Profile, ...]:
    """The profiles that something may be made for."""
    declared = (
        item.rows if isinstance(item, PaperTable) else item.series if isinstance(item, PaperFigure) else ()
    )
    keys: tuple[Profile | Scale, ...] = tuple(declared) if isinstance(declared, Mapping) else tuple(Profile)
    own = tuple(dict.fromkeys(key.profile if isinstance(key, Scale) else key for key in keys))
    return tuple(profile for profile in own if profile in (item.profiles or own))


def declared_rows(table: PaperTable, scale: Scale) -> Sequence[TableRow]:
    """All rows of a profile, planned or not."""
    if isinstance(table.rows, Mapping):
        return _of_scale(table.rows, scale)
    return table.rows


def declared_series(figure: PaperFigure, scale: Scale) -> Sequence[Series]:
    """All series of a profile, planned or not."""
    if isinstance(figure.series, Mapping):
        return _of_scale(figure.series, scale)
    return figure.series


def _of_scale(declared: Mapping[Any, Sequence[T]], scale: Scale) -> Sequence[T]:
    """What is declared for a scale, or for its profile."""
    return declared.get(scale, declared.get(scale.profile, ()))


def planned_rows(table: PaperTable, scale: Scale, experiments: Experiments) -> list[TableRow]:
    """Rows with the entries that are planned; a row of which nothing measured is planned is left out."""
    found = []
    for row in declared_rows(table, scale):
        kept = {key: entry for key, entry in row.entries.items() if is_planned(entry, experiments)}
        empty = _has_cells(row.entries.values()) and not _has_cells(kept.values())
        if not empty and is_planned(row.needs, experiments):
            found.append(replace(row, entries=kept))
    return found


def planned_series(figure: PaperFigure, scale: Scale, experiments: Experiments) -> list[Series]:
    """Series with the points that are planned; one of which none is planned is left out.

    A reported number beside a point that is not planned goes with it.
    """
    found = []
    for series in declared_series(figure, scale):
        kept = tuple(point for point in series.points if is_planned(point, experiments))
        if kept or not series.points:
            left_out = {x for x, _ in series.points} - {x for x, _ in kept}
            reported = tuple(point for point in series.reported if point[0] not in left_out)
            found.append(replace(series, points=kept, reported=reported))
    return found


def is_planned(declaration: object, experiments: Experiments) -> bool:
    """Whether every cell of an entry or a point is run; what has no cells always is there."""
    return not any(True for cell in cells_of(declaration) for _ in unplanned(cell, "", experiments))


def _has_cells(entries: Iterable[object]) -> bool:
    return any(True for entry in entries for _ in cells_of(entry))


def unplanned(cell: Cell | SampleView, where: str, experiments: Experiments) -> Iterator[Fault]:
    """Why a cell is not run; nothing if it is."""
    experiment = experiments.get(cell.experiment)
    if experiment is None:
        yield f"Experiment '{cell.experiment}' does not exist", where, known(experiments)
        return
    if cell.method not in experiment.methods:
        yield (
            f"Experiment '{cell.experiment}' has no method '{cell.method}'",
            where,
            known(experiment.methods),
        )
    if cell.task and cell.task not in experiment.tasks:
        yield f"Experiment '{cell.experiment}' has no task '{cell.task}'", where, known(experiment.tasks)
    if not cell.task and len(experiment.tasks) > 1:
        yield f"A cell of '{cell.experiment}' names none of its tasks", where, known(experiment.tasks)
    task = cell.task or next(iter(experiment.tasks), "")
    if experiment.only is not None and (task, cell.method) not in experiment.only:
        yield f"'{cell.experiment}' does not run {cell.method} on {task}", where, "Add it to `only`."


def known(names: Iterable[str]) -> str:
    """The names that there are, as advice."""
    return f"Known: {', '.join(sorted(names)[:20]) or 'none'}."
