"""The suite's tables and figures, filled with measured and reported numbers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from harness.claims import Cell, Contrast
from harness.plan.displayed import planned_rows, planned_series, shown
from harness.plan.selection import cells_of
from harness.suite import Entry, PaperFigure, PaperTable, ReportedRef, Series, TableRow
from harness.text import plural
from reports.document import (
    Column,
    Figure,
    Line,
    NotMeasured,
    Number,
    Point,
    Row,
    Section,
    Spans,
    Table,
    Text,
)
from reports.numbers import Ledger
from reports.sections.common import run_note, words
from reports.sections.verdicts import MARKED, standing_note
from reports.text import anchor, sentence, show


def tables(ledger: Ledger) -> Section | None:
    """The paper's tables side by side with ours; nothing if the suite declares none."""
    listed = shown(ledger.suite.tables, ledger.scale, ledger.experiments)
    made = [paper_table(ledger, table) for table in listed]
    return Section("tables", "The paper's tables beside ours", tuple(made)) if made else None


def figures(ledger: Ledger) -> Section | None:
    """The suite's figures; the one that a page begins with is marked."""
    declared = tuple(shown(ledger.suite.figures, ledger.scale, ledger.experiments))
    made = [paper_figure(ledger, figure) for figure in declared]
    first = _headline(ledger, list(zip(declared, made, strict=True)))
    marked = tuple(replace(figure, headline=True) if figure is first else figure for figure in made)
    return Section("figures", "Figures", marked) if made else None


def _headline(ledger: Ledger, figures: Sequence[tuple[PaperFigure, Figure]]) -> Figure | None:
    """The figure to begin with: as declared, else of a primary claim, else with numbers of the paper."""
    drawn = [pair for pair in figures if any(line.points for line in pair[1].lines)]
    primary = [claim for claim in ledger.suite.claims if claim.primary]
    profile = ledger.scale.profile
    asked = {_kind(cell) for claim in primary for cell in cells_of(claim.forms.get(profile))}

    def rank(pair: tuple[PaperFigure, Figure]) -> tuple[bool, bool, bool]:
        declared, figure = pair
        series = planned_series(declared, ledger.scale, ledger.experiments)
        drawn_there = {_kind(cell) for cell in cells_of(tuple(line.points for line in series))}
        return declared.headline, bool(asked & drawn_there), any(line.reported for line in figure.lines)

    return max(drawn, key=rank)[1] if drawn else None


def _kind(cell: Cell) -> tuple[str, str]:
    return cell.experiment, cell.metric.name


_NOTHING = "This run has nothing of it."
"""Of a table or figure that the profile has, of which this run did not measure any part."""


def paper_table(ledger: Ledger, table: PaperTable) -> Table:
    """One declared table with its entries."""
    rows = tuple(planned_rows(table, ledger.scale, ledger.experiments))
    bold = _bold(ledger, table, rows)
    columns = (
        Column("", "row"),
        *(Column(header, key, "number") for key, header in table.columns.items()),
    )
    filled = tuple(
        Row(
            (words(row.label), *(_entry(ledger, row, key, bold) for key in table.columns)),
            group=row.group,
        )
        for row in rows
    )
    return Table(
        anchor(table.id),
        words(sentence(table.title) + (f" Mirrors {table.source} of the paper." if table.source else "")),
        columns,
        filled,
        _notes(ledger, table, rows),
        export=True,
    )


def _entry(ledger: Ledger, row: TableRow, key: str, bold: frozenset[tuple[int, str]]) -> Spans:
    entry = row.entries.get(key)
    if entry is None:
        return ()
    number = look_up(ledger, entry)
    if isinstance(number, Number) and (id(row), key) in bold:
        return (replace(number, bold=True),)
    return (number,)


def look_up(ledger: Ledger, entry: Entry) -> Number | NotMeasured | Text:
    """The number behind a declared entry."""
    return ledger.reported(entry.id) if isinstance(entry, ReportedRef) else ledger.cell(entry)


def _bold(ledger: Ledger, table: PaperTable, rows: Sequence[TableRow]) -> frozenset[tuple[int, str]]:
    """Entries that win every pairwise test among the comparable entries of their column."""
    rivals: dict[tuple[str, ...], list[tuple[TableRow, str, Cell]]] = defaultdict(list)
    for key in table.bold:
        for row in rows:
            entry = row.entries.get(key)
            if isinstance(entry, Cell):
                # Only numbers of one evaluation set and metric can be compared.
                kind = (
                    key,
                    row.group,
                    entry.experiment,
                    entry.task,
                    entry.part,
                    entry.metric.name,
                    str(entry.where),
                )
                rivals[kind].append((row, key, entry))
    won: set[tuple[int, str]] = set()
    for group in rivals.values():
        for at in ledger.winners([cell for _, _, cell in group]):
            won.add((id(group[at][0]), group[at][1]))
    return frozenset(won)


