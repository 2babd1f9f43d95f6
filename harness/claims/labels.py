"""What cells and contrasts are called in records and reports."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.claims.quantity import Cell, Contrast


def cell_label(cell: Cell) -> str:
    """Metric and place of a cell: "Spearman's rho of slider (amazon, gold)"."""
    return f"{cell.metric.name} of {_place(cell, task=True, part=True)}"


def contrast_label(contrast: Contrast) -> str:
    """θ as a formula, its metric named once where all cells share it."""
    if not contrast.terms:
        return f"{contrast.constant:g}"
    metric, names = _named(contrast)
    if contrast.log:
        names = [f"log {name}" for name in names]
    weights = [weight for weight, _ in contrast.terms]
    return f"{metric}{_sum([*zip(weights, names, strict=True)], contrast.constant)}"


def ratio_label(over: Cell, under: Cell, contrast: Contrast) -> str:
    """The ratio of two cells of a contrast, with their metric: "seconds: plain / fast"."""
    metric, names = _named(contrast)
    by_cell = dict(zip([cell for _, cell in contrast.terms], names, strict=True))
    return f"{metric}{by_cell[over]} / {by_cell[under]}"


def _named(contrast: Contrast) -> tuple[str, list[str]]:
    """The metric that all cells share, if they do, and what tells each of them from the others."""
    cells = [cell for _, cell in contrast.terms]
    task, part = _differ([c.task for c in cells]), _differ([(c.part, c.where) for c in cells])
    one_metric = not _differ([c.metric.name for c in cells])
    names = [_place(c, task=task, part=part) for c in cells]
    if one_metric:
        return f"{cells[0].metric.name}: ", names
    return "", [f"{c.metric.name} of {name}" for c, name in zip(cells, names, strict=True)]


def _place(cell: Cell, *, task: bool, part: bool) -> str:
    notes = [cell.task] if task and cell.task else []
    if part:
        notes += [cell.part] if cell.part not in ("main", "time") else []
        notes += [f"{name} = {value}" for name, value in cell.where]
    return f"{cell.method} ({', '.join(notes)})" if notes else cell.method


def _differ(values: Sequence[object]) -> bool:
    return len(set(values)) > 1


def _sum(terms: Sequence[tuple[float, str]], constant: float) -> str:
    # A constant that is added leads where the first term would begin with a minus: "1 − x".
    leads = constant < 0 and terms[0][0] < 0
    text = f"{-constant:g}" if leads else ""
    for weight, name in terms:
        size = "" if abs(weight) == 1 else f"{abs(weight):g} × "
        sign = ("−" if weight < 0 else "") if not text else (" − " if weight < 0 else " + ")
        text += f"{sign}{size}{name}"
    if constant and not leads:
        text += f" {'−' if constant > 0 else '+'} {abs(constant):g}"
    return text
