"""Values that functions and classes take from the function they were made in.

The source of such a function is the same for all that are made by it, so that what it closes over,
and its default values, belong to what a result depends on.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from types import CellType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from harness.errors import SuiteError
from harness.plan.canonical import canonical_text, class_name, digest

UNKNOWN = "unknown: "
"""Begins the text of what cannot be known; what depends on it is not reused."""
_WITHOUT = frozenset({"abc", "builtins", "harness", "typing"})


def closed_over(kind: type) -> dict[str, str]:
    """What the functions of a class and of its bases close over, by class, function and name."""
    found: dict[str, str] = {}
    for base in kind.__mro__:
        if base.__module__.partition(".")[0] in _WITHOUT:
            continue
        for name, item in vars(base).items():
            for function in filter(_is_written, _functions(item)):
                for cell, value in _cells(function):
                    found[f"{base.__qualname__}.{name}.{cell}"] = _text(value, frozenset())
    return found


def _is_written(function: FunctionType) -> bool:
    """Whether a function stands in some source, unlike those that a dataclass is given."""
    home = function.__globals__.get("__name__")
    return function.__code__.co_filename != "<string>" and home not in ("dataclasses", "reprlib")


def text_of_function(function: FunctionType, visiting: frozenset[int] = frozenset()) -> str:
    """A function's name, code, default values and what it closes over, as text."""
    inside = visiting | {id(function)}
    parts = [class_name(function), code_digest(function.__code__)]
    defaults = [*enumerate(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).items()]
    parts += [f"{name}={_text(value, inside)}" for name, value in [*defaults, *_cells(function)]]
    return _joined(parts)


def unknown_in(text: str) -> str:
    """What a text says cannot be known, or nothing."""
    return text.partition(UNKNOWN)[2].partition("\n")[0]


def code_digest(code: CodeType) -> str:
    """Hash of compiled code: for what has no source of its own."""
    constants = [_constant(item) for item in code.co_consts]
    return digest(repr((code.co_code, code.co_names, code.co_varnames, constants)))


def _constant(item: Any) -> Any:
    if isinstance(item, CodeType):
        return code_digest(item)
    return sorted(map(repr, item)) if isinstance(item, frozenset) else repr(item)


def _text(value: Any, visiting: frozenset[int]) -> str:
    if id(value) in visiting:
        return "itself"
    inside = visiting | {id(value)}
    if isinstance(value, FunctionType):
        return text_of_function(value, visiting)
    if isinstance(value, MethodType):
        return _joined([_text(value.__func__, inside), _text(value.__self__, inside)])
    if isinstance(value, partial):
        return _joined([_text(part, inside) for part in (value.func, value.args, value.keywords)])
    if isinstance(value, ModuleType):
        return value.__name__
    try:
        return canonical_text(value)
    except SuiteError:
        return _object(value, inside)


def _object(value: Any, inside: frozenset[int]) -> str:
    """An object of no kind that parameters may have: by its attributes, where it shows them."""
    if isinstance(value, tuple | list):
        return _joined([_text(item, inside) for item in value])
    if isinstance(value, dict):
        return _joined([f"{key!r}={_text(item, inside)}" for key, item in value.items()])
    kind = class_name(type(value))
    if not hasattr(value, "__dict__"):
        return f"{UNKNOWN}a value of type {kind} is closed over\n"
    return _joined([kind, *(f"{name}={_text(item, inside)}" for name, item in vars(value).items())])


def _joined(parts: list[str]) -> str:
    if reason := next(filter(None, map(unknown_in, parts)), ""):
        return f"{UNKNOWN}{reason}\n"
    return "\n".join(parts) if len(parts) == 1 else f"({', '.join(parts)})"


def _functions(item: Any) -> list[FunctionType]:
    """The functions behind an attribute of a class."""
    if isinstance(item, property):
        return [one for one in (item.fget, item.fset) if isinstance(one, FunctionType)]
    function = getattr(item, "__func__", item)
    return [function] if isinstance(function, FunctionType) else []


def _cells(function: FunctionType) -> Iterator[tuple[str, Any]]:
    """The values that a function closes over, without the class around it, as ``super`` and hints need it."""
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    for name, cell in cells:
        if name not in ("__class__", "__classdict__"):
            yield from ((name, value) for value in _content(cell))


def _content(cell: CellType) -> list[Any]:
    try:
        return [cell.cell_contents]
    except ValueError:  # Nothing is bound to it yet.
        return []
