"""Rules and quantities by what they decide, whatever words explain them."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any

from harness.claims import Cell, Form
from harness.plan.canonical import canonical_text, digest

_WORDS = frozenset({"statement", "source", "note", "otherwise", "reason", "title", "oracle"})
"""Fields that explain a rule without being part of it, as each ``…_reason`` does: a corrected word changes no
verdict."""

_DISPLAY = frozenset({"digits", "unit", "name"})
"""Fields of a metric that only reports read."""

_NAMES = {"Precondition": "Assay", "preconditions": "assays"}
"""What declarations were called when the first hashes were recorded; they are hashed under those names."""


def same_rule(form: Form, other: Form) -> bool:
    """Whether two forms decide alike: they differ in explanations at most."""
    return canonical_text(rule_of(form)) == canonical_text(rule_of(other))


def cell_key(cell: Cell) -> str:
    """A stable name for what a cell measures, however reports call it."""
    return digest(canonical_text(rule_of(cell)))


def quantities_key(form: Form) -> str:
    """A stable name for the quantities of a form, whatever is taken off them and they are held to."""
    thetas = [replace(item.theta, constant=0.0) for item in form.measured()]
    return digest(canonical_text(rule_of(thetas)))


def rule_of(value: Any, leave_out: frozenset[str] = frozenset()) -> Any:
    """A declaration without its explanations, as mappings that have a canonical form."""
    if is_dataclass(value) and not isinstance(value, type):
        kind = type(value).__name__
        skipped = _WORDS | leave_out | (_DISPLAY if kind == "Metric" else frozenset())
        named = (item.name for item in fields(value) if not item.name.endswith("_reason"))
        names = [name for name in named if name not in skipped]
        items = {_NAMES.get(name, name): rule_of(getattr(value, name)) for name in names}
        return {"kind": _NAMES.get(kind, kind), **items}
    if isinstance(value, tuple | list):
        return [rule_of(item) for item in value]
    if isinstance(value, dict):
        return {str(key): rule_of(item) for key, item in value.items()}
    return value
