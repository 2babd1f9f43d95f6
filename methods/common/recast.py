"""One declaration as another class: what a negative control of a task needs."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, TypeVar

Kind = TypeVar("Kind")


def recast(value: Any, kind: type[Kind]) -> Kind:
    """A dataclass's fields as an object of a subclass.

    Args:
        value: The declaration.
        kind: Has the same fields, and more only with defaults.
    """
    return kind(**{field.name: getattr(value, field.name) for field in fields(value)})
