"""Whether a rule holds θ to the threshold that its statement names.

An effect δ is no threshold: a rule with θ = ρ and δ = .9 tests ρ > 0. What a statement names is taken
off inside θ (``rho - 0.9``, ``a - 0.5 * b``), or is the margin or the share of a form that has one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from itertools import permutations

from harness.claims import Contrast, Form

_NUMBERS = {
    "twentieth": 0.05,
    "tenth": 0.1,
    "fifth": 0.2,
    "quarter": 0.25,
    "third": 1 / 3,
    "half": 0.5,
    "two thirds": 2 / 3,
    "three quarters": 0.75,
    "point": 1.0,
    "one": 1.0,
    "two": 2.0,
    "twice": 2.0,
    "three": 3.0,
    "thrice": 3.0,
    "four": 4.0,
    "five": 5.0,
    "nine": 9.0,
    "ten": 10.0,
    "twenty": 20.0,
    "fifty": 50.0,
    "hundred": 100.0,
}
_DIGITS = r"\d[\d,]*(?:\.\d+)?|\.\d+"
_NUMBER = rf"(?:{_DIGITS}|{'|'.join(sorted(_NUMBERS, key=len, reverse=True))})(?![\w^/])"
_BOUND = (
    r"\b(?:at least|at most|not? (?:more|less|fewer) than|(?:more|less|fewer|greater|larger|smaller) than"
    r"|above|below|within|by(?: at least| more than)?|correlates?)"
)
_PATTERNS = (
    rf"(?P<n>{_NUMBER}) \w+ in (?P<of>{_NUMBER})",
    rf"{_BOUND}(?: about)?(?: an?)? (?P<n>{_NUMBER})",
    r"\b(?P<n>twice|thrice) (?=as|the|that)",
    rf"\b(?P<n>{_DIGITS}) times\b",
    rf"\b(?P<n>{_DIGITS}) % (?:more|less|faster|slower)",
    r"(?<!with )(?<!first )(?<!second )\b(?P<n>half|two thirds|three quarters|a quarter|a third) (?:as|of) ",
)
_CLOSE = 1e-6


def holds(form: Form, threshold: float) -> bool:
    """Whether every quantity that decides a form is held to a threshold.

    The threshold may be a constant of θ, the weight of a cell, a margin or a share; of logarithms it is
    what the constant or the margin is the logarithm of. Forms that decide nothing hold any, and so
    does one that pools errors, whose tolerance is in its rows.
    """
    if not form.decides:
        return True
    deciding = [item.theta for item in form.measured() if item.allowed is not None or not form.statistical]
    return all(
        any(_equal(threshold, number, log=theta.log) for number in (*form.held, *_of(theta)))
        for theta in deciding
    )


def _of(theta: Contrast) -> Iterator[float]:
    """Numbers that θ holds: its constant, and the factors between its cells.

    A factor is between the two sides (a − .5 b), or between two differences ((a − b) − .5 (c − d)). The
    weights of a mean are none.
    """
    if theta.constant:
        yield theta.constant
    if theta.log:
        return
    weights = [weight for weight, _ in theta.terms]
    sides = [sum(w for w in weights if w > 0), -sum(w for w in weights if w < 0)]
    sizes = {abs(w) for w in weights}
    differences = [size for size in sizes if abs(sum(w for w in weights if abs(w) == size)) < _CLOSE]
    for left, right in (*permutations(sides), *permutations(differences, 2)):
        if left and right and not math.isclose(left, right):
            yield left / right


def _equal(threshold: float, number: float, *, log: bool) -> bool:
    known = [abs(number)]
    if log:
        known += [math.exp(number), math.exp(-number)]
    return any(math.isclose(abs(threshold), value, rel_tol=_CLOSE) for value in known)


def spoken_thresholds(statement: str) -> Iterator[tuple[str, float]]:
    """Words of a statement that name a threshold, with the number: ("at least .9", 0.9)."""
    taken: list[re.Match[str]] = []
    for pattern in _PATTERNS:
        for match in re.finditer(pattern, statement, flags=re.IGNORECASE):
            if any(match.start() < other.end() and other.start() < match.end() for other in taken):
                continue
            taken.append(match)
            number = _value(match["n"])
            if "of" in match.groupdict():
                number /= _value(match["of"])
            yield match[0].strip(), number


def _value(text: str) -> float:
    name = text.lower().removeprefix("a ").removeprefix("an ")
    return _NUMBERS[name] if name in _NUMBERS else float(name.replace(",", ""))


def says_so(form: Form, number: float) -> bool:
    """Whether a form holds a number that a statement says, however it is written: 5 % is .05, 5 or 1.05."""
    share = number / 100
    readings = (number, share, 100 * number, 1 + share, 1 - share, 1 + number, 1 - number)
    return any(holds(form, reading) for reading in readings if reading)
