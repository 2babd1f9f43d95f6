"""What of a report stands in the eight pages of ``report.tex``, and what in ``appendix.tex``.

The report has the summary, the verdicts on whole claims, and as many of the paper's tables and of the
figures as there is room for, in the order in which the suite declares them; the appendix has all else.
Nobody reads on after ten pages, and nothing is left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from reports.document import (
    Block,
    Bullets,
    Card,
    Document,
    Facts,
    Figure,
    Listing,
    Paragraph,
    Row,
    Section,
    Spans,
    Table,
    Tally,
    Text,
)
from reports.latex_widths import is_prose, lines_of, natural_width, plain_text
from reports.plots import size

MOST_PAGES = 8
"""Pages of ``report.tex``."""
FIGURE_WIDTH = 0.62
"""Of a figure in the report, as a share of the line."""
LINE_WIDTH = 466.0
"""Of the report and its appendix, in points."""
LANDSCAPE = 1.4
"""A table that would have to shrink by more than this is turned, which takes a page."""
PANEL = 1.15
"""The same of a part of a table that is set in several."""
MOST_TURNED = 2
"""Turned tables in the report; each has a page to itself."""
Layout = Literal["long", "whole", "panels", "turned"]

_PAGE = 700.0
"""Points that can be written on, from top to bottom."""
_PACKED = 0.9
"""The part of the pages that floats fill at worst: what does not fit leaves a gap behind."""
_LINE = 13.0
_SMALL = 11.5
_ROW = 13.5
_FLOAT = 30.0
"""Heights in points: of a line of text, of a caption and of a table, and of the space around a float."""
_MOST_PANELS = 0.6
"""What panels below each other may take of a page; else a wide table is turned."""
_LETTERS = 95
_CAPTION_LETTERS = 100
"""Letters on a line of text and of a caption."""
_OMITTED = ("scope",)
"""Columns of the table of verdicts that the appendix alone has."""


@dataclass(frozen=True)
class Split:
    """A report in two parts, each with sections of its own.

    Attributes:
        body: Sections of the report.
        appendix: Sections of the appendix.
        elsewhere: Captions of the paper's tables and figures for which the report has no room.
    """

    body: tuple[Section, ...]
    appendix: tuple[Section, ...]
    elsewhere: tuple[str, ...] = ()


def split(document: Document) -> Split:
    """Share a document out; each block is in one of the two parts, but for the table of verdicts.

    Of that table the report has the rows of whole claims, and the appendix all.
    """
    opening = _opening(document)
    room = MOST_PAGES * _PAGE * _PACKED - _title(document) - sum(map(height, opening))
    declared = [item for item in _declared(document) if not any(item is block for block in opening)]
    chosen = _chosen(declared, room)
    left = [item for item in declared if not any(item is block for block in chosen)]
    body = (
        Section("verdicts", "Verdicts", tuple(opening)),
        Section("beside", "The paper's tables and figures beside ours", chosen),
    )
    return Split(
        tuple(section for section in body if section.blocks),
        tuple(_appendix(document, (*opening, *chosen))),
        tuple(f"{plain_text(item.caption).partition('. ')[0].rstrip('.')}." for item in left),
    )


def _opening(document: Document) -> list[Block]:
    """What came out in counts and sentences, the headline figure, and the verdicts on whole claims."""
    blocks = [block for section in document.sections if section.id == "summary" for block in section.blocks]
    figures = sorted(document.figures(), key=lambda figure: not figure.headline)
    tables = [_whole(table) for table in document.tables() if table.id == "verdicts"]
    return [*blocks, *[figure for figure in figures if figure.lines][:1], *tables]


def _whole(table: Table) -> Table:
    """The table of verdicts without the parts of claims, and without their scope."""
    kept = [at for at, column in enumerate(table.columns) if column.key not in _OMITTED]
    rows = tuple(
        Row(tuple(row.cells[at] for at in kept), row.group, "plain", row.anchor)
        for row in table.rows
        if row.kind != "part"
    )
    parts = len(table.rows) - len(rows)
    more: Spans = (Text(f" The appendix has the {parts} parts of claims, too."),) if parts else ()
    return replace(
        table,
        id="claims",
        caption=(*table.caption, *more),
        columns=tuple(table.columns[at] for at in kept),
        rows=rows,
        export=False,
    )


def _declared(document: Document) -> Iterator[Table | Figure]:
    """The paper's tables and the figures as they are declared, a figure after every other table."""
    shown = [block for section in document.sections if section.id == "tables" for block in section.blocks]
    tables = [block for block in shown if isinstance(block, Table)]
    figures = list(document.figures())
    for at in range(max(len(figures), math.ceil(len(tables) / 2))):
        yield from tables[2 * at : 2 * at + 2]
        yield from figures[at : at + 1]


