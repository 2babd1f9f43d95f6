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
        delta: Of the smallest effect that matters, if there is one.
    """

    zero: float
    low: float
    high: float
    at: float
    delta: float | None


def ends(glyph: Glyph) -> tuple[float, float]:
    """The interval, or the estimate twice."""
    number = glyph.number
    return (
        number.value if number.low is None else number.low,
        number.value if number.high is None else number.high,
    )


def places(glyph: Glyph, width: float, pad: float) -> Places:
    """Where everything stands in a drawing of some width that shows zero, δ and the interval."""
    low, high = ends(glyph)
    marks = [0.0, low, high, glyph.number.value, *([] if glyph.delta is None else [glyph.delta])]
    start, end = min(marks), max(marks)
    scale = (width - 2 * pad) / (end - start) if end > start else 0.0

    def place(value: float) -> float:
        return round(pad + (value - start) * scale, 1)

    delta = None if glyph.delta is None else place(glyph.delta)
    return Places(place(0.0), place(low), place(high), place(glyph.number.value), delta)
