"""Text as it may safely be printed, and numbers as text."""

from __future__ import annotations

import inspect
import math
import re
import unicodedata
from dataclasses import dataclass

from harness.claims.ratios import factor, factor_text
from reports.document import Code, Number, Span, Spans, Text

MINUS = "\N{MINUS SIGN}"
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

# Overrides and isolates could turn text around outside of their own label.
_BIDI_CONTROLS = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_ROLE = re.compile(r":[a-z:]+:`~?([^`<]+?)(?: <[^>]*>)?`")
_CODE = re.compile(r"``([^`]+)``|`([^`]+)`")
_SECTION = re.compile(
    r"^(Args|Attributes|Returns|Raises|Yields|Note|Notes|Example|Examples):\s*$", re.MULTILINE
)


def clean(text: str) -> str:
    """The text without characters that no output format can carry.

    Control characters and lone surrogates become the replacement character; line breaks and
    tabs become spaces; directional overrides are dropped, since every label is isolated anyway.
    """
    # Lists of a thousand trials are clean, and printable text has no such character.
    return text if text.isprintable() else "".join(_clean(char) for char in text)


def _clean(char: str) -> str:
    if char in "\n\r\t":
        return " "
    if char in _BIDI_CONTROLS:
        return ""
    return REPLACEMENT if unicodedata.category(char) in ("Cc", "Cs", "Cn") else char


def prose(text: str) -> Spans:
    """Running text with code in back quotes, as docstrings write it."""
    text = _ROLE.sub(r"``\1``", text)
    spans: list[Span] = []
    end = 0
    for match in _CODE.finditer(text):
        spans.append(Text(text[end : match.start()]))
        spans.append(Code(match[1] or match[2]))
        end = match.end()
    spans.append(Text(text[end:]))
    return tuple(span for span in spans if not (isinstance(span, Text) and not span.text))


def docstring_paragraphs(item: type) -> tuple[Spans, ...]:
    """The prose of a class docstring: everything before its sections of arguments."""
    text = inspect.cleandoc(item.__dict__.get("__doc__") or "")
    # A dataclass without a docstring gets its signature as one; that describes nothing.
    if not text or text.startswith(f"{item.__name__}("):
        return ()
    text = _SECTION.split(text)[0].strip()
    return tuple(prose(" ".join(part.split())) for part in re.split(r"\n\s*\n", text) if part.strip())


@dataclass(frozen=True)
class Shown:
    """A number in characters, with ASCII signs.

    Attributes:
        value: The estimate: ``"0.812"``, ``"< 0.001"``.
        low: The interval's ends; empty without one.
        high: As above.
        unit: The unit, or empty.
        coverage: What the number rests on, if that is not the whole evaluation set.
    """

    value: str
    low: str = ""
    high: str = ""
    unit: str = ""
    coverage: str = ""

    @property
    def interval(self) -> str:
        """``"[0.78, 0.84]"``, or nothing."""
        return f"[{self.low}, {self.high}]" if self.low else ""

    @property
    def plain(self) -> str:
        """Everything in one string."""
        return " ".join(part for part in (self.value, self.unit, self.interval, self.remark) if part)

    @property
    def remark(self) -> str:
        """``"(3 of 60 units)"``, or nothing."""
        return f"({self.coverage})" if self.coverage else ""


def show(number: Number) -> Shown:
    """A number as it is printed everywhere."""
    unit = number.unit or ("times" if number.form == "ratio" else "")
    if number.low is None or number.high is None:
        return Shown(digits_of(number, number.value), unit=unit, coverage=number.coverage)
    return Shown(
        digits_of(number, number.value),
        digits_of(number, number.low),
        digits_of(number, number.high),
        unit,
        number.coverage,
    )


def digits_of(number: Number, value: float) -> str:
    """One value in the format of a number."""
    if not math.isfinite(value):
        return "nan" if math.isnan(value) else ("inf" if value > 0 else "-inf")
    if number.form == "ratio":
        return factor_text(number.times * factor(value))
    if number.form == "p":
        return _p_value(value)
    if number.form == "count":
        return f"{value:,.0f}" if value == round(value) else f"{value:,.1f}"
    if number.form == "significant":
        return _significant(value, number.digits)
    return _fixed(value, number.digits)


def _p_value(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def _fixed(value: float, digits: int) -> str:
    text = f"{value:.{digits}f}"
    if value != 0 and float(text) == 0:
        return _significant(value, 2)
    return text.removeprefix("-") if float(text) == 0 else text


def _significant(value: float, digits: int) -> str:
    if value == 0:
        return "0"
    exponent = math.floor(math.log10(abs(value)))
    if -4 <= exponent < 6:
        return f"{value:,.{max(0, digits - 1 - exponent)}f}"
    return f"{value:.{digits - 1}e}"


def decimals(value: float, *, at_most: int = 6) -> int:
    """How many decimals a declared number was written with."""
    text = f"{value:.{at_most}f}".rstrip("0")
    return len(text.partition(".")[2])


def sentence(text: str) -> str:
    """The text with a full stop, unless it ends with a mark already."""
    text = text.strip()
    return text if not text or text[-1] in ".!?:" else f"{text}."


def capital(text: str) -> str:
    """The text with a capital in front, unless it starts with a symbol such as θ."""
    return text[:1].upper() + text[1:] if text[:1].isascii() else text


_GROUPED = 10_000


def tick(value: float) -> str:
    """A tick of an axis: large whole numbers in groups of three, as text has them."""
    return f"{value:,.0f}" if abs(value) >= _GROUPED and value == round(value) else f"{value:g}"


def cause_text(cause: str) -> str:
    """The cause of a verdict as readers know it; records keep the word that they began with."""
    return "precondition" if cause == "assay" else cause


def anchor(name: str) -> str:
    """A name as an anchor: letters, digits and hyphens only, and never empty."""
    slug = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")
    plain = slug.replace("-", "") == re.sub(r"[\W_]", "", name)
    # What was dropped still has to tell two names apart.
    tail = "" if plain and slug else f"-{sum(ord(c) * (i + 1) for i, c in enumerate(name)):x}"
    return (slug or "x") + tail
