"""Reports: from records and verdicts to one document, rendered for the screen, paper and CI.

Nothing here runs an experiment. :func:`write_report` writes all formats of one run,
:func:`render_table` one table, :func:`write_index` the page over all runs of a folder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reports.index import write_index
    from reports.write import render_table, write_report

__all__ = ["render_table", "write_index", "write_report"]


def __getattr__(name: str) -> Any:
    # Lazy, so that the command line can name formats without loading templates.
    if name == "write_index":
        from reports.index import write_index

        return write_index
    if name in __all__:
        from reports import write

        return getattr(write, name)
    raise AttributeError(f"module 'reports' has no attribute '{name}'")
