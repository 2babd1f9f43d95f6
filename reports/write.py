"""Writing a run's report to a folder."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, get_args

from harness.errors import RecordError, unknown_name
from harness.store.records import VerdictsRecord
from harness.store.view import RunView
from harness.suite import Scale, Suite
from harness.text import utf8
from reports import csvs, html, junit, latex, macros, markdown
from reports.build import build, one_table
from reports.document import Document, Table
from reports.latex_tables import Columns
from reports.numbers import Ledger
from reports.own_files import refuse_foreign
from reports.plots import figure_pdf
from reports.thumbnail import NAME as THUMBNAIL
from reports.thumbnail import headline, thumbnail

Format = Literal["html", "latex", "markdown", "csv", "junit"]
FORMATS: tuple[Format, ...] = get_args(Format)


def write_report(
    suite: Suite,
    scale: Scale,
    view: RunView,
    verdicts: VerdictsRecord,
    folder: Path,
    *,
    formats: Sequence[str] = ("html", "latex", "markdown", "csv"),
    columns: Columns = "double",
) -> list[Path]:
    """Write a run's report.

    Args:
        suite: The declarations.
        scale: The run's profile and width.
        view: The run.
        verdicts: Its verdicts.
        folder: Where to write: ``index.html`` and ``thumbnail.svg``; ``report.tex`` and ``appendix.tex``
            with ``preamble.tex``, ``macros.tex``, ``tables/`` and ``figures/``; ``report.md`` with
            ``summary.md``; ``csv/``; ``junit.xml``.
        formats: Which of :data:`FORMATS`.
        columns: Whether LaTeX tables are for one column of a two-column page.

    Returns:
        The files written, the one to look at first in front.

    Raises:
        HandleError: If a number lacks current evidence.
        UsageError: If a format is unknown, or the folder has files of such names that no report has written.
        RecordError: If the folder cannot be written.
    """
    for name in formats:
        _check(name)
    document = build(suite, scale, view, verdicts)
    files = list(_files(document, verdicts, formats, columns))
    refuse_foreign(folder, [name for name, _ in files])
    return [write_file(folder / name, content) for name, content in files]


def render_table(  # noqa: PLR0917 - the command line's arguments, in its order
    suite: Suite,
    scale: Scale,
    view: RunView,
    verdicts: VerdictsRecord,
    table_id: str,
    fmt: str,
    *,
    columns: Columns = "double",
) -> str:
    """One table of a run's report: as ``latex``, ``html``, ``markdown`` or ``csv``.

    Raises:
        HandleError: If a number lacks current evidence.
        UsageError: If the table or the format is unknown.
    """
    if fmt not in ("latex", "html", "markdown", "csv"):
        raise unknown_name("format", fmt, ["latex", "html", "markdown", "csv"])
    if columns not in get_args(Columns):
        raise unknown_name("column layout", columns, list(get_args(Columns)))
    document, table = _find(Ledger(suite, scale, view, verdicts), table_id)
    if fmt == "latex":
        return latex.table_file(document, table, columns)
    if fmt == "html":
        return html.render_table(table)
    return markdown.table(table) + "\n" if fmt == "markdown" else csvs.table_csv(table)


def _find(ledger: Ledger, table_id: str) -> tuple[Document, Table]:
    """A table by its id; one that the suite declares is made alone, which is faster."""
    declared = {table.id: table for table in ledger.suite.tables}
    if table_id in declared:
        return one_table(ledger, declared[table_id])
    document = build(ledger.suite, ledger.scale, ledger.view, ledger.verdicts)
    tables = {table.id: table for table in document.tables()}
    if table_id not in tables:
        known = list({**declared, **tables})
        raise unknown_name("table", table_id, known, where=f"suite {ledger.suite.slug}")
    return document, tables[table_id]


def _check(name: str) -> None:
    if name not in FORMATS:
        raise unknown_name("format", name, list(FORMATS))


def _files(
    document: Document, verdicts: VerdictsRecord, formats: Sequence[str], columns: Columns
) -> Iterator[tuple[str, str | bytes]]:
    if "html" in formats:
        yield "index.html", html.render(document)
        figure = headline(document.figures())
        if figure:
            yield THUMBNAIL, thumbnail(figure)
    if "latex" in formats:
        yield from _latex_files(document, columns)
    if "markdown" in formats:
        yield "summary.md", markdown.summary(document)
        yield "report.md", markdown.render(document)
    if "csv" in formats:
        yield from ((f"csv/{name}", content) for name, content in csvs.render(document).items())
    if "junit" in formats:
        yield "junit.xml", junit.render(verdicts)


def _latex_files(document: Document, columns: Columns) -> Iterator[tuple[str, str | bytes]]:
    yield "report.tex", latex.render(document)
    yield "appendix.tex", latex.render_appendix(document)
    yield "preamble.tex", latex.render_preamble(document)
    yield "macros.tex", macros.macros(document)
    for table in document.tables():
        if table.export:
            yield f"tables/{table.id}.tex", latex.table_file(document, table, columns)
    for figure in document.figures():
        if figure.lines:
            yield f"figures/{figure.id}.pdf", figure_pdf(figure)


def write_file(path: Path, content: str | bytes) -> Path:
    """Write a file as a whole or not at all, so that an interrupted report leaves no half page."""
    data = utf8(content) if isinstance(content, str) else content
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            Path(name).chmod(0o644)
            Path(name).replace(path)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise RecordError(
            f"The report cannot be written: {error.strerror}",
            where=str(path),
            fix="Give another folder, or make room or rights for this one.",
        ) from error
    return path
