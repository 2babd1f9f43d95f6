from __future__ import annotations

import dataclasses
import math
import re
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from reports.document import Document, Figure, Handle, Line, Number, Point
from reports.plots import figure_pdf, figure_svg
from tests.reports import demo

HANDLE = Handle("cell", "x", ("t",))


def number(value: float, spread: float = 0.1) -> Number:
    return Number(value, HANDLE, low=value - spread, high=value + spread)


def figure(**changes: Any) -> Figure:
    line = Line("a", tuple(Point(float(x), number(x)) for x in (1, 2, 4)), (Point(4.0, number(4.2)),))
    plain = Figure("fig", (), "x", "y", (line,))
    return dataclasses.replace(plain, **changes)


@pytest.mark.parametrize("kind", ["line", "bar", "scatter"])
@pytest.mark.parametrize("log", [False, True])
def test_every_kind_is_drawn_twice_the_same(kind: str, *, log: bool) -> None:
    item = figure(kind=kind, log_x=log, log_y=log)
    assert figure_svg(item) == figure_svg(item)
    assert figure_pdf(item) == figure_pdf(item)
    assert figure_pdf(item).startswith(b"%PDF")


def test_a_drawing_is_sound_svg_with_ids_of_its_own(document: Document) -> None:
    for item in document.figures():
        root = ET.fromstring(figure_svg(item))  # noqa: S314 - our own drawing
        ids = [element.get("id") for element in root.iter() if element.get("id")]
        assert ids
        assert all((name or "").startswith(f"{item.id}-") for name in ids)


def test_labels_are_text_and_stay_text() -> None:
    names = ("<script>alert(1)</script>", "$x^2$ & 100 %", demo.HEBREW)
    lines = tuple(Line(name, (Point(1.0, number(1)), Point(2.0, number(2)))) for name in names)
    svg = figure_svg(figure(lines=lines))
    shown = "".join(ET.fromstring(svg).itertext())  # noqa: S314 - our own drawing
    assert all(name in shown for name in names)
    assert "<script" not in svg


def test_intervals_are_drawn_and_left_out_where_there_are_none() -> None:
    with_ends = figure_svg(figure())
    bare = Line("a", tuple(Point(float(x), Number(float(x), HANDLE)) for x in (1, 2, 4)))
    assert with_ends.count("LineCollection") > figure_svg(figure(lines=(bare,))).count("LineCollection")


def test_a_measured_x_is_drawn_with_its_interval() -> None:
    line = Line("a", (Point(number(1.0), number(2.0)), Point(number(2.0), number(3.0))))
    assert figure_svg(figure(lines=(line,), kind="scatter")).count("LineCollection") == 2


def test_categories_keep_their_order() -> None:
    line = Line("a", (Point("zeta", number(1)), Point("alpha", number(2))))
    svg = figure_svg(figure(lines=(line,), kind="bar"))
    assert svg.index("zeta") < svg.index("alpha")


def test_a_line_that_lacks_a_category_does_not_move_it_to_the_end() -> None:
    part = Line("a", (Point("zeta", number(1)), Point("beta", number(2))))
    whole = Line("b", tuple(Point(name, number(1)) for name in ("zeta", "alpha", "beta")))
    svg = figure_svg(figure(lines=(part, whole), kind="bar"))
    assert svg.index("zeta") < svg.index("alpha") < svg.index("beta")


def test_ticks_are_plain_numbers_on_a_logarithmic_scale() -> None:
    line = Line("a", tuple(Point(number(x), number(x * 10)) for x in (1.0, 7.0, 30.0, 200.0)))
    svg = figure_svg(figure(lines=(line,), log_x=True, log_y=True))
    labels = [text.strip() for text in ET.fromstring(svg).itertext() if text.strip()]  # noqa: S314 - our own
    assert "math" not in svg
    assert {"1", "10", "100"} <= set(labels)


def test_the_axes_hold_every_interval() -> None:
    line = Line("a", (Point(1.0, number(5.0, spread=4.0)), Point(2.0, number(6.0, spread=0.5))))
    other = Line("b", (Point(1.0, number(5.5, spread=0.1)), Point(2.0, number(5.5, spread=0.1))))
    svg = figure_svg(figure(lines=(line, other)))
    ticks = [float(text) for text in ET.fromstring(svg).itertext() if text.strip().isdigit()]  # noqa: S314
    assert min(ticks) <= 1.0
    assert max(ticks) >= 9.0


def test_the_axes_hold_the_interval_of_a_measured_x() -> None:
    line = Line("a", (Point(number(50.0, spread=40.0), number(1.0)), Point(number(60.0), number(1.5))))
    svg = figure_svg(figure(lines=(line,), kind="scatter"))
    ticks = [float(text) for text in ET.fromstring(svg).itertext() if text.strip().isdigit()]  # noqa: S314
    assert min(ticks) <= 20.0
    assert max(ticks) >= 80.0


def test_large_ticks_are_grouped() -> None:
    line = Line("a", tuple(Point(x, number(1.0)) for x in (131072.0, 524288.0, 2097152.0)))
    labels = list(ET.fromstring(figure_svg(figure(lines=(line,), log_x=True))).itertext())  # noqa: S314
    assert {"131,072", "524,288", "2,097,152"} <= set(labels)


def test_a_ratio_is_drawn_as_one_though_its_logarithm_is_measured() -> None:
    logs = [Number(math.log(x), HANDLE, math.log(x / 2), math.log(x * 2), form="ratio") for x in (1, 10, 100)]
    item = figure(lines=(Line("a", tuple(Point(float(at), y) for at, y in enumerate(logs, 1))),), log_y=True)
    plain = [dataclasses.replace(y, value=math.exp(y.value), form="fixed") for y in logs]
    ends = [dataclasses.replace(y, low=y.value / 2, high=y.value * 2) for y in plain]
    same = Line("a", tuple(Point(float(at), y) for at, y in enumerate(ends, 1)))
    drawings = [figure_svg(one) for one in (item, figure(lines=(same,), log_y=True))]
    labels = [list(ET.fromstring(drawing).itertext()) for drawing in drawings]  # noqa: S314 - our own
    assert labels[0] == labels[1]
    assert {"1", "10", "100"} <= set(labels[0])


def test_a_ninth_series_shares_its_colour_but_not_its_marker() -> None:
    lines = tuple(Line(f"n{at}", (Point(float(at), number(1.0)),)) for at in range(9))
    svg = figure_svg(figure(lines=lines, kind="scatter"))
    looks = set(re.findall(r'<use xlink:href="#fig-(m\w+)"[^>]*style="fill: (var\(--s\d\))', svg))
    assert len({colour for _, colour in looks}) == 8
    # Ends of intervals are marks, too, and the same for one colour.
    assert len(looks) == 8 + 9
