"""Names, symbols and atomic numbers of chemical elements, from ``periodictable``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from harness.method import PackageSource, Resource

FILE = "elements.json"


@dataclass(frozen=True)
class Element:
    """One element."""

    number: int
    name: str
    symbol: str


def provide(folder: Path) -> None:
    """Write all elements in the order of their atomic numbers."""
    import periodictable

    rows = sorted((e.number, e.name.capitalize(), e.symbol) for e in periodictable.elements if e.number > 0)
    (folder / FILE).write_text(json.dumps(rows), encoding="utf-8")


def load(folder: Path) -> list[Element]:
    """The elements that the package provided."""
    return [Element(*row) for row in json.loads((folder / FILE).read_text(encoding="utf-8"))]


ELEMENTS = Resource(
    name="chemical-elements",
    kind="dataset",
    licence="public domain",
    version="2.1.0",
    sources=(PackageSource("periodictable", "2.1.0", "methods.common.elements:provide"),),
    loader="methods.common.elements:load",
    size_mb=3,
)
