"""The document model: what a report says, before anyone decides how it looks.

A document is a title, facts about the run and sections of blocks. Running text is a tuple of
spans. A measured, reported or recorded number is always a :class:`Number`, which carries the
:class:`Handle` of its evidence; renderers never receive a bare one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

from reports.sample_views import Trajectories, Tree

HandleKind = Literal["claim", "cell", "reported", "declared", "provenance", "cost", "count"]
NumberFormat = Literal["fixed", "p", "count", "significant", "ratio"]

_FILED = {"summary": 0, "verdicts": 1, "evidence": 2}
"""The order of sections in files of numbers, where it matters to readers; all others follow."""


@dataclass(frozen=True)
class Handle:
    """Where a number comes from.

    Attributes:
        kind: The sort of evidence.
        name: Its path, unique in the document: ``"C3/test/1/effect"``.
        trials: Ids of the trials that it rests on; none for numbers of the paper or of declarations.
    """

    kind: HandleKind
    name: str
    trials: tuple[str, ...] = ()


@dataclass(frozen=True)
class Number:
    """A number with its evidence.

    Attributes:
        value: The estimate, in ``unit``.
        handle: Its evidence.
        low: Lower end of the 95 % interval, if there is one.
        high: Upper end of the 95 % interval.
        digits: Decimals (``fixed``) or significant digits (``significant``).
        unit: Unit, or empty.
        form: How it is printed; ``ratio`` is the exponential of ``value``, which is a logarithm.
        standing: For a number of the paper: how it was established.
        bold: Whether it won every pairwise test of its column.
        coverage: What it rests on, if that is not the whole evaluation set: "3 of 60 units".
        times: What a ratio is multiplied by when it is printed.
        read_in: The unit that a page shows where files have none, as of what a claim measures.
    """

    value: float
    handle: Handle
    low: float | None = None
    high: float | None = None
    digits: int = 3
    unit: str = ""
    form: NumberFormat = "fixed"
    standing: str = ""
    bold: bool = False
    coverage: str = ""
    times: float = 1.0
    read_in: str = ""


@dataclass(frozen=True)
class NotMeasured:
    """An entry that the run declares as not measured, with the reason."""

    reason: str


@dataclass(frozen=True)
class Text:
    """Plain running text; it may contain anything a label can contain."""

    text: str


@dataclass(frozen=True)
class Strong:
    """Text that a reader should see first."""

    text: str


@dataclass(frozen=True)
class Code:
    """An identifier, a path or a command."""

    text: str


@dataclass(frozen=True)
class Link:
    """A link within the document (``#anchor``) or to a public address."""

    text: str
    target: str


@dataclass(frozen=True)
class Badge:
    """A verdict, or a state with a verdict's look.

    Attributes:
        verdict: The verdict or state, which decides the look.
        cause: Why, in a word.
        word: What is printed, if it is not the verdict itself.
    """

    verdict: str
    cause: str = ""
    word: str = ""


@dataclass(frozen=True)
class Glyph:
    """An interval drawn small, beside the number that says the same.

    Attributes:
        number: The number with its interval.
        marks: Thresholds to draw besides zero: δ, or the ends of a margin.
    """

    number: Number
    marks: tuple[float, ...] = ()


@dataclass(frozen=True)
class Break:
    """The start of a new line within an entry."""


Span = Number | NotMeasured | Text | Strong | Code | Link | Badge | Glyph | Break
Spans = tuple[Span, ...]


@dataclass(frozen=True)
class Paragraph:
    """Running text."""

    spans: Spans
    kind: Literal["text", "note", "warning"] = "text"


@dataclass(frozen=True)
class Bullets:
    """A list of short points."""

    items: tuple[Spans, ...]


@dataclass(frozen=True)
class Facts:
    """Terms with what there is to say about each."""

    items: tuple[tuple[str, Spans], ...]


@dataclass(frozen=True)
class Listing:
    """Lines to type or to copy, verbatim."""

    lines: tuple[str, ...]


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        header: What stands above it.
        key: A name for CSV files, unique in the table.
        align: ``number`` sets the entries flush right in figures of equal width.
    """

    header: str
    key: str
    align: Literal["text", "number"] = "text"


@dataclass(frozen=True)
class Row:
    """A row: one entry for each column.

    Attributes:
        cells: In the order of the columns.
        group: Heading that this row and its neighbours stand under.
        kind: Whether it is a compound claim or a part of one.
        anchor: Where links to it lead; empty if nothing links to it.
    """

    cells: tuple[Spans, ...]
    group: str = ""
    kind: Literal["plain", "whole", "part"] = "plain"
    anchor: str = ""


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        id: Unique in the document.
        caption: What it shows.
        columns: In order.
        rows: In order; rows of one ``group`` follow each other.
        notes: Footnotes: n, profile, hardware, run, and what marks mean.
        export: Whether it is written to ``tables/<id>.tex`` for use in a paper.
        folded: Whether a page shows its caption first, since it is looked things up in, and not read.
    """

    id: str
    caption: Spans
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[Spans, ...] = ()
    export: bool = False
    folded: bool = False


@dataclass(frozen=True)
class Point:
    """A point of a figure; x is a number, a measured number or a category."""

    x: float | str | Number
    y: Number


@dataclass(frozen=True)
class Line:
    """A series of a figure, with the numbers of the paper to draw beside it."""

    label: str
    points: tuple[Point, ...]
    reported: tuple[Point, ...] = ()


@dataclass(frozen=True)
class Figure:
    """A figure: the numbers to draw, not the drawing."""

    id: str
    caption: Spans
    x: str
    y: str
    lines: tuple[Line, ...]
    kind: Literal["line", "bar", "scatter"] = "line"
    log_x: bool = False
    log_y: bool = False
    missing: tuple[tuple[str, str], ...] = ()
    """Series that were not measured, with the reason."""
    headline: bool = False  # Whether a page begins with it.


@dataclass(frozen=True)
class Tally:
    """Headline counts: verdict to number of claims, and what is counted."""

    title: str
    counts: tuple[tuple[str, Number], ...]


@dataclass(frozen=True)
class Card:
    """The verdict on one claim with all of its evidence."""

    claim: str
    statement: str
    verdict: str
    cause: str
    reason: str
    scope: str
    blocks: tuple[Block, ...]
    parts: str = ""
    """For a compound claim: "2 of 3"."""
    exploratory: bool = False
    primary: bool = False
    anchor: str = ""
    """Where links to it lead."""


Block = Paragraph | Bullets | Facts | Listing | Table | Figure | Trajectories | Tree | Tally | Card


@dataclass(frozen=True)
class Section:
    """A numbered section."""

    id: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Document:
    """A whole report.

    Attributes:
        title: The paper's title.
        byline: Authors of the paper.
        facts: Profile, date, commit and the like, under the title.
        abstract: What the paper proposes and what came out here.
        sections: In order.
        slug: Name of the suite.
        run: Name of the run.
        commit: Commit of the code, marked if the work tree differed.
        machine: Hardware, in words.
        profile: Name of the profile.
        bibtex: The paper's BibTeX entry.
    """

    title: str
    byline: str
    facts: tuple[tuple[str, Spans], ...]
    abstract: tuple[Spans, ...]
    sections: tuple[Section, ...]
    slug: str
    run: str
    commit: str
    machine: str
    profile: str
    created: str
    bibtex: str = field(default="", repr=False)

    def blocks(self) -> Iterator[Block]:
        """All blocks in reading order, those inside cards included."""
        for section in self.sections:
            for block in section.blocks:
                yield block
                if isinstance(block, Card):
                    yield from block.blocks

    def tables(self) -> tuple[Table, ...]:
        """All tables in reading order."""
        return tuple(block for block in self.blocks() if isinstance(block, Table))

    def figures(self) -> tuple[Figure, ...]:
        """All figures in reading order."""
        return tuple(block for block in self.blocks() if isinstance(block, Figure))

    def numbers(self) -> tuple[Number, ...]:
        """Every number once, by the name of its handle; those of claims come first."""
        found: dict[str, Number] = {}
        filed = sorted(self.sections, key=lambda section: _FILED.get(section.id, len(_FILED)))
        for number in _numbers(replace(self, sections=tuple(filed))):
            found.setdefault(number.handle.name, number)
        return tuple(found.values())


def _numbers(document: Document) -> Iterator[Number]:
    for spans in (*(spans for _, spans in document.facts), *document.abstract):
        yield from _in_spans(spans)
    for block in document.blocks():
        yield from _in_block(block)


def _in_spans(spans: Spans) -> Iterator[Number]:
    found = (span.number if isinstance(span, Glyph) else span for span in spans)
    yield from (span for span in found if isinstance(span, Number))


def _in_block(block: Block) -> Iterator[Number]:
    if isinstance(block, Figure):
        yield from _in_figure(block)
    elif isinstance(block, Tally):
        yield from (number for _, number in block.counts)
    else:
        for spans in _block_spans(block):
            yield from _in_spans(spans)


def _block_spans(block: Block) -> Iterator[Spans]:
    if isinstance(block, Paragraph):
        yield block.spans
    elif isinstance(block, Bullets):
        yield from block.items
    elif isinstance(block, Facts):
        yield from (spans for _, spans in block.items)
    elif isinstance(block, Table):
        yield block.caption
        for row in block.rows:
            yield from row.cells
        yield from block.notes


def _in_figure(figure: Figure) -> Iterator[Number]:
    yield from _in_spans(figure.caption)
    for line in figure.lines:
        for point in (*line.points, *line.reported):
            if isinstance(point.x, Number):
                yield point.x
            yield point.y
