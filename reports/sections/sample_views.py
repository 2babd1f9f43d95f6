"""Single results, to be read one by one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from harness.plan.displayed import made_for
from harness.suite import SampleView
from reports.document import Block, NotMeasured, Paragraph, Section, Text
from reports.numbers import Ledger
from reports.sample_views import Branch, Step, Trajectories, Trajectory, Tree
from reports.sections.common import run_note
from reports.text import anchor, sentence

if TYPE_CHECKING:
    Columns = Mapping[str, np.ndarray]

_COLUMNS = {
    "steps": ("unit_id", "heading", "mark", "step", "kind", "text"),
    "tree": ("unit_id", "parent", "edge", "text", "note"),
}


def sample_views(ledger: Ledger) -> Section | None:
    """What the suite declares to be shown; nothing if it declares nothing."""
    found = [_block(ledger, view) for view in made_for(ledger.suite.sample_views, ledger.scale.profile)]
    return Section("exhibits", "Single results", tuple(found)) if found else None


def _block(ledger: Ledger, view: SampleView) -> Block:
    rows = ledger.rows(view)
    if not isinstance(rows, NotMeasured):
        rows = _fault(view, rows) or rows
    if isinstance(rows, NotMeasured):
        return Paragraph((Text(f"{sentence(view.title)} "), rows), "note")
    caption = f"{sentence(view.title)} Method {view.method}, first seed. {run_note(ledger)}"
    if view.kind == "tree":
        return Tree(anchor(view.id), caption, _tree(rows))
    return Trajectories(anchor(view.id), caption, tuple(_chosen(_trajectories(rows), view.most)))


def _fault(view: SampleView, rows: Columns) -> NotMeasured | None:
    """Why rows cannot be shown as the view asks, if they cannot."""
    missing = [name for name in _COLUMNS[view.kind] if name not in rows]
    if missing:
        return NotMeasured(
            f"part '{view.part}' has no column {', '.join(missing)}; shown as {view.kind}, "
            f"a part has {', '.join(_COLUMNS[view.kind])}"
        )
    if not len(rows["unit_id"]):
        return NotMeasured(f"part '{view.part}' has no rows")
    if view.kind == "steps" and np.asarray(rows["step"]).dtype.kind not in "iuf":
        return NotMeasured(f"column step of part '{view.part}' holds no numbers")
    if view.kind == "tree" and (roots := sum(str(parent) == "" for parent in rows["parent"])) != 1:
        return NotMeasured(f"the tree has {roots} roots; exactly one row has an empty parent")
    return None


def _trajectories(rows: Columns) -> list[Trajectory]:
    places: dict[str, list[int]] = defaultdict(list)
    for at, unit in enumerate(rows["unit_id"]):
        places[str(unit)].append(at)
    return [
        _trajectory(rows, sorted(found, key=lambda at: int(rows["step"][at]))) for found in places.values()
    ]


def _trajectory(rows: Columns, places: Sequence[int]) -> Trajectory:
    mark = str(rows["mark"][places[0]])
    return Trajectory(
        str(rows["heading"][places[0]]),
        "right" if mark == "right" else "wrong" if mark == "wrong" else "",
        tuple(Step(str(rows["kind"][at]), str(rows["text"][at])) for at in places),
    )


def _chosen(trajectories: Sequence[Trajectory], most: int) -> list[Trajectory]:
    """The first ones, half of them wrong if there are as many, in their order."""
    wrong = [one for one in trajectories if one.mark == "wrong"]
    others = [one for one in trajectories if one.mark != "wrong"]
    few = min(len(wrong), max(most // 2, most - len(others)))
    kept = {id(one) for one in (*wrong[:few], *others[: most - few])}
    return [one for one in trajectories if id(one) in kept]


def _tree(rows: Columns) -> Branch:
    below: dict[str, list[int]] = defaultdict(list)
    for at, parent in enumerate(rows["parent"]):
        below[str(parent)].append(at)
    return _branch(rows, below, below[""][0])


def _branch(rows: Columns, below: Mapping[str, Sequence[int]], at: int) -> Branch:
    children = below.get(str(rows["unit_id"][at]), ())
    return Branch(
        str(rows["edge"][at]),
        str(rows["text"][at]),
        str(rows["note"][at]),
        tuple(_branch(rows, below, child) for child in children),
    )
