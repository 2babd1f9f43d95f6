"""Numbers in texts, read and written exactly.

Golds and answers are compared as rational numbers, never as floats or as texts: "1,250,000",
"$1250000.00", "1.25e6" and "1.25 × 10⁶" are one number, and it is written "1250000".
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

_GROUPED = r"\d{1,3}(?:[,_\u00a0\u2009\u202f]\d{3})+(?!\d)"
_DIGITS = rf"(?:{_GROUPED}|\d+)"
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻−", "0123456789+--")
_TIMES_TEN = r"\s*[×x*·]\s*10(?:(?:\^|\*\*)\{?(?P<power>[-+−]?\d{1,3})\}?|(?P<raised>[⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,3}))"
_PLAIN = re.compile(
    rf"(?P<sign>[-+−])?(?P<number>{_DIGITS}(?:\.\d*)?|\.\d+)"
    rf"(?:[eE](?P<exponent>[-+−]?\d{{1,3}})(?!\d|\.\d)|{_TIMES_TEN})?"
)
_HALF_READ = re.compile(r"[eE][-+−]?\d+(?:\.\d*)?")
"""What follows a number that is none, as in "1e1.5": its parts are no numbers by themselves."""
_RATIO = re.compile(r"(?P<sign>[-+−])?\s*(?:(?P<whole>\d+)\s+)?(?P<over>\d+)\s*/\s*(?P<under>0*[1-9]\d*)")
_BEFORE = re.compile(r"^(?P<sign>[-+−]?)\s*(?:US)?[$€£¥₹]\s*")
_AFTER = re.compile(r"\s*(?:%|percent|[$€£¥₹])$", re.IGNORECASE)
_LONG = 10
"""A decimal fraction with more decimals is a quotient that somebody computed in floating point."""
_CLOSE = Fraction(1, 20_000)
"""Relative error of an answer that gives such a quotient with four correct digits."""
_MOST_DIGITS = 1000
"""More, as a model writes that repeats a digit, is not read: Python allows 4300 digits at most."""


@dataclass(frozen=True)
class Found:
    """A number in a text, and where it stands."""

    value: Fraction
    start: int
    end: int


def read_number(text: str) -> Fraction | None:
    """The number that a text consists of, or None.

    Read are signs, separators of thousands (comma, underscore, narrow blanks; in groups of three),
    decimal points, exponents ("1.25e6", "1.25 × 10^6"), ratios ("3/4", "1 3/4"), a currency sign, and a
    full stop at the end. A per cent sign is dropped: "45 %" is the number 45, as in word problems.
    Texts of more than 1000 characters are no number.
    """
    if len(text) > _MOST_DIGITS:
        return None
    plain = _AFTER.sub("", _BEFORE.sub(r"\g<sign>", text.strip().removesuffix(".").rstrip()))
    if match := _RATIO.fullmatch(plain):
        whole = int(match["whole"] or 0)
        value = whole + Fraction(int(match["over"]), int(match["under"]))
        return -value if match["sign"] in ("-", "−") else value
    match = _PLAIN.fullmatch(plain)
    return _value(match) if match else None


def find_numbers(text: str) -> Iterator[Found]:
    """All numbers of at most 1000 digits in a text, from left to right; each part of a ratio is one.

    An exponent that cannot be read, as in "1e1.5" or "1e1234", makes the whole no number.
    """
    end = 0
    for match in _PLAIN.finditer(text):
        if half := _HALF_READ.match(text, match.end()):
            end = half.end()
        elif match.start() >= end and len(match["number"]) <= _MOST_DIGITS:
            yield Found(_value(match), match.start(), match.end())


def write_number(value: Fraction | Decimal | float | str) -> str:
    """A number in digits: no exponent, no separators, no zeros at the end; ratios where they must be.

    A float is written with the 15 digits that every double keeps, so that 0.1 + 0.2 is "0.3".

    Raises:
        ValueError: If the text is no number, or the number is not finite.
    """
    if isinstance(value, str):
        read = read_number(value)
        if read is None:
            raise ValueError(f"'{value}' is no number")
        return write_number(read)
    if isinstance(value, float | Decimal) and not math.isfinite(value):
        raise ValueError(f"{value} is no finite number")
    if isinstance(value, float):
        value = Fraction(int(value)) if value.is_integer() else Fraction(Decimal(f"{value:.15g}"))
    exact = Fraction(value)
    twos, fives, rest = _powers(exact.denominator)
    if rest != 1:
        return f"{exact.numerator}/{exact.denominator}"
    places = max(twos, fives)
    digits = str(abs(exact.numerator) * 10**places // exact.denominator).rjust(places + 1, "0")
    sign = "-" if exact < 0 else ""
    return f"{sign}{digits[:-places]}.{digits[-places:]}" if places else f"{sign}{digits}"


def same_number(answer: str, gold: str) -> bool:
    """Whether an answer states the gold number.

    They must be equal; only a gold with more than ten decimals, which is a rounded quotient itself, is
    met by four correct digits.
    """
    left, right = read_number(answer), read_number(gold)
    if left is None or right is None:
        return False
    decimals = len(write_number(right).partition(".")[2])
    return left == right or (decimals > _LONG and abs(left - right) <= _CLOSE * abs(right))


def _value(match: re.Match[str]) -> Fraction:
    number = Fraction(re.sub(r"[,_\s]", "", match["number"]).rstrip(".") or "0")
    power = match["exponent"] or match["power"] or match["raised"] or "0"
    value = number * Fraction(10) ** int(power.translate(_SUPERSCRIPTS))
    return -value if match["sign"] in ("-", "−") else value


def _powers(number: int) -> tuple[int, int, int]:
    """Exponents of 2 and 5 in a number, and what remains of it."""
    counts = []
    for prime in (2, 5):
        count = 0
        while number % prime == 0:
            number //= prime
            count += 1
        counts.append(count)
    return counts[0], counts[1], number
