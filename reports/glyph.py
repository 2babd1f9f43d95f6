"""The geometry of the small interval drawings, the same on the screen and on paper."""

from __future__ import annotations

from dataclasses import dataclass

from reports.document import Glyph

_FAR = 4.0


@dataclass(frozen=True)
class Places:
    """Horizontal positions in a drawing.

    Attributes:
        zero: Of zero; left out where it is so far off that the interval would shrink to a point.
        low: Of the interval's lower end; the estimate itself without an interval.
        high: Of its upper end.
        at: Of the estimate.
        marks: Of the thresholds.
    """

    zero: float | None
    low: float
    high: float
    at: float
    marks: tuple[float, ...]


def ends(glyph: Glyph) -> tuple[float, float]:
    """The interval, or the estimate twice."""
    number = glyph.number
    return (
        number.value if number.low is None else number.low,
        number.value if number.high is None else number.high,
    )


def places(glyph: Glyph, width: float, pad: float) -> Places:
    """Where everything stands in a drawing of some width that shows zero, thresholds and the interval."""
    low, high = ends(glyph)
    values = [low, high, glyph.number.value, *glyph.marks]
    spread = max(values) - min(values)
    far = spread > 0 and min(abs(value) for value in values) > _FAR * spread and low * high > 0
    values += [] if far else [0.0]
    start, end = min(values), max(values)

    def place(value: float) -> float:
        # A share first: the inverse of a tiny width would overflow.
        share = (value - start) / (end - start) if end > start else 0.0
        return round(pad + share * (width - 2 * pad), 1)

    marks = tuple(place(mark) for mark in glyph.marks)
    zero = None if far else place(0.0)
    return Places(zero, place(low), place(high), place(glyph.number.value), marks)
