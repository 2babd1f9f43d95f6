"""Figures drawn with matplotlib: SVG for the screen, PDF for paper, from the same numbers.

An SVG leaves its colours to the page: it is drawn with placeholder colours that are replaced
by CSS variables, so that one drawing is legible in the light and in the dark. Both formats are
deterministic.
"""

from __future__ import annotations

import io
import re
import textwrap
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.claims.ratios import factor
from reports.document import Figure, Line, Number, Point
from reports.latex_text import typesettable
from reports.text import clean, tick

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure as Canvas
    from matplotlib.transforms import Transform

_SERIES = 8
_MOST_TICKS = 8
_NARROW = 8.0
_MOST_LETTERS = 46
_THUMBNAIL = (2.7, 1.7)
"""Width and height in inches."""
_MARKERS = "osD^vPX*"
_DASHES = (
    "-",
    (0, (5, 1.6)),
    (0, (1.2, 1.4)),
    (0, (5, 1.4, 1.2, 1.4)),
    "-",
    (0, (5, 1.6)),
    (0, (1.2, 1.4)),
    "-",
)
_HATCHES = ("", "////", "....", "\\\\\\\\", "xxxx", "----", "oooo", "++++")


@dataclass(frozen=True)
class Palette:
    """Colours by role.

    Attributes:
        ink: Text and axes.
        rule: Grid lines.
        ground: The background, for hollow markers.
        series: One colour for each series.
    """

    ink: str
    rule: str
    ground: str
    series: tuple[str, ...]


PRINT = Palette(
    ink="#1c1c1e",
    rule="#dcdcdc",
    ground="#ffffff",
    series=("#0b5fa5", "#c2410c", "#0f766e", "#7c3aed", "#a16207", "#be185d", "#475569", "#4d7c0f"),
)
_PLACEHOLDERS = Palette(
    ink="#fe02fe",
    rule="#fe03fe",
    ground="#fe04fe",
    series=tuple(f"#fe1{index}fe" for index in range(_SERIES)),
)
_VARIABLES = {
    _PLACEHOLDERS.ink: "var(--ink)",
    _PLACEHOLDERS.rule: "var(--rule)",
    _PLACEHOLDERS.ground: "var(--ground)",
    **{colour: f"var(--s{index})" for index, colour in enumerate(_PLACEHOLDERS.series)},
}

_STYLE: dict[str, Any] = {
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "axes.labelsize": 9,
    "axes.linewidth": 0.7,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.size": 9,
    "grid.linewidth": 0.6,
    "hatch.linewidth": 0.5,
    "legend.fontsize": 8.5,
    "legend.frameon": False,
    "lines.linewidth": 1.4,
    "lines.markersize": 4.5,
    "pdf.fonttype": 42,
    "svg.fonttype": "none",
    "svg.hashsalt": "corroborate",
    # A dollar sign in a label is a dollar sign.
    "text.parse_math": False,
    "text.usetex": False,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
}


def figure_svg(figure: Figure) -> str:
    """The figure as an ``<svg>`` element for an HTML page, its colours CSS variables."""
    return _svg(figure, small=False)


def figure_thumbnail(figure: Figure) -> str:
    """The figure's shape, small: an SVG without legend and names, its colours CSS variables."""
    return _svg(figure, small=True)


