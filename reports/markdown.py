"""Markdown as GitHub renders it, for job summaries and pull requests."""

from __future__ import annotations

import re
from collections.abc import Iterable

from reports.document import (
    Badge,
    Block,
    Break,
    Bullets,
    Card,
    Code,
    Document,
    Facts,
    Figure,
    Glyph,
    Link,
    Listing,
    NotMeasured,
    Number,
    Paragraph,
    Span,
    Spans,
    Strong,
    Table,
    Tally,
    Text,
)
from reports.sample_views import Branch, Trajectories, Trajectory, Tree
from reports.text import MINUS, cause_text, clean, sentence, show

_MARKS = {
    "reproduced": "✓",
    "not reproduced": "✗",
    "inconclusive": "◐",
    "not comparable": "≠",
    "not run": "○",
    "as predicted": "✓",
    "otherwise": "✗",
    "undecided": "◐",
    "right": "✓",
    "wrong": "✗",
}
_STANDING = {"secondary": "†", "unverified": "‡"}
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|~$@-])")
_RIGHT_TO_LEFT = re.compile(r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]")


def render(document: Document) -> str:
    """The whole report in Markdown; figures are given as tables of their numbers."""
    lines = [f"# {escape(document.title)}", "", escape(document.byline), ""]
    lines += [f"- **{escape(term)}**: {spans(items)}" for term, items in document.facts]
    for items in document.abstract:
        lines += ["", spans(items)]
    for section in document.sections:
        lines += ["", f"## {escape(section.title)}"]
        for item in section.blocks:
            lines += ["", block(item)]
    return "\n".join(lines) + "\n"


def summary(document: Document) -> str:
    """Title, counts and the verdict table only."""
    lines = [f"# {escape(document.title)}", ""]
    for section in document.sections:
        if section.id in ("summary", "verdicts"):
            lines += [part for item in section.blocks for part in (block(item), "")]
    return "\n".join(lines)


def escape(text: str) -> str:
    """Text that Markdown and the HTML inside it leave alone."""
    text = clean(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = _SPECIAL.sub(r"\\\1", text)
    # The first-strong isolate keeps its neighbours in place.
    return f"\u2068{text}\u2069" if _RIGHT_TO_LEFT.search(text) else text


def code(text: str) -> str:
    """An identifier between back quotes, whatever it contains."""
    text = clean(text).replace("|", "\\|")
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if "`" in text else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def spans(items: Spans) -> str:
    """Running text."""
    return "".join(_span(item) for item in items)


def _span(span: Span) -> str:
    match span:
        case Number():
            return number(span)
        case NotMeasured(reason=reason):
            return f"not measured: {escape(reason)}"
        case Text(text=text):
            return escape(text)
        case Strong(text=text):
            return f"**{escape(text)}**" if text.strip() else ""
        case Code(text=text):
            return code(text)
        case Link(text=text, target=target):
            return escape(text) if target.startswith("#") else f"[{escape(text)}]({target})"
        case Badge(verdict=verdict, cause=cause, word=word):
            mark = f"{_MARKS[verdict]} " if verdict in _MARKS else ""
            return f"{mark}{escape(word or verdict)}{f' ({escape(cause_text(cause))})' if cause else ''}"
        case Glyph():
            return ""
        case Break():
            return "; "


def number(item: Number) -> str:
    """A number with its unit, mark and interval."""
    shown = show(item)
    value = shown.value.replace("-", MINUS).replace("<", "&lt;")
    value = f"**{value}**" if item.bold else value
    unit = f" {escape(name)}" if (name := shown.unit or item.read_in) else ""
    interval = f" \\[{shown.low}, {shown.high}\\]".replace("-", MINUS) if shown.low else ""
    remark = f" *{escape(shown.remark)}*" if shown.remark else ""
    return f"{value}{unit}{_STANDING.get(item.standing, '')}{interval}{remark}"


def table(item: Table) -> str:
    """One table with its caption and notes."""
    lines = [sentence(spans(item.caption))]
    if item.rows:
        lines += ["", _line(escape(column.header) for column in item.columns)]
        lines += [_line("---:" if column.align == "number" else "---" for column in item.columns)]
    group = ""
    for row in item.rows:
        if row.group and row.group != group:
            lines.append(_line([f"*{escape(row.group)}*", *[""] * (len(item.columns) - 1)]))
        group = row.group
        lines.append(_line(spans(cell) for cell in row.cells))
    for note in item.notes:
        lines += ["", spans(note)]
    return "\n".join(lines)


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def block(item: Block) -> str:
    """One block in Markdown."""
    match item:
        case Paragraph():
            return spans(item.spans) if item.kind != "warning" else f"> **Note.** {spans(item.spans)}"
        case Bullets(items=items):
            return "\n".join(f"- {spans(point)}" for point in items)
        case Facts(items=items):
            return "\n".join(f"- **{escape(term)}**: {spans(value)}" for term, value in items)
        case Listing(lines=lines):
            return "\n".join(f"    {clean(line)}" for line in lines)
        case Table():
            return table(item)
        case Figure():
            return _figure(item)
        case Trajectories():
            return "\n\n".join([escape(item.caption), *(_course(course) for course in item.items)])
        case Tree():
            return "\n".join([escape(item.caption), "", *_branch(item.root, 0)])
        case Tally(title=title, counts=counts):
            listing = ", ".join(f"**{number(item)}** {_MARKS[name]} {name}" for name, item in counts)
            return f"{escape(title)}: {listing}"
        case Card():
            return _card(item)


def _course(item: Trajectory) -> str:
    head = " ".join(part for part in (_MARKS.get(item.mark, ""), f"**{escape(item.heading)}**") if part)
    steps = [
        f"{at}. {escape(step.kind)}: {escape(_one_line(step.text))}" for at, step in enumerate(item.steps, 1)
    ]
    return "\n".join([head, "", *steps])


def _branch(item: Branch, depth: int) -> list[str]:
    edge = f"{escape(item.edge)}: " if item.edge else ""
    note = f" ({escape(item.note)})" if item.note else ""
    head = f"{'  ' * depth}- {edge}{escape('; '.join(item.lines))}{note}"
    return [head, *(line for one in item.below for line in _branch(one, depth + 1))]


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _card(item: Card) -> str:
    marks = [_span(Badge(item.verdict, item.cause)), item.parts and f"{item.parts} parts"]
    marks.append("exploratory" if item.exploratory else "")
    head = f"### {escape(item.claim)}: {'; '.join(mark for mark in marks if mark)}"
    text = f"*{escape(item.statement.strip())}*" if item.statement.strip() else ""
    reason = f"{sentence(escape(item.reason))} {sentence(escape(item.scope))}"
    return "\n\n".join([head, text, reason, *(block(inner) for inner in item.blocks)])


def _figure(item: Figure) -> str:
    lines = [
        sentence(spans(item.caption)),
        "",
        _line(["Series", escape(item.x), escape(item.y)]),
        "| --- | ---: | ---: |",
    ]
    for line in item.lines:
        for name, points in ((line.label, line.points), (f"{line.label}, paper", line.reported)):
            for point in points:
                x = number(point.x) if isinstance(point.x, Number) else escape(_place(point.x))
                lines.append(_line([escape(name), x, number(point.y)]))
    lines += [f"\n{escape(name)}: not measured, {escape(reason)}." for name, reason in item.missing]
    return "\n".join(lines)


def _place(x: float | str) -> str:
    return x if isinstance(x, str) else f"{x:g}"
