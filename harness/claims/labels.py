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
    cells = [cell for _, cell in contrast.terms]
    task, part = _differ([c.task for c in cells]), _differ([(c.part, c.where) for c in cells])
    one_metric = not _differ([c.metric.name for c in cells])
    names = [_place(c, task=task, part=part) for c in cells]
    if not one_metric:
        names = [f"{c.metric.name} of {name}" for c, name in zip(cells, names, strict=True)]
    if contrast.log:
        names = [f"log {name}" for name in names]
    weights = [weight for weight, _ in contrast.terms]
    formula = _sum([*zip(weights, names, strict=True)], contrast.constant)
    return f"{cells[0].metric.name}: {formula}" if one_metric else formula


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