def _notes(ledger: Ledger, table: PaperTable, rows: Sequence[TableRow]) -> tuple[Spans, ...]:
    entries = [entry for row in rows for entry in row.entries.values()]
    measured = [entry for entry in entries if not isinstance(entry, ReportedRef)]
    notes: list[Spans] = [] if rows else [words(_NOTHING)]
    if measured:
        notes.append(words(f"Estimates with 95 % intervals; {_sizes(ledger, measured)}."))
    if table.bold and measured:
        notes.append(words("Bold: every pairwise difference to the other methods passes the direction rule."))
    if any(_is_marked(ledger, entry) for entry in entries):
        notes.append(standing_note())
    notes.append(words(run_note(ledger)))
    return tuple(notes)


def _is_marked(ledger: Ledger, entry: Entry) -> bool:
    """Whether it is a number of the paper with a mark that has to be explained."""
    number = look_up(ledger, entry) if isinstance(entry, ReportedRef) else None
    return isinstance(number, Number) and number.standing in MARKED


def _sizes(ledger: Ledger, quantities: Sequence[Cell | Contrast]) -> str:
    seeds, units = ledger.sizes(quantities)
    first = quantities[0] if isinstance(quantities[0], Cell) else quantities[0].terms[0][1]
    experiment = ledger.experiments.get(first.experiment)
    parts = [_range(seeds, "seed")]
    if experiment is not None:
        unit = "block" if experiment.timed else experiment.unit
        parts.append(_range(units, unit) + ("" if experiment.timed or not units else " a seed"))
    found = [part for part in parts if part]
    return f"n = {', '.join(found)}" if found else "n not known"


def _range(found: tuple[int, ...], noun: str) -> str:
    if not found:
        return ""
    return plural(found[0], noun) if len(found) == 1 else f"{found[0]:,}–{found[-1]:,} {noun}s"


def paper_figure(ledger: Ledger, figure: PaperFigure) -> Figure:
    """One declared figure with its numbers."""
    lines: list[Line] = []
    missing: list[tuple[str, str]] = []
    for series in planned_series(figure, ledger.scale, ledger.experiments):
        line, reasons = _line(ledger, series, figure)
        missing += [(series.label, reason) for reason in reasons]
        if line.points or line.reported:
            lines.append(line)
    source = f" Mirrors {figure.source} of the paper." if figure.source else ""
    bars = "Error bars are 95 % intervals." if lines else "" if missing else _NOTHING
    text = " ".join(filter(None, (f"{sentence(figure.title)}{source}", bars, run_note(ledger))))
    return Figure(
        anchor(figure.id),
        words(text),
        figure.x,
        figure.y,
        tuple(lines),
        figure.kind,
        figure.log_x,
        figure.log_y,
        tuple(missing),
    )


def _line(ledger: Ledger, series: Series, figure: PaperFigure) -> tuple[Line, tuple[str, ...]]:
    points: list[Point] = []
    reasons: list[str] = []
    for x, y in series.points:
        at = x if isinstance(x, float | int | str) else _on_axis(ledger.cell(x), log=figure.log_x)
        number = _on_axis(ledger.cell(y), log=figure.log_y)
        partial = [f"only {show(n).plain}" for n in (at, number) if isinstance(n, Number) and n.coverage]
        if isinstance(at, NotMeasured) or isinstance(number, NotMeasured):
            reasons += _reasons(at, number)
        elif partial:
            # A mark among others would be read as one of them.
            reasons += partial
        else:
            points.append(Point(at, number))
    reported = (
        (ledger.reported(x.id) if isinstance(x, ReportedRef) else x, ledger.reported(y.id))
        for x, y in series.reported
    )
    drawn = tuple(
        Point(x, y) for x, y in reported if isinstance(y, Number) and not isinstance(x, NotMeasured | Text)
    )
    return Line(series.label, tuple(points), drawn), tuple(dict.fromkeys(reasons))


def _on_axis(number: Number | NotMeasured, *, log: bool) -> Number | NotMeasured:
    """The number as an axis has it: a ratio on a logarithmic one, and else its logarithm."""
    if isinstance(number, Number) and number.form == "ratio" and not log:
        return replace(number, form="fixed", times=1.0)
    return number


def _reasons(*entries: object) -> Iterable[str]:
    return (entry.reason for entry in entries if isinstance(entry, NotMeasured))
