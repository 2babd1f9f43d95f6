"""Reports: from records and verdicts to one document, rendered for the screen, paper and CI.

Nothing here runs an experiment. :func:`write_report` writes all formats of one run,
:func:`render_table` one table, :func:`write_index` the page over all runs of a folder,
:func:`write_comparison` the page of two runs side by side, :func:`write_live_page` that of a run which
goes on.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reports.comparison import Side, write_comparison
    from reports.index import write_index
    from reports.live import mark_interrupted, write_live_page
    from reports.progress import Progress
    from reports.thumbnail import thumbnail_of
    from reports.write import render_table, write_report

_PLACES = {
    "Progress": "progress",
    "Side": "comparison",
    "mark_interrupted": "live",
    "render_table": "write",
    "thumbnail_of": "thumbnail",
    "write_comparison": "comparison",
    "write_index": "index",
    "write_live_page": "live",
    "write_report": "write",
}
__all__ = [
    "Progress",
    "Side",
    "mark_interrupted",
    "render_table",
    "thumbnail_of",
    "write_comparison",
    "write_index",
    "write_live_page",
    "write_report",
]


def __getattr__(name: str) -> Any:
    # Lazy, so that the command line can name formats without loading templates.
    if name in _PLACES:
        return getattr(import_module(f"reports.{_PLACES[name]}"), name)
    raise AttributeError(f"module 'reports' has no attribute '{name}'")
