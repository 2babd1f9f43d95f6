from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from harness.store.memory import MemoryRun
from harness.store.records import VerdictsRecord
from reports import latex, write_report
from reports.document import Column, Document, Handle, NotMeasured, Number, Row, Table, Text
from reports.latex_tables import tabular
from reports.latex_widths import is_prose
from reports.macros import command_name, macros
from tests.reports import demo
from tests.reports.latex_lint import problems, row_widths

HANDLE = Handle("declared", "x")


def table(*cells: tuple[object, ...], header: str = "100 % of_x") -> Table:
    columns = (Column("", "row"), Column(header, "a", "number"))
    rows = tuple(Row(((Text(f"row {at}"),), cell)) for at, cell in enumerate(cells))  # type: ignore[arg-type]
    return Table("t", (Text("caption"),), columns, rows)


def test_the_document_is_sound(document: Document) -> None:
    assert problems(latex.render(document), allow=("input", "def")) == []


@pytest.mark.parametrize("columns", ["single", "double"])
def test_tables_are_sound_and_every_row_is_full(document: Document, columns: str) -> None:
    for item in document.tables():
        source = latex.table_file(document, item, columns)  # type: ignore[arg-type]
        assert problems(source) == []
        assert set(row_widths(source)) == {len(item.columns)}
        assert source.count(r"\toprule") == source.count(r"\bottomrule") == 1
        assert "|" not in source.split(r"\toprule")[0].split(r"\begin{tabular}")[-1]


def test_a_table_says_which_run_and_commit_it_is_from(document: Document) -> None:
    source = latex.table_file(document, document.tables()[0], "double")
    head = [line for line in source.splitlines() if line.startswith("%")]
    assert any(document.run in line for line in head)
    assert any(document.commit.split()[0] in line for line in head)


def test_bare_numbers_are_aligned_by_siunitx() -> None:
    source = tabular(table((Number(1.5, HANDLE, digits=2),), (Number(-12.25, HANDLE, digits=2),)))
    assert "S[table-format=-2.2]" in source
    assert "row 1 & -12.25" in source
    assert r"{100 \% of\_x}" in source


def test_intervals_stand_below_in_a_single_column_and_beside_in_a_double() -> None:
    item = table((Number(1.5, HANDLE, low=1.0, high=2.0, digits=1),))
    assert r"\begin{tabular}[t]{@{}r@{}}$1.5$\\{\scriptsize [$1.0$" in tabular(item, "single")
    assert r"$1.5$ {\scriptsize [$1.0$, $2.0$]}" in tabular(item, "double")


def test_what_was_not_measured_is_a_dash_with_its_reason_below() -> None:
    reason = "needs a licence that this user has not accepted yet"
    source = tabular(table((NotMeasured(reason),), (Number(1.0, HANDLE),)))
    assert r"--\textsuperscript{a}" in source
    assert source.count(reason) == 1


def test_only_a_winner_is_bold() -> None:
    source = tabular(table((Number(1.0, HANDLE, low=0.5, high=1.5, bold=True),), (Number(9.0, HANDLE),)))
    assert source.count(r"\textbf") == 1
    assert r"\mathbf{1.000}" in source


def test_a_row_that_starts_with_a_bracket_is_not_an_argument() -> None:
    columns = (Column("a", "a"), Column("b", "b"))
    item = Table("t", (), columns, (Row(((Text("[x]"),), (Text("y"),))),))
    assert "{}[x] & y" in tabular(item)


def test_prose_gets_columns_of_fixed_width_that_share_one_line() -> None:
    columns = (Column("a", "a"), Column("b", "b"))
    item = Table("t", (), columns, (Row(((Text("x"),), (Text("word " * 30),))),))
    assert is_prose(item)
    shares = [float(share) for share in re.findall(r"dimexpr ([0-9.]+)", tabular(item))]
    assert sum(shares) == pytest.approx(1.0, abs=1e-3)


def test_macro_names_are_letters_and_unique(document: Document) -> None:
    source = macros(document)
    names = re.findall(r"\\newcommand\{\\([^}]*)\}", source)
    assert len(names) == len(set(names))
    assert all(name.isalpha() and name.isascii() for name in names)
    assert problems(source, allow=("def",)) == []
    assert len(names) > len(document.numbers())


def test_a_macro_gives_the_number_of_its_handle(document: Document) -> None:
    source = macros(document)
    assert r"\newcommand{\ToyClaimCOneATestOneEffect}{$0.115$}" in source
    assert r"\newcommand{\ToyClaimCOneATestOneEffectInterval}{[$0.062$, $0.168$]}" in source
    assert r"\newcommand{\ToyClaimCTwoVerdict}{not reproduced}" in source


def test_digits_are_spelt_in_command_names() -> None:
    assert command_name("spectr", "K=8, L=4") == "SpectrKIsEightLIsFour"


@pytest.mark.latex
@pytest.mark.skipif(shutil.which("latexmk") is None, reason="latexmk is not installed")
@pytest.mark.parametrize("columns", ["single", "double"])
def test_the_document_compiles_and_nothing_sticks_out(
    tmp_path: Path, view: MemoryRun, verdicts: VerdictsRecord, columns: str
) -> None:
    write_report(demo.SUITE, demo.SCALE, view, verdicts, tmp_path, formats=("latex",), columns=columns)  # type: ignore[arg-type]
    for name in ("report", "appendix"):
        log = compile_tex(tmp_path, f"{name}.tex")
        assert "Overfull" not in log
        assert "Missing character" not in log
        assert (tmp_path / f"{name}.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.latex
@pytest.mark.skipif(shutil.which("latexmk") is None, reason="latexmk is not installed")
def test_a_table_fits_one_column_of_a_paper(tmp_path: Path, document: Document) -> None:
    item = next(table for table in document.tables() if table.id == "main-1")
    (tmp_path / "t.tex").write_text(latex.table_file(document, item, "single"), encoding="ascii")
    paper = [
        r"\documentclass[twocolumn]{article}",
        r"\usepackage[T1]{fontenc}\usepackage{booktabs,array,siunitx,adjustbox}",
        r"\begin{document}\begin{table}\centering\input{t}\end{table}x\end{document}",
    ]
    (tmp_path / "paper.tex").write_text("\n".join(paper), encoding="ascii")
    assert "Overfull" not in compile_tex(tmp_path, "paper.tex")


def compile_tex(folder: Path, name: str) -> str:
    command = ["latexmk", "-pdf", "-interaction=nonstopmode", "-halt-on-error", name]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)
    log = (folder / name).with_suffix(".log").read_text(encoding="utf-8", errors="replace")
    assert done.returncode == 0, log[-3000:]
    return log