def _chosen(declared: Iterable[Table | Figure], room: float) -> tuple[Table | Figure, ...]:
    """As many as there is room for; tables of several pages, and most that are turned, are left out."""
    found: list[Table | Figure] = []
    turned = 0
    for item in declared:
        needed, turns = height(item), isinstance(item, Table) and layout(item) == "turned"
        is_there = bool(item.lines if isinstance(item, Figure) else item.rows)
        if is_there and needed <= min(room, _PAGE) and turned + turns <= MOST_TURNED:
            found.append(item)
            room -= needed
            turned += turns
    return tuple(found)


def _appendix(document: Document, shown: Iterable[Block]) -> Iterator[Section]:
    """Every section with what the report does not have of it."""
    elsewhere = {id(block) for block in shown}
    for section in document.sections:
        blocks = tuple(block for block in section.blocks if id(block) not in elsewhere)
        if blocks:
            yield replace(section, blocks=blocks)


def height(block: Block) -> float:
    """Roughly how much of a page a block takes in the report, in points."""
    match block:
        case Paragraph(spans=spans):
            return _text(spans)
        case Bullets(items=items):
            return sum(map(_text, items))
        case Facts(items=items):
            return sum(_text(spans) for _, spans in items)
        case Listing(lines=lines):
            return _LINE * (len(lines) + 1)
        case Tally():
            return 2 * _LINE
        case Table():
            return _table(block)
        case Figure():
            return _drawing(block) + _caption(block.caption) + _FLOAT
        case Card(blocks=blocks):
            return 4 * _LINE + sum(map(height, blocks))
        case _:
            return _PAGE


def layout(table: Table) -> Layout:
    """How the report sets a table: over pages, as it is, in panels below each other, or turned."""
    if is_prose(table):
        return "long"
    if natural_width(table) <= LANDSCAPE * LINE_WIDTH:
        return "whole"
    return "panels" if _rows_height(table) * len(panels(table)) <= _MOST_PANELS * _PAGE else "turned"


def panels(table: Table) -> tuple[Table, ...]:
    """The columns of a wide table shared out over narrow ones, each with the names of the rows."""
    number, places = 1, range(1, len(table.columns))
    while True:
        most = math.ceil(len(places) / number)
        made = tuple(_columns(table, places[at : at + most]) for at in range(0, len(places), most))
        if most == 1 or all(natural_width(one) <= PANEL * LINE_WIDTH for one in made):
            return made
        number += 1


def _columns(table: Table, kept: Sequence[int]) -> Table:
    """The first column, which names the rows, and some of the others."""
    places = (0, *kept)
    rows = tuple(replace(row, cells=tuple(row.cells[at] for at in places)) for row in table.rows)
    return replace(table, columns=tuple(table.columns[at] for at in places), rows=rows)


def _drawing(figure: Figure) -> float:
    width, tall = size(figure)
    return FIGURE_WIDTH * LINE_WIDTH * tall / width


def _title(document: Document) -> float:
    facts = sum(_text(spans) for _, spans in document.facts)
    return 8 * _LINE + _text((Text(document.byline),)) + facts + sum(map(_text, document.abstract))


def _text(spans: Spans) -> float:
    return _LINE * math.ceil(max(1, len(plain_text(spans))) / _LETTERS) + 4.0


def _caption(*spans: Spans) -> float:
    return _SMALL * math.ceil(sum(len(plain_text(item)) for item in spans) / _CAPTION_LETTERS)


def _table(table: Table) -> float:
    text = _caption(table.caption, *table.notes) + _FLOAT
    match layout(table):
        case "long":
            return sum(_SMALL * lines for lines in lines_of(table)) + 2 * _ROW + text
        case "whole":
            return _rows_height(table) + text
        case "panels":
            return _rows_height(table) * len(panels(table)) + text
        case "turned":
            return _PAGE


def _rows_height(table: Table) -> float:
    return _ROW * (len(table.rows) + len({row.group for row in table.rows if row.group}) + 3)
