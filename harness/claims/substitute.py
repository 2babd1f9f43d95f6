"""A claim's form with its methods and tasks replaced by sabotaged ones."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from harness.claims.claim import Control
from harness.claims.precondition import Precondition
from harness.claims.quantity import Cell

FormT = TypeVar("FormT")


def sabotaged(form: FormT, control: Control) -> FormT:
    """The form over sabotaged cells; its preconditions stay, since they are about the set-up."""
    changed: FormT = _map(form, control)
    return changed


def _map(value: Any, control: Control) -> Any:
    if isinstance(value, Cell):
        return _cell(value, control)
    if isinstance(value, Precondition):
        return value
    if isinstance(value, tuple):
        return tuple(_map(item, control) for item in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{f.name: _map(getattr(value, f.name), control) for f in fields(value)})
    return value


def _cell(cell: Cell, control: Control) -> Cell:
    if control.experiment not in ("", cell.experiment):
        return cell
    return replace(
        cell,
        method=control.replaces.get(cell.method, cell.method),
        task=control.extra.get(cell.task, cell.task),
    )
