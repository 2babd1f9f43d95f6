"""Single results: which are shown, in which order, and that every format has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import pytest

from harness.store.memory import MemoryRun
from harness.store.records import VerdictsRecord
from harness.suite import SampleView, Suite
from reports import html, latex, markdown
from reports.build import build
from reports.document import Document, Paragraph
from reports.sample_views import Trajectories, Tree
from tests.reports import demo


def _courses(document: Document) -> Trajectories:
    return next(block for block in document.blocks() if isinstance(block, Trajectories))


def _tree(document: Document) -> Tree:
    return next(block for block in document.blocks() if isinstance(block, Tree))


def test_steps_come_in_order_and_wrong_courses_are_among_those_shown(document: Document) -> None:
    shown = _courses(document).items
    assert [step.text for step in shown[0].steps] == ["first of a", "second of a"]
    assert [course.heading for course in shown] == [demo.WRITE18, demo.HEBREW, demo.EMOJI, "e"]
    assert [course.mark for course in shown] == ["right", "right", "right", "wrong"]


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        ("wwwrrr", "wwrr"),
        ("rrrrww", "rrww"),
        ("wwwwww", "wwww"),
        ("rrrrrw", "rrrw"),
        ("rw", "rw"),
        ("rwwww", "rwww"),
    ],
)
def test_half_of_the_courses_are_wrong_where_there_are_as_many(marks: str, expected: str) -> None:
    words = {"w": "wrong", "r": "right"}
    columns = {name: ["x"] * len(marks) for name in ("heading", "kind", "text")}
    rows: dict[str, list[Any]] = {
        **columns,
        "unit_id": [str(at) for at in range(len(marks))],
        "mark": [words[mark] for mark in marks],
        "step": [0] * len(marks),
    }
    shown = _courses(_with(rows, "steps")).items
    assert "".join(course.mark[0] for course in shown) == expected


def _with(rows: Mapping[str, Sequence[Any]], kind: Literal["steps", "tree"]) -> Document:
    """The report of a run whose exhibit has these rows."""
    view: MemoryRun = demo.run()
    trial = next(name for name in view.trials if name.startswith("main/toy/new/1"))
    main = view.table(trial, "main")
    view.add(view.trials[trial], main=main, shown=rows)
    exhibit = SampleView(
        id="shown",
        title="Shown",
        experiment="main",
        method="new",
        part="shown",
        kind=kind,
        most=4,
    )
    suite: Suite = replace(demo.SUITE, sample_views=(exhibit,))
    verdicts: VerdictsRecord = demo.verdicts(view)
    return build(suite, demo.SCALE, view, verdicts)


def test_a_tree_hangs_together_whatever_the_order_of_its_rows(document: Document) -> None:
    root = _tree(document).root
    assert root.lines[0] == "If x1 is A, say foo."
    assert [one.text for one in root.below] == [demo.HEBREW]
    assert [one.text for one in root.below[0].below] == [demo.EMOJI]


def test_what_was_not_measured_says_why_and_other_profiles_are_left_out(document: Document) -> None:
    section = next(section for section in document.sections if section.id == "exhibits")
    assert len(section.blocks) == 3
    assert isinstance(section.blocks[2], Paragraph)
    assert "licence" in html.spans(section.blocks[2].spans)


def test_a_forest_and_a_missing_column_are_marked_and_the_rest_stands() -> None:
    rows = {name: ["", ""] for name in ("unit_id", "parent", "edge", "text", "note")}
    assert "roots" in markdown.render(_with(rows, "tree"))
    assert "no column" in markdown.render(_with(rows, "steps"))


@pytest.mark.parametrize("render", [html.render, latex.render_appendix, markdown.render])
def test_every_format_shows_them(render: Any, document: Document) -> None:
    page = render(document)
    assert "first of a" in page
    assert "4 examples" in page


def test_a_text_keeps_its_lines(document: Document) -> None:
    assert "<pre>If x1 is A, say foo.\nIf x2 is B" in html.render(document)


def test_what_they_say_is_escaped(document: Document) -> None:
    assert demo.SCRIPT not in html.render(document)
    assert r"\write18{" not in latex.render(document)
