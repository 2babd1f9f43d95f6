"""What a suite of the working directory's build declares, as text: ``python identity_declared.py SLUG``.

Claims, deviations and controls in words, and under every scale the rows of tables and the points of figures
with the cells behind them. It reads builds whose displays are functions of the scale, too.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

sys.path.insert(0, ".")

from harness.claims import Profile
from harness.suite import Scale


def main() -> None:
    """Print the declaration."""
    suite = importlib.import_module(f"suites.{sys.argv[1].replace('-', '_')}").SUITE
    for claim in suite.claims:
        names = ("id", "parent", "statement", "source", "reported", "essential", "relies_on", "note")
        print("claim", *(f"{name}={getattr(claim, name)!r}" for name in names))
    for item in (*suite.deviations, *suite.controls):
        print(type(item).__name__, *(f"{f.name}={getattr(item, f.name)!r}" for f in fields(item)))
    for profile in Profile:
        for full in (False, True):
            scale = Scale(profile=profile, full=full)
            for line in displays(suite, scale):
                print(f"{profile}{' full' if full else ''}", line)


def displays(suite: Any, scale: Scale) -> Iterator[str]:
    """The tables and figures of a scale."""
    try:
        from harness.plan.displayed import made_for, planned_rows, planned_series
    except ImportError:
        yield from _earlier(suite, scale)
        return
    experiments = {item.id: item for item in suite.experiments(scale)}
    for table in made_for(suite.tables, scale.profile):
        yield from _table(table, planned_rows(table, scale, experiments))
    for figure in made_for(suite.figures, scale.profile):
        yield from _figure(figure, planned_series(figure, scale, experiments))


def _earlier(suite: Any, scale: Scale) -> Iterator[str]:
    for table in suite.tables:
        if not table.profiles or scale.profile in table.profiles:
            yield from _table(table, table.rows(scale))
    for figure in suite.figures:
        if not figure.profiles or scale.profile in figure.profiles:
            yield from _figure(figure, figure.series(scale))


def _table(table: Any, rows: Any) -> Iterator[str]:
    yield f"table {table.id} {table.title!r} {table.source!r} {table.bold!r} {dict(table.columns)!r}"
    for row in rows:
        entries = ", ".join(
            f"{key}: {_cells(row.entries[key])}" for key in table.columns if key in row.entries
        )
        yield f"  {row.group} | {row.label} | {entries}"


def _figure(figure: Any, series: Any) -> Iterator[str]:
    yield f"figure {figure.id} {figure.title!r} {figure.x} {figure.y} {figure.kind} {figure.source!r}"
    for line in series:
        points = ", ".join(f"({_cells(x)}, {_cells(y)})" for x, y in (*line.points, *line.reported))
        if points:
            yield f"  {line.label} | {points}"


def _cells(value: Any) -> str:
    """A quantity as text; metrics by their names, since their functions have none."""
    if type(value).__name__ == "Metric":
        return str(value.name)
    if is_dataclass(value):
        return f"{type(value).__name__}({', '.join(_cells(getattr(value, f.name)) for f in fields(value))})"
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(_cells, value))}]"
    return repr(value)


if __name__ == "__main__":
    main()
