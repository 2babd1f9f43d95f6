"""The tables of real facts that packages carry."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from harness.method.names import named_function
from methods.common import countries
from methods.common.elements import ELEMENTS, Element


@cache
def tables() -> tuple[countries.Rows, ...]:
    """The tables that records of countries are read from."""
    return tuple(_provided(resource) for resource in countries.TABLES)


@cache
def atlas() -> countries.Atlas:
    """All countries."""
    return countries.read_countries(*tables())


@cache
def elements() -> list[Element]:
    """All elements."""
    found: list[Element] = _provided(ELEMENTS)
    return found


def _provided(resource: Any) -> Any:
    with tempfile.TemporaryDirectory() as name:
        named_function(resource.sources[0].provide)(Path(name))
        return named_function(resource.loader)(Path(name))
