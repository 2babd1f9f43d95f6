"""What each method is, with its parameters and where their values come from."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from typing import Any

from harness.method.contract import Method
from harness.method.references import Artifact, PerSeed, Resource
from harness.suite import Tuned
from reports.document import Block, Code, Column, Paragraph, Row, Section, Span, Spans, Strong, Table, Text
from reports.numbers import Ledger
from reports.sections.common import joined, words
from reports.text import anchor, docstring_paragraphs, prose

_MOST_VALUES = 6


@dataclass(frozen=True)
class Variant:
    """A method as one or several experiments use it."""

    id: str
    method: Method[Any, Any]
    tuned: Tuned | None


def methods(ledger: Ledger) -> Section | None:
    """One description for each class of methods, with the parameters of its variants."""
    blocks: list[Block] = []
    controls = {broken for control in ledger.suite.controls for broken in control.replaces.values()}
    # What the paper is about comes first; a control is part of the evidence.
    described = sorted(
        _by_class(ledger).items(), key=lambda item: controls.issuperset(one.id for one in item[1])
    )
    for kind, variants in described:
        blocks += _describe(kind, variants, controls)
    return Section("methods", "Methods", tuple(blocks)) if blocks else None


def _by_class(ledger: Ledger) -> Mapping[type, list[Variant]]:
    found: dict[type, list[Variant]] = {}
    for experiment in ledger.experiments.values():
        for name, declared in experiment.methods.items():
            tuned = declared if isinstance(declared, Tuned) else None
            method = declared.method if isinstance(declared, Tuned) else declared
            variants = found.setdefault(type(method), [])
            if not any(variant.id == name and variant.method == method for variant in variants):
                variants.append(Variant(name, method, tuned))
    return found


def _describe(kind: type, variants: list[Variant], controls: AbstractSet[str]) -> list[Block]:
    ids = list(dict.fromkeys(variant.id for variant in variants))
    heading: list[Span] = [Strong(kind.__name__), Text(" (")]
    heading += [*joined(Code(name) for name in ids), Text(")")]
    if controls >= {*ids}:
        heading.append(Text(", a negative control"))
    cites = getattr(kind, "cites", "")
    if cites:
        heading.append(Text(f" — {cites}"))
    blocks: list[Block] = [Paragraph(tuple(heading))]
    blocks += [Paragraph(spans) for spans in docstring_paragraphs(kind)]
    rows = _parameter_rows(kind, variants)
    if rows:
        blocks.append(_parameters(kind, rows))
    return blocks


def _parameters(kind: type, rows: tuple[Row, ...]) -> Table:
    columns = (
        Column("Parameter", "parameter"),
        Column("Value", "value"),
        Column("Source", "source"),
        Column("Meaning", "meaning"),
    )
    caption = words(f"{kind.__name__}: parameters and where their values come from.")
    return Table(f"parameters-{anchor(f'{kind.__module__}.{kind.__name__}')}", caption, columns, rows)


def _parameter_rows(kind: type, variants: list[Variant]) -> tuple[Row, ...]:
    if not is_dataclass(kind):
        return ()
    rows = []
    for entry in fields(kind):
        source = entry.metadata.get("source", "not stated")
        doc = entry.metadata.get("doc", "")
        rows.append(
            Row(((Code(entry.name),), _values(entry.name, variants), words(str(source)), prose(str(doc))))
        )
    return tuple(rows)


def _values(name: str, variants: list[Variant]) -> Spans:
    by_value: dict[str, list[str]] = {}
    for variant in variants:
        by_value.setdefault(_value(variant, name), []).append(variant.id)
    if len(by_value) == 1:
        return (Code(next(iter(by_value))),)
    spans: list[Any] = []
    for value, ids in list(by_value.items())[:_MOST_VALUES]:
        spans += [Text("; ")] if spans else []
        spans += [Code(value), Text(f" ({', '.join(dict.fromkeys(ids))})")]
    rest = len(by_value) - _MOST_VALUES
    return (*spans, Text(f"; and {rest} more")) if rest > 0 else tuple(spans)


def _value(variant: Variant, name: str) -> str:
    if variant.tuned is not None and name in variant.tuned.grid:
        return "tuned over " + ", ".join(shown(value) for value in variant.tuned.grid[name])
    return shown(getattr(variant.method, name))


def shown(value: Any) -> str:
    """A declared value as a reader would write it."""
    if isinstance(value, str | int | float) and not isinstance(value, Enum):
        return value if isinstance(value, str) else repr(value)
    if isinstance(value, tuple | list | frozenset):
        return "(" + ", ".join(shown(item) for item in value) + ")"
    return _named(value)


def _named(value: Any) -> str:
    if isinstance(value, Resource):
        return value.name
    if isinstance(value, PerSeed):
        return f"{_named(value.artifact)}, one for each seed"
    if isinstance(value, Artifact):
        return value.title or type(value).__name__
    if isinstance(value, Enum):
        return str(value.value)
    if is_dataclass(value):
        return type(value).__name__
    return str(getattr(value, "__name__", repr(value)))
