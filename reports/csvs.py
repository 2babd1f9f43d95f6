"""CSV: every table, all verdicts, and all numbers in long form."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from reports.document import Badge, Break, Card, Document, Glyph, NotMeasured, Number, Span, Spans, Table
from reports.text import clean, show

NUMBER_FIELDS = (
    "kind",
    "name",
    "value",
    "low",
    "high",
    "unit",
    "standing",
    "trials",
    "suite",
    "profile",
    "run",
)


def render(document: Document) -> dict[str, str]:
    """All files by name: ``numbers.csv``, ``verdicts.csv`` and one a table."""
    made = {f"{table.id}.csv": table_csv(table) for table in document.tables() if table.id != "verdicts"}
    return {"numbers.csv": numbers(document), "verdicts.csv": verdicts(document), **made}


def numbers(document: Document) -> str:
    """Every number at full precision, with its evidence.

    A column says what numbers rest on, where one of them does not rest on its whole evaluation set.
    """
    found = document.numbers()
    partial = any(number.coverage for number in found)
    rows = [
        (
            number.handle.kind,
            number.handle.name,
            repr(number.value),
            "" if number.low is None else repr(number.low),
            "" if number.high is None else repr(number.high),
            number.unit,
            number.standing,
            " ".join(number.handle.trials),
            document.slug,
            document.profile,
            document.run,
            *((number.coverage,) if partial else ()),
        )
        for number in found
    ]
    return _csv((*NUMBER_FIELDS, *(("coverage",) if partial else ())), rows)


def verdicts(document: Document) -> str:
    """One line a claim, compound claims and their parts."""
    fields = (
        "claim",
        "verdict",
        "cause",
        "parts",
        "exploratory",
        "primary",
        "statement",
        "reason",
        "scope",
        "run",
    )
    rows = [
        (
            card.claim,
            card.verdict,
            card.cause,
            card.parts,
            str(card.exploratory).lower(),
            str(card.primary).lower(),
            card.statement,
            card.reason,
            card.scope,
            document.run,
        )
        for card in document.blocks()
        if isinstance(card, Card)
    ]
    return _csv(fields, rows)


def table_csv(table: Table) -> str:
    """One table; a measured number takes three columns: value, low, high.

    In a column of which a number does not rest on its whole evaluation set, a fourth says on what.
    """
    wide = [_has_interval(row.cells[at] for row in table.rows) for at in range(len(table.columns))]
    partial = [any(_coverage(row.cells[at]) for row in table.rows) for at in range(len(table.columns))]
    grouped = any(row.group for row in table.rows)
    header = ["group"] if grouped else []
    for column, split, part in zip(table.columns, wide, partial, strict=True):
        header += [column.key, f"{column.key}_low", f"{column.key}_high"] if split else [column.key]
        header += [f"{column.key}_coverage"] if part else []
    rows = []
    for row in table.rows:
        cells = [row.group] if grouped else []
        for cell, split, part in zip(row.cells, wide, partial, strict=True):
            cells += _split(cell) if split else [_text(cell)]
            cells += [_coverage(cell)] if part else []
        rows.append(cells)
    return _csv(header, rows)


def _coverage(cell: Spans) -> str:
    found = (span.coverage for span in cell if isinstance(span, Number) and span.coverage)
    return "; ".join(found)


def _has_interval(cells: Iterable[Spans]) -> bool:
    """Whether a column holds single measured numbers, one an entry."""
    entries = [[span for span in cell if not isinstance(span, Glyph)] for cell in cells]
    single = [entry[0] for entry in entries if len(entry) == 1 and isinstance(entry[0], Number)]
    return any(number.low is not None for number in single) and all(len(entry) <= 1 for entry in entries)


def _split(cell: Spans) -> list[str]:
    entries = [span for span in cell if not isinstance(span, Glyph)]
    if len(entries) != 1 or not isinstance(entries[0], Number):
        return [_text(cell), "", ""]
    number = entries[0]
    ends = ("" if end is None else repr(end) for end in (number.low, number.high))
    return [repr(number.value), *ends]


def _text(cell: Spans) -> str:
    single = [span for span in cell if not isinstance(span, Glyph)]
    if len(single) == 1 and isinstance(single[0], Number):
        return repr(single[0].value)
    return "".join(_span(span) for span in single)


def _span(span: Span) -> str:
    match span:
        case Number():
            return show(span).plain
        case NotMeasured(reason=reason):
            return f"not measured: {reason}"
        case Badge(verdict=verdict, cause=cause, word=word):
            return f"{word or verdict} ({cause})" if cause else word or verdict
        case Glyph():
            return ""
        case Break():
            return "; "
        case _:
            return span.text


def _csv(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([clean(cell) for cell in row] for row in rows)
    return buffer.getvalue()