def _svg(figure: Figure, *, small: bool) -> str:
    with _quiet():
        raw = _draw(figure, _PLACEHOLDERS, "svg", clean, small=small).decode()
    svg = raw[raw.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<!--.*?-->", "", svg, flags=re.DOTALL)
    for colour, variable in _VARIABLES.items():
        svg = svg.replace(colour, variable)
    svg = re.sub(r"'DejaVu Sans'[^;\"]*", "var(--sans)", svg)
    # Several drawings share a page, and matplotlib numbers each from one.
    svg = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{figure.id}-", svg)
    return re.sub(r'(<svg[^>]*?) width="[^"]*"| height="[^"]*pt"', r"\1", svg, count=2)


def figure_pdf(figure: Figure) -> bytes:
    """The figure as a PDF file of one page, for LaTeX."""
    with _quiet():
        return _draw(figure, PRINT, "pdf", typesettable)


def size(figure: Figure) -> tuple[float, float]:
    """Width and height of the drawing in inches; each series may add lines to the legend."""
    return 5.2, 2.9 + 0.2 * len(figure.lines)


@contextmanager
def _quiet() -> Iterator[None]:
    # The page's own fonts draw the text of an SVG; matplotlib only measures it.
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from", category=UserWarning)
        warnings.filterwarnings(
            "ignore", message=r"Matplotlib currently does not support", category=UserWarning
        )
        yield


def _draw(
    figure: Figure, palette: Palette, kind: str, spell: Callable[[str], str], *, small: bool = False
) -> bytes:
    import matplotlib as mpl
    from matplotlib.figure import Figure as Canvas

    style: Any = _STYLE | dict.fromkeys(_INKED, palette.ink) | {"grid.color": palette.rule}
    with mpl.rc_context(style):
        labels = [spell(label) for line in figure.lines for label in (line.label, f"{line.label}, paper")]
        canvas = Canvas(figsize=_THUMBNAIL if small else size(figure), layout="constrained")
        canvas.patch.set_visible(False)
        axes = canvas.subplots()
        axes.patch.set_visible(False)
        _Drawing(canvas, axes, figure, palette, spell).fill()
        if small:
            _strip(axes)
        else:
            _legend(canvas, axes, labels)
        buffer = io.BytesIO()
        dates = {"Date": None} if kind == "svg" else {"CreationDate": None}
        canvas.savefig(buffer, format=kind, metadata={**dates, "Creator": None})
        return buffer.getvalue()


def _strip(axes: Axes) -> None:
    """Take away what cannot be read on a thumbnail."""
    axes.set(xlabel="", ylabel="")
    axes.tick_params(labelbottom=False, labelleft=False)
    for patch in axes.patches:
        patch.set_hatch("")


_INKED = (
    "axes.edgecolor",
    "axes.labelcolor",
    "text.color",
    "xtick.color",
    "ytick.color",
    "legend.labelcolor",
)


@dataclass
class _Drawing:
    """One figure on its axes.

    Attributes:
        canvas: The page of the drawing.
        axes: What is drawn on.
        figure: What is drawn.
        palette: In which colours.
        spell: How labels are written.
    """

    canvas: Canvas
    axes: Axes
    figure: Figure
    palette: Palette
    spell: Callable[[str], str]

    def fill(self) -> None:
        """Draw all series, then label the axes."""
        places = _places(self.figure)
        if self.figure.kind == "bar":
            self._bars(places)
        else:
            for index, line in enumerate(self.figure.lines):
                self._series(line, index, places)
            if places:
                self.axes.set_xticks(list(places.values()), [self.spell(name) for name in places])
        self._label()

    def _label(self) -> None:
        self.axes.set_xlabel(self.spell(self.figure.x))
        self.axes.set_ylabel(self.spell(self.figure.y))
        if self.figure.kind != "bar":
            self._x_ticks()
        if self.figure.log_y:
            self.axes.set_yscale("log")
            _plain_log(self.axes.yaxis)

    def _x_ticks(self) -> None:
        from matplotlib.ticker import NullLocator

        points = [point for line in self.figure.lines for point in line.points]
        values = sorted({point.x for point in points if isinstance(point.x, float | int)})
        if self.figure.log_x:
            self.axes.set_xscale("log")
            _plain_log(self.axes.xaxis)
        if 1 < len(values) <= _MOST_TICKS:
            self.axes.set_xticks(values, [tick(value) for value in values])
            self.axes.xaxis.set_minor_locator(NullLocator())

    def _series(self, line: Line, index: int, places: dict[str, float]) -> None:
        colour = self.palette.series[index % _SERIES]
        marker = _MARKERS[_shape(index)]
        if line.points:
            self.axes.errorbar(
                [_x(point, places) for point in line.points],
                [_drawn(point.y) for point in line.points],
                yerr=_errors([point.y for point in line.points]),
                xerr=_errors([point.x for point in line.points if isinstance(point.x, Number)]),
                label=self.spell(line.label),
                color=colour,
                marker=marker,
                linestyle=_DASHES[_shape(index)] if self.figure.kind == "line" else "none",
                elinewidth=1.0,
                capsize=2.2,
                transform=self._aside(index),
            )
            self._extend(line, places)
        if line.reported:
            self._reported(line, [_x(point, places) for point in line.reported], colour, marker)

    def _extend(self, line: Line, places: dict[str, float]) -> None:
        # Artists that are moved aside do not count for the limits of the axes.
        xs = [_extent(p.x) if isinstance(p.x, Number) else [_x(p, places)] for p in line.points]
        corners = [(x, y) for p, at in zip(line.points, xs, strict=True) for x in at for y in _extent(p.y)]
        self.axes.update_datalim(corners)
        self.axes.autoscale_view()

    def _aside(self, index: int) -> Transform:
        """The data's transform, moved by a point or two, so that intervals do not hide each other."""
        from matplotlib.transforms import ScaledTranslation

        number = len(self.figure.lines)
        step = 0.0 if self.figure.kind == "scatter" else min(2.4, 12 / number)
        points = (index - (number - 1) / 2) * step
        move = ScaledTranslation(points / 72, 0, self.canvas.dpi_scale_trans)
        return self.axes.transData + move

    def _reported(self, line: Line, x: list[float], colour: str, marker: str) -> None:
        self.axes.plot(
            x,
            [_drawn(point.y) for point in line.reported],
            label=self.spell(f"{line.label}, paper"),
            color=colour,
            marker=marker,
            markersize=6.5,
            markerfacecolor=self.palette.ground,
            linestyle="none",
        )

    def _bars(self, places: dict[str, float]) -> None:
        width = 0.8 / max(1, len(self.figure.lines))
        for index, line in enumerate(self.figure.lines):
            offset = (index - (len(self.figure.lines) - 1) / 2) * width
            if line.points:
                self._bar_group(line, [places[_category(p)] + offset for p in line.points], width, index)
            if line.reported:
                x = [places[_category(p)] + offset for p in line.reported]
                self._reported(line, x, self.palette.ink, _MARKERS[_shape(index)])
        self.axes.set_xticks(list(places.values()), [self.spell(name) for name in places])
        if sum(max(len(name), 4) for name in places) > _MOST_LETTERS:
            self.axes.tick_params(axis="x", rotation=28)
            for label in self.axes.get_xticklabels():
                label.set_horizontalalignment("right")
                label.set_rotation_mode("anchor")

    def _bar_group(self, line: Line, x: list[float], width: float, index: int) -> None:
        self.axes.bar(
            x,
            [_drawn(point.y) for point in line.points],
            width * 0.92,
            yerr=_errors([point.y for point in line.points]),
            label=self.spell(line.label),
            color=self.palette.series[index % _SERIES],
            hatch=_HATCHES[_shape(index)],
            edgecolor=self.palette.ground,
            linewidth=0.4,
            error_kw={"elinewidth": 1.0, "capsize": 2.2, "ecolor": self.palette.ink},
        )


def _shape(index: int) -> int:
    """Which marker, dash or hatch a series has: from the ninth on, colours come again with other shapes."""
    return (index + 3 * (index // _SERIES)) % _SERIES


def _plain_log(axis: Axis) -> None:
    """Ticks at round multiples of powers of ten, as plain numbers: labels are never mathematics."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    low, high = axis.get_view_interval()
    wide = low <= 0 or high / low > _NARROW
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if wide else (1.0, 1.5, *range(2, 10))))
    axis.set_major_formatter(FuncFormatter(lambda value, _: tick(value)))
    axis.set_minor_locator(NullLocator())


def _category(point: Point) -> str:
    if isinstance(point.x, Number):
        return f"{point.x.value:g}"
    return point.x if isinstance(point.x, str) else f"{point.x:g}"


def _places(figure: Figure) -> dict[str, float]:
    """Positions of categories on the x axis, in the order of the line that has most of them."""
    found: dict[str, float] = {}
    for line in sorted(figure.lines, key=lambda line: -len(line.points)):
        for point in (*line.points, *line.reported):
            if figure.kind == "bar" or isinstance(point.x, str):
                found.setdefault(_category(point), float(len(found)))
    return found


def _x(point: Point, places: dict[str, float]) -> float:
    if isinstance(point.x, Number):
        return _drawn(point.x)
    return places[point.x] if isinstance(point.x, str) else float(point.x)


def _drawn(number: Number, value: float | None = None) -> float:
    """The number, or an end of its interval, as it is drawn: a ratio, where a logarithm is printed as one."""
    value = number.value if value is None else value
    return number.times * factor(value) if number.form == "ratio" else value


def _extent(number: Number) -> list[float]:
    return [_drawn(number, end) for end in (number.low, number.value, number.high) if end is not None]


def _errors(numbers: list[Number]) -> list[list[float]] | None:
    """Lengths below and above each estimate, shape (2, n), or nothing without intervals."""
    if not any(number.low is not None for number in numbers):
        return None
    lows = [max(0.0, _drawn(n) - _drawn(n, n.low)) for n in numbers]
    highs = [max(0.0, _drawn(n, n.high) - _drawn(n)) for n in numbers]
    return [lows, highs]


def _legend(canvas: Canvas, axes: Axes, order: list[str]) -> None:
    found = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    longest = max((len(label) for label in found), default=0)
    if len(found) < 2 and not any(label.endswith(", paper") for label in found):
        return
    names = [name for name in order if name in found]
    columns = 1 if longest > 32 else (2 if longest > 17 else 3)
    wrapped = [textwrap.fill(name, _MOST_LETTERS + 14) for name in names]
    handles = [found[name] for name in names]
    canvas.legend(handles, wrapped, loc="outside lower center", ncols=min(columns, len(names)))
