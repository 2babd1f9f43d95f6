"""Tables and figures as a report has them: what a run lacks, and what the paper has."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.claims import Profile
from harness.store.memory import MemoryRun
from harness.store.records import VerdictsRecord
from harness.suite import PaperFigure, PaperTable, ReportedRef, Series, Suite, TableRow
from reports import html, latex, markdown
from reports.build import build
from reports.document import Document, Figure, Number, Section, Table
from tests.reports import demo

ELSEWHERE = replace(demo.cell("new"), experiment="later")
NOTHING = "This run has nothing of it."
MARKS = "† from a secondary source"


def shown(view: MemoryRun, verdicts: VerdictsRecord, **declared: object) -> Document:
    suite: Suite = replace(demo.SUITE, **declared)  # type: ignore[arg-type]
    return build(suite, demo.SCALE, view, verdicts)


def table(*rows: TableRow) -> PaperTable:
    return PaperTable(
        id="some",
        title="Some rows",
        columns={"score": "a header of its own"},
        rows=rows,
        bold=("score",),
        profiles=(Profile.SMALL,),
    )


def figure(*series: Series) -> PaperFigure:
    return PaperFigure(id="some-line", title="A line", x="x", y="y", series=series, profiles=(Profile.SMALL,))


def found(document: Document, name: str) -> Table | Figure:
    return next(
        block for block in document.blocks() if isinstance(block, Table | Figure) and block.id == name
    )


def test_a_table_of_which_a_run_has_nothing_says_so(view: MemoryRun, verdicts: VerdictsRecord) -> None:
    declared = table(TableRow(label="later", entries={"score": ELSEWHERE}))
    document = shown(view, verdicts, tables=(declared,))
    for text in (html.render(document), markdown.render(document), latex.render_appendix(document)):
        assert "Some rows" in text
        assert NOTHING in text.replace("\\", "")
        assert "a header of its own" not in text
    assert "Bold" not in html.render_table(found(document, "some"))  # type: ignore[arg-type]


def test_a_figure_of_which_a_run_has_nothing_says_so(view: MemoryRun, verdicts: VerdictsRecord) -> None:
    later = Series(label="later", points=((1.0, ELSEWHERE),))
    now = Series(label="now", points=((1.0, demo.cell("new")),))
    captions = [
        html.plain(found(shown(view, verdicts, figures=(figure(one),)), "some-line").caption)
        for one in (later, now)
    ]
    assert NOTHING in captions[0]
    assert "Error bars are" not in captions[0]
    assert NOTHING not in captions[1]
    assert "Error bars are" in captions[1]


def test_marks_are_explained_where_they_stand(view: MemoryRun, verdicts: VerdictsRecord) -> None:
    def notes(*entries: object) -> str:
        rows = [TableRow(label=str(at), entries={"score": one}) for at, one in enumerate(entries)]  # type: ignore[dict-item]
        item = found(shown(view, verdicts, tables=(table(*rows),)), "some")
        assert isinstance(item, Table)
        return " ".join(html.plain(note) for note in item.notes)

    standing = {name: str(one.standing) for name, one in demo.SUITE.paper.reported.items() if one.value}
    marked = next(name for name, kind in standing.items() if kind != "verified")
    plain = next(name for name, kind in standing.items() if kind == "verified")
    assert MARKS in notes(demo.cell("new"), ReportedRef(marked))
    assert MARKS not in notes(demo.cell("new"), ReportedRef(plain))
    assert MARKS not in notes(demo.cell("new"))


def test_a_point_of_the_paper_can_have_both_places_from_it(view: MemoryRun, verdicts: VerdictsRecord) -> None:
    both = (ReportedRef("acc-new"), ReportedRef("acc-old"))
    series = Series(label="new", points=((demo.cell("new"), demo.cell("old")),), reported=(both,))
    item = found(shown(view, verdicts, figures=(figure(series),)), "some-line")
    assert isinstance(item, Figure)
    (point,) = item.lines[0].reported
    assert isinstance(point.x, Number)
    assert (point.x.value, point.y.value) == tuple(demo.SUITE.paper.reported[ref.id].value for ref in both)
    assert {point.x.handle.name, point.y.handle.name} == {"paper/acc-new", "paper/acc-old"}


@pytest.mark.parametrize(("number", "folded"), [(2, False), (3, True)])
def test_many_points_that_were_not_measured_are_folded(
    document: Document, number: int, *, folded: bool
) -> None:
    missing = tuple((f"line {at}", "no licence for it") for at in range(number))
    figures = tuple(replace(one, missing=missing, headline=False) for one in document.figures()[:1])
    page = html.render(replace(document, sections=(Section("figures", "Figures", figures),)))
    assert page.count("not measured, no licence for it") == number
    assert (f"Points that were not measured: {number}" in page) == folded
