"""A report's headline figure, small enough for the index: an SVG file that is looked at as an image."""

from __future__ import annotations

import base64
from importlib.resources import files
from pathlib import Path

from harness.store.records import VerdictsRecord
from harness.store.view import RunView
from harness.suite import Scale, Suite
from reports.document import Figure
from reports.numbers import Ledger
from reports.plots import figure_thumbnail
from reports.sections.tables import figures

NAME = "thumbnail.svg"
"""The file beside a report's page."""
_MOST_BYTES = 400_000
"""What the index takes of such a file: more is no thumbnail."""
_END = "* { box-sizing"
"""What follows the colours in the style sheet."""


def thumbnail(figure: Figure) -> str:
    """A figure as an SVG file of its own, in the colours of the page, light or dark as the reader likes."""
    svg = figure_thumbnail(figure)
    colours = files("reports").joinpath("assets", "style.css").read_text(encoding="utf-8").partition(_END)[0]
    head, _, rest = svg.partition(">")
    named = head if "xmlns=" in head else f'{head} xmlns="http://www.w3.org/2000/svg"'
    return f"{named}><!-- Reproduction report --><style>{colours}</style>{rest}"


def headline(shown: tuple[Figure, ...]) -> Figure | None:
    """The figure that a report begins with, or nothing if it has none."""
    return next((figure for figure in shown if figure.headline), None)


def thumbnail_of(suite: Suite, scale: Scale, view: RunView, verdicts: VerdictsRecord) -> str:
    """The headline figure of a run without writing its report, or nothing if it has none.

    Raises:
        HandleError: If the verdicts are not of the run.
    """
    section = figures(Ledger(suite, scale, view, verdicts))
    blocks = section.blocks if section else ()
    figure = headline(tuple(block for block in blocks if isinstance(block, Figure)))
    return thumbnail(figure) if figure else ""


def stored(folder: Path) -> str:
    """The thumbnail in a report's folder, or nothing if there is none that could be one."""
    path = folder / NAME
    try:
        return path.read_text(encoding="utf-8") if path.stat().st_size <= _MOST_BYTES else ""
    except (OSError, UnicodeDecodeError):
        return ""


def address(svg: str) -> str:
    """An SVG as the address of an image: nothing in it is run, and nothing is loaded by it."""
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}" if svg else ""
