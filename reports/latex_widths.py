"""How wide tables are in LaTeX: what can be known without setting them."""

from __future__ import annotations

import math
import re

from reports.document import (
    Badge,
    Break,
    Code,
    Column,
    Glyph,
    Link,
    NotMeasured,
    Number,
    Span,
    Spans,
    Strong,
    Table,
    Text,
)
from reports.text import cause_text, show

LINE = 104
"""Letters of footnote size on a line of the standalone report."""
TURNED_LINE = 159
"""The same on a page that is turned."""
_GAP = 3
_LETTER = 4.6
_SMALL_LETTER = 3.5
_TABCOLSEP = 6.0
"""Rough widths in points, of letters at 9 and 7 points and of the space between columns."""
_DRAWING = 11
"""Letters that are as wide as the drawing of an interval."""
BREAKABLE = 16
_LONG_ROWS = 36
_PROSE_CELL = 26
LONG_LABEL = 40
_LONG_ENTRY = 20


def is_prose(table: Table) -> bool:
    """Whether a table holds running text, or too many rows for one page."""
    if len(table.rows) > _LONG_ROWS:
        return True
    wordy = [at for at, column in enumerate(table.columns) if at and column.align == "text"]
    return any(len(plain_text(row.cells[at])) > _PROSE_CELL for row in table.rows for at in wordy)


def natural_width(table: Table) -> float:
    """Roughly how wide a table of numbers is before it is shrunk, in points."""
    found = []
    for at, column in enumerate(table.columns):
        cells = [_cell_width(row.cells[at], column) for row in table.rows]
        found.append(max([len(column.header) * _LETTER, *cells]))
    return sum(found) + 2 * _TABCOLSEP * (len(found) - 1)


def lines_of(table: Table) -> list[int]:
    """How many lines each row of a table of prose takes, roughly."""
    letters = [max(1.0, share * LINE - _GAP) for share in widths(table)]
    return [
        max(math.ceil(len(plain_text(cell)) / width) for cell, width in zip(row.cells, letters, strict=True))
        for row in table.rows
    ]


def _cell_width(cell: Spans, column: Column) -> float:
    if long_note(cell, column):
        return 3 * _LETTER
    if len(cell) != 1 or not isinstance(cell[0], Number):
        return min(len(plain_text(cell)), LONG_LABEL) * _LETTER
    shown = show(cell[0])
    letters = len(shown.value) + len(shown.unit) + len(shown.remark)
    return letters * _LETTER + len(shown.interval) * _SMALL_LETTER


def long_note(cell: Spans, column: Column) -> str:
    """What of an entry would make its column too wide, or nothing."""
    for span in cell:
        if isinstance(span, NotMeasured):
            return f"not measured: {span.reason}"
        if isinstance(span, Text) and column.align == "number" and len(span.text) > _LONG_ENTRY:
            return span.text
    return ""


def plain_text(cell: Spans) -> str:
    """Running text without any mark-up, as wide as it is printed."""
    return "".join(_span_text(span) for span in cell)


def _span_text(span: Span) -> str:
    match span:
        case Number():
            return show(span).plain
        case NotMeasured(reason=reason):
            return f"not measured: {reason}"
        case Badge(verdict=verdict, cause=cause, word=word):
            return f"* {word or verdict}" + (f" ({cause_text(cause)})" if cause else "")
        case Glyph() | Break():
            return " "
        case Text(text=text) | Strong(text=text) | Code(text=text) | Link(text=text):
            return text


def is_crowded(table: Table) -> bool:
    """Whether a table of prose has more columns than a line has room for."""
    return sum(_least(table)) > LINE - _GAP * (len(table.columns) - 1)


def _least(table: Table) -> list[float]:
    """Letters that each column needs for its longest word."""
    least: list[float] = []
    for at, column in enumerate(table.columns):
        texts = [plain_text(row.cells[at]) for row in table.rows]
        heads = re.split(r"[\s-]", column.header)
        found = [min(len(word), BREAKABLE) for text in texts for word in text.split()]
        # A number stands in one line with its unit.
        found += [
            len(f"{shown.value} {shown.unit}".rstrip())
            for row in table.rows
            for span in row.cells[at]
            if isinstance(span, Number)
            for shown in (show(span),)
        ]
        if any(isinstance(span, Glyph) for row in table.rows for span in row.cells[at]):
            found.append(_DRAWING)
        least.append(max([*found, *map(len, heads)], default=1) + 1.5)
    return least


def widths(table: Table, line: float = LINE) -> list[float]:
    """Shares of the line for each column, so that every unbreakable word fits.

    A column gets at least its longest word; what is left is shared by the square root of the
    longest entry, so that long prose does not starve the rest.
    """
    least = _least(table)
    wish = [
        math.sqrt(max((len(plain_text(row.cells[at])) for row in table.rows), default=1))
        for at in range(len(table.columns))
    ]
    room = line - _GAP * (len(least) - 1)
    spare = max(0.0, room - sum(least))
    total = max(sum(least), room)
    return [(low + spare * part / sum(wish)) / total for low, part in zip(least, wish, strict=True)]
