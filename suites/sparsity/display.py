"""Tables and figures of the report."""

from __future__ import annotations

from collections.abc import Sequence

from harness.claims import Cell, Contrast, Profile
from harness.suite import PaperFigure, PaperTable, ReportedRef, Scale, Series, TableRow

TABLES: tuple[PaperTable, ...] = ()
FIGURES: tuple[PaperFigure, ...] = ()
