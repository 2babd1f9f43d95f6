"""HTML: one self-contained page that needs neither a network nor JavaScript."""

from __future__ import annotations

import unicodedata
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from harness.claims.ratios import factor
from reports.document import (
    Badge,
    Block,
    Break,
    Code,
    Document,
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
from reports.glyph import ends, places
from reports.plots import figure_svg
from reports.progress import Progress
from reports.text import MINUS, cause_text, clean, digits_of, show

_ICONS = {
    "reproduced": "yes",
    "not reproduced": "no",
    "inconclusive": "half",
    "not comparable": "unlike",
    "not run": "none",
    "right": "yes",
    "wrong": "no",
    "yes": "yes",
    "no": "no",
    "as predicted": "yes",
    "otherwise": "no",
    "undecided": "half",
}
STANDING_MARK = {"secondary": "†", "unverified": "‡"}
_STANDING_WORDS = {
    "secondary": "from a secondary source",
    "unverified": "unverified",
}
_FOLDED = ("methods", "tuning", "cost", "provenance")
"""Sections that are looked things up in, and not read: a page shows their titles first."""
_GLYPH_WIDTH = 112
_GLYPH_PAD = 6


def render(document: Document, live: Progress | None = None) -> str:
    """The document as one HTML page.

    Args:
        document: What to render.
        live: How far the run is, if it goes on.

    Raises:
        jinja2.UndefinedError: If a template asks for something the document does not have.
    """
    return environment().get_template("report.html.j2").render(document=document, live=live)


@cache
def environment() -> Environment:
    """The templates with autoescape on; what a template does not know is an error."""
    made = Environment(
        loader=PackageLoader("reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "spans": spans,
        "label": label,
        "shown": lambda number: _signed(show(number).value),
        "plain": plain,
    }
    made.globals |= {"asset": asset, "figure_svg": _figure, "kind": _kind, "icon": icon, "badge": badge}
    made.globals["folded"] = _FOLDED
    return made


def asset(name: str) -> Markup:
    """A style sheet or script of the package, to be put into the page as it is."""
    return Markup(files("reports").joinpath("assets", name).read_text(encoding="utf-8"))  # noqa: S704


def _kind(block: Block) -> str:
    return type(block).__name__.lower()


def _figure(figure: Any) -> Markup:
    # The drawing is made by matplotlib, which escapes all text in it.
    return Markup(figure_svg(figure))  # noqa: S704


def label(text: str) -> Markup:
    """Text as a label, isolated if any of it runs from right to left."""
    text = clean(text)
    if any(unicodedata.bidirectional(char) in ("R", "AL", "AN") for char in text):
        return Markup("<bdi>{}</bdi>").format(text)
    return escape(text)


def spans(items: Spans) -> Markup:
    """Running text."""
    return Markup("").join(_span(item) for item in items)


def plain(items: Spans) -> str:
    """Running text without any mark-up, for attributes."""
    return "".join(show(i).plain if isinstance(i, Number) else str(getattr(i, "text", "")) for i in items)


def _span(span: Span) -> Markup:
    match span:
        case Number():
            return _number(span)
        case NotMeasured(reason=reason):
            return Markup('<span class="absent">not measured: {}</span>').format(label(reason))
        case Text(text=text):
            return label(text)
        case Strong(text=text):
            return Markup("<strong>{}</strong>").format(label(text))
        case Code(text=text):
            return Markup("<code>{}</code>").format(label(text))
        case Link(text=text, target=target):
            return Markup('<a href="{}">{}</a>').format(_safe(target), label(text))
        case Badge(verdict=verdict, cause=cause, word=word):
            return badge(verdict, cause, word)
        case Glyph():
            return _glyph(span)
        case Break():
            return Markup("<br>")


def _safe(target: str) -> str:
    return target if target.startswith(("#", "https://")) else "#"


def badge(verdict: str, cause: str = "", word: str = "") -> Markup:
    """A verdict in a word, a shape and a colour."""
    name = _ICONS.get(verdict, "none")
    tail = Markup(' <span class="cause">({})</span>').format(cause_text(cause)) if cause else Markup("")
    return Markup('<span class="badge v-{}">{}<span>{}{}</span></span>').format(
        name, icon(verdict), label(word or verdict), tail
    )


def icon(verdict: str) -> Markup:
    """The shape of a verdict; the word beside it says the same, so it is hidden from readers."""
    name = _ICONS.get(verdict, "none")
    return Markup(
        '<svg class="icon v-{0}" viewBox="0 0 16 16" aria-hidden="true"><use href="#i-{0}"/></svg>'
    ).format(name)


def _signed(text: str) -> Markup:
    """A printed number with a true minus sign, and powers of ten where it has an exponent."""
    mantissa, _, exponent = text.partition("e")
    power = Markup("×10<sup>{}</sup>").format(str(int(exponent)).replace("-", MINUS)) if exponent else ""
    return Markup("{}{}").format(mantissa.replace("-", MINUS), power)


def _number(number: Number) -> Markup:
    shown = show(number)
    exact = number.times * factor(number.value) if number.form == "ratio" else number.value
    value = Markup("<data value='{}'>{}</data>").format(repr(exact), _signed(shown.value))
    if number.bold:
        value = Markup("<strong>{}</strong>").format(value)
    name = shown.unit or number.read_in
    unit = Markup('<span class="unit"> {}</span>').format(label(name)) if name else Markup("")
    interval = Markup("")
    if shown.low:
        ends = (_signed(shown.low), _signed(shown.high))
        interval = Markup(' <span class="ci">[{}, {}]</span>').format(*ends)
    remark = Markup(' <em class="partial">{}</em>').format(shown.remark) if shown.remark else Markup("")
    return Markup('<span class="num" title="{}">{}{}{}{}{}</span>').format(
        _evidence(number), value, unit, _standing(number.standing), interval, remark
    )


def _standing(standing: str) -> Markup:
    if standing not in STANDING_MARK:
        return Markup("")
    return Markup('<sup class="standing"><abbr title="{}">{}</abbr></sup>').format(
        _STANDING_WORDS[standing], STANDING_MARK[standing]
    )


def _evidence(number: Number) -> str:
    trials = len(number.handle.trials)
    return f"{number.handle.name}{f' ({trials} trials)' if trials else ''}"


def _glyph(glyph: Glyph) -> Markup:
    found = places(glyph, _GLYPH_WIDTH, _GLYPH_PAD)
    line = Markup('<line class="{1}" x1="{0}" x2="{0}" y1="1" y2="17"/>')
    marks = Markup("").join(line.format(mark, "mark") for mark in found.marks)
    marks += Markup("") if found.zero is None else line.format(found.zero, "zero")
    low, high = (digits_of(glyph.number, end) for end in ends(glyph))
    return Markup(
        '<svg class="glyph" viewBox="0 0 {w} 18" role="img" aria-label="{spoken}">'
        "{marks}"
        '<line class="range" x1="{p.low}" x2="{p.high}" y1="9" y2="9"/>'
        '<circle cx="{p.at}" cy="9" r="3.2"/></svg>'
    ).format(
        w=_GLYPH_WIDTH, spoken=f"interval from {low} to {high}".replace("-", MINUS), marks=marks, p=found
    )


def render_table(table: Table) -> str:
    """One table as a fragment of HTML."""
    return str(environment().get_template("blocks.html.j2").module.table(table))  # type: ignore[attr-defined]
