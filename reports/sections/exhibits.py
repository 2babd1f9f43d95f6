"""Single results, to be read one by one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from harness.suite import SampleView
from reports.document import Block, NotMeasured, Paragraph, Section, Text
from reports.exhibits import Branch, Course, Courses, Step, Tree
from reports.numbers import Ledger
from reports.sections.common import run_note
from reports.text import anchor, sentence

if TYPE_CHECKING:
    Columns = Mapping[str, np.ndarray]

_COLUMNS = {
    "steps": ("unit_id", "heading", "mark", "step", "kind", "text"),
    "tree": ("unit_id", "parent", "edge", "text", "note"),
}


def exhibits(ledger: Ledger) -> Section | None:
    """What the suite declares to be shown; nothing if it declares nothing."""
    profile = ledger.scale.profile
    found = [one for one in ledger.suite.sample_views if not one.profiles or profile in one.profiles]
    return (
        Section("exhibits", "Single results", tuple(_block(ledger, one) for one in found)) if found else None
    )


def _block(ledger: Ledger, exhibit: SampleView) -> Block:
    rows = ledger.rows(exhibit)
    if not isinstance(rows, NotMeasured):
        rows = _fault(exhibit, rows) or rows
    if isinstance(rows, NotMeasured):
        return Paragraph((Text(f"{sentence(exhibit.title)} "), rows), "note")
    caption = f"{sentence(exhibit.title)} Method {exhibit.method}, first seed. {run_note(ledger)}"
    if exhibit.kind == "tree":
        return Tree(anchor(exhibit.id), caption, _tree(rows))
    return Courses(anchor(exhibit.id), caption, tuple(_chosen(_courses(rows), exhibit.most)))


def _fault(exhibit: SampleView, rows: Columns) -> NotMeasured | None:
    """Why rows cannot be shown as the exhibit asks, if they cannot."""
    missing = [name for name in _COLUMNS[exhibit.kind] if name not in rows]
    if missing:
        return NotMeasured(
            f"part '{exhibit.part}' has no column {', '.join(missing)}; shown as {exhibit.kind}, "
            f"a part has {', '.join(_COLUMNS[exhibit.kind])}"
        )
    if not len(rows["unit_id"]):
        return NotMeasured(f"part '{exhibit.part}' has no rows")
    if exhibit.kind == "steps" and np.asarray(rows["step"]).dtype.kind not in "iuf":
        return NotMeasured(f"column step of part '{exhibit.part}' holds no numbers")
    if exhibit.kind == "tree" and (roots := sum(str(parent) == "" for parent in rows["parent"])) != 1:
        return NotMeasured(f"the tree has {roots} roots; exactly one row has an empty parent")
    return None


def _courses(rows: Columns) -> list[Course]:
    places: dict[str, list[int]] = defaultdict(list)
    for at, unit in enumerate(rows["unit_id"]):
        places[str(unit)].append(at)
    return [_course(rows, sorted(found, key=lambda at: int(rows["step"][at]))) for found in places.values()]


def _course(rows: Columns, places: Sequence[int]) -> Course:
    mark = str(rows["mark"][places[0]])
    return Course(
        str(rows["heading"][places[0]]),
        "right" if mark == "right" else "wrong" if mark == "wrong" else "",
        tuple(Step(str(rows["kind"][at]), str(rows["text"][at])) for at in places),
    )


def _chosen(courses: Sequence[Course], most: int) -> list[Course]:
    """The first ones, half of them wrong if there are as many, in their order."""
    wrong = [course for course in courses if course.mark == "wrong"]
    others = [course for course in courses if course.mark != "wrong"]
    few = min(len(wrong), max(most // 2, most - len(others)))
    kept = {id(course) for course in (*wrong[:few], *others[: most - few])}
    return [course for course in courses if id(course) in kept]


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
