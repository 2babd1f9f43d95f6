from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from harness.cli.runs import committed, judged
from harness.cli.suites import load_suite, suite_names
from reports import latex, write_report
from reports.document import Column, Document, Handle, Number, Row, Section, Table, Text
from reports.latex_split import LINE_WIDTH, MOST_PAGES, layout, panels, split
from reports.latex_widths import natural_width
from tests.reports.latex_lint import problems
from tests.reports.test_latex import compile_tex

HANDLE = Handle("declared", "x")


def wide(columns: int, rows: int) -> Table:
    heads = (Column("", "row"), *(Column(f"quantity {at}", f"c{at}", "number") for at in range(columns)))
    number = Number(1.5, HANDLE, low=1.0, high=2.0)
    made = tuple(Row(((Text(f"row {at}"),), *(((number,),) * columns))) for at in range(rows))
    return Table("wide", (Text("A wide table. With a note."),), heads, made, export=True)


def with_tables(document: Document, *tables: Table) -> Document:
    kept = tuple(section for section in document.sections if section.id != "tables")
    return replace(document, sections=(*kept, Section("tables", "Tables", tables)))


def test_every_block_is_in_the_report_or_in_its_appendix(document: Document) -> None:
    parts = split(document)
    there = {id(block) for section in (*parts.body, *parts.appendix) for block in section.blocks}
    assert all(id(block) in there for section in document.sections for block in section.blocks)


def test_the_report_has_the_verdicts_on_whole_claims_and_the_appendix_all(document: Document) -> None:
    parts = split(document)
    whole = next(block for block in parts.body[0].blocks if isinstance(block, Table))
    shown = [block for section in parts.appendix for block in section.blocks if isinstance(block, Table)]
    every = next(block for block in shown if block.id == "verdicts")
    names = ["".join(getattr(span, "text", "") for span in row.cells[0]) for row in whole.rows]
    assert names == ["C1", "C2", "C3", "C4"]
    assert len(every.rows) == 6
    assert "scope" not in {column.key for column in whole.columns}


def test_the_headline_figure_stands_before_the_verdicts(document: Document) -> None:
    kinds = [type(block).__name__ for block in split(document).body[0].blocks]
    assert kinds.index("Figure") < kinds.index("Table")


def test_a_wide_table_is_set_in_panels_that_fit_and_have_all_columns() -> None:
    item = wide(8, 4)
    assert layout(item) == "panels"
    made = panels(item)
    assert len(made) > 1
    assert all(natural_width(one) <= 1.2 * LINE_WIDTH for one in made)
    assert [column.key for one in made for column in one.columns[1:]] == [f"c{at}" for at in range(8)]
    assert all(one.columns[0].key == "row" for one in made)


def test_a_wide_and_long_table_is_turned_and_a_narrow_one_left_as_it_is() -> None:
    assert layout(wide(8, 30)) == "turned"
    assert layout(wide(2, 30)) == "whole"


def test_what_there_is_no_room_for_is_in_the_appendix_and_named(document: Document) -> None:
    many = tuple(replace(wide(2, 30), id=f"t{at}") for at in range(20))
    parts = split(with_tables(document, *many))
    shown = [block.id for section in parts.body for block in section.blocks if isinstance(block, Table)]
    kept = [block.id for section in parts.appendix for block in section.blocks if isinstance(block, Table)]
    assert 5 < len(shown) < 20
    assert set(shown).isdisjoint(kept)
    assert {item.id for item in many} <= {*shown, *kept}
    assert "A wide table." in parts.elsewhere


def test_both_documents_are_sound(document: Document) -> None:
    defined = r"\newcommand{\finishappendix}{\end{document}}"
    appendix = latex.render_appendix(document)
    assert defined in appendix
    assert appendix.rstrip().endswith(r"\finishappendix")
    alone = appendix.replace(defined, "").rstrip().removesuffix(r"\finishappendix") + r"\end{document}"
    for source in (latex.render(document), alone):
        assert problems(source, allow=("input", "def")) == []
    assert "\\reportpreamble" in latex.render_preamble(document)


@pytest.mark.latex
@pytest.mark.skipif(shutil.which("latexmk") is None, reason="latexmk is not installed")
def test_the_appendix_can_be_input_by_a_paper(tmp_path: Path, document: Document) -> None:
    from reports.write import _latex_files, write_file

    for name, content in _latex_files(document, "double"):
        write_file(tmp_path / name, content)
    paper = [
        r"\documentclass{article}\input{preamble}",
        r"\begin{document}A paper.\appendix\input{appendix}The end.\end{document}",
    ]
    (tmp_path / "paper.tex").write_text("\n".join(paper), encoding="ascii")
    assert "Output written" in compile_tex(tmp_path, "paper.tex")


@pytest.mark.slow
@pytest.mark.latex
@pytest.mark.skipif(shutil.which("latexmk") is None, reason="latexmk is not installed")
@pytest.mark.parametrize("suite", suite_names())
def test_committed_results_make_eight_pages_at_most_and_nothing_sticks_out(
    tmp_path: Path, suite: str
) -> None:
    run = committed(load_suite(suite))
    write_report(run.suite, run.scale, run.reader, judged(run), tmp_path, formats=("latex",))
    for name in ("report", "appendix"):
        log = compile_tex(tmp_path, f"{name}.tex")
        assert "Overfull" not in log
        pages = re.search(r"Output written on \S+ \((\d+) page", log)
        assert pages
        assert name == "appendix" or int(pages[1]) <= MOST_PAGES
