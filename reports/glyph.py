"""The geometry of the small interval drawings, the same on the screen and on paper."""

from __future__ import annotations

from dataclasses import dataclass

from reports.document import Glyph


@dataclass(frozen=True)
class Places:
    """Horizontal positions in a drawing.

    Attributes:
        zero: Of zero.
        low: Of the interval's lower end; the estimate itself without an interval.
        high: Of its upper end.
        at: Of the estimate.
        marks: Of the thresholds.
    """

    zero: float
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
    values = [0.0, low, high, glyph.number.value, *glyph.marks]
    start, end = min(values), max(values)
    scale = (width - 2 * pad) / (end - start) if end > start else 0.0

    def place(value: float) -> float:
        return round(pad + (value - start) * scale, 1)

    marks = tuple(place(mark) for mark in glyph.marks)
    return Places(place(0.0), place(low), place(high), place(glyph.number.value), marks)
