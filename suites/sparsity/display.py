"""Tables and figures of the report."""

from __future__ import annotations

from harness.suite import PaperFigure, PaperTable

TABLES: tuple[PaperTable, ...] = ()
FIGURES: tuple[PaperFigure, ...] = ()
