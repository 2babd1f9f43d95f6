"""What a class of tasks, methods or artifacts must be, so that a record says what was computed.

Parameters are written down from the fields of a dataclass. A class that holds others than its fields
say, or changes what it is given, would be recorded with one value and run with another.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import MISSING, Field, fields, is_dataclass, replace
from functools import cache
from typing import Any, ClassVar, TypeVar, get_origin

from harness.errors import CorroborateError, SuiteError
from harness.foreign import foreign
from harness.method.contract import Method, Task
from harness.method.references import Artifact
from harness.plan.canonical import canonical_text, class_name

ValueT = TypeVar("ValueT")

_CONTRACT = "harness."
_FIX = "Decorate the class itself with @dataclass(frozen=True), and annotate every parameter."


def check_declared(value: Any) -> None:
    """Refuse a task, method or artifact whose fields do not say what it holds.

    Raises:
        SuiteError: If it is no frozen dataclass, adds or overrides parameters outside one, holds
            something that can be changed, or (a method) changes its parameters when it is made.
    """
    kind = type(value)
    fault = _fault(kind)  # type: ignore[arg-type]
    if fault:
        raise SuiteError(f"{kind.__qualname__} {fault}", where=class_name(kind), fix=_FIX)
    for item in fields(value):
        if item.default_factory in (list, dict, set, bytearray):
            raise SuiteError(
                f"The default of parameter '{item.name}' of {kind.__qualname__} can be changed while it runs",
                where=class_name(kind),
                fix="Give a tuple, a frozenset or a frozen dataclass instead.",
            )
    if isinstance(value, Method):
        _check_kept(kind, _made(kind), _defaults(kind))  # type: ignore[arg-type]
        _check_kept(kind, replace(value), _given(value))  # type: ignore[type-var]


def with_values(method: ValueT, values: Mapping[str, Any]) -> ValueT:
    """The method with other values of some parameters.

    Raises:
        UsageError: If its constructor does not take them.
        SuiteError: If it does not keep them as given.
    """
    if not values:
        return method
    told = ", ".join(f"{name}={value!r}" for name, value in values.items())
    with foreign(f"The method does not take {told}", where=type(method).__qualname__):
        made = replace(method, **values)  # type: ignore[type-var]
    _check_kept(type(method), made, values)
    return made


@cache
def _fault(kind: type) -> str:
    """What is wrong with a class, or nothing."""
    if not is_dataclass(kind):
        return "is not a dataclass: its parameters would not be recorded"
    settled: set[str] = set()
    for one in kind.__mro__:
        if one.__module__.startswith(_CONTRACT) or not issubclass(one, Method | Task | Artifact):
            continue
        params = vars(one).get("__dataclass_params__")
        if params is not None and not params.frozen:
            return f"can be changed while it runs: {one.__qualname__} is not frozen"
        # A field of a subclass has the last word on a name that a base only announces.
        hidden = sorted(set(_hidden(one, declares=params is not None)) - settled)
        if hidden:
            name = "" if one is kind else f" of its base {one.__qualname__}"
            return (
                f"would be recorded with other parameters than it runs with: {', '.join(hidden)}{name} "
                "is outside the fields of a dataclass"
            )
        settled |= set(_announced(one)) if params is not None else set()
    return ""


def _announced(kind: type) -> Iterator[str]:
    """Names that a class annotates as parameters."""
    yield from (name for name, hint in _annotations(kind).items() if not _of_class(hint))


def _annotations(kind: type) -> Mapping[str, Any]:
    """What stands in the class itself, whether or not the names in it can be looked up."""
    if sys.version_info >= (3, 14):
        from annotationlib import Format, get_annotations

        return get_annotations(kind, format=Format.FORWARDREF)
    found: Mapping[str, Any] = vars(kind).get("__annotations__", {})
    return found


def _hidden(kind: type, *, declares: bool) -> Iterator[str]:
    """Names in a class that look like parameters and are none."""
    own = vars(kind)
    annotated = set(_announced(kind))
    bases = [base for base in kind.__mro__[1:] if is_dataclass(base)]
    inherited = {item.name for base in bases for item in fields(base)}
    if not declares:
        yield from annotated
        yield from (name for name in ("__init__",) if name in own)
    for name, value in own.items():
        if name not in annotated and (isinstance(value, Field) or name in inherited):
            yield name


def _of_class(hint: Any) -> bool:
    if isinstance(hint, str):
        return hint.replace("typing.", "").replace("t.", "").startswith("ClassVar")
    return hint is ClassVar or get_origin(hint) is ClassVar


@cache
def _made(kind: type) -> Any:
    """The class with its default parameters, if it can be made so."""
    with suppress(CorroborateError), foreign("It needs parameters", where=class_name(kind)):
        return kind()
    return None


def _defaults(kind: type) -> dict[str, Any]:
    return {item.name: item.default for item in fields(kind) if item.init and item.default is not MISSING}


def _given(value: Any) -> dict[str, Any]:
    return {item.name: getattr(value, item.name) for item in fields(value) if item.init}


def _check_kept(kind: type, made: Any, given: Mapping[str, Any]) -> None:
    for name, value in given.items() if made is not None else ():
        if canonical_text(getattr(made, name)) != canonical_text(value):
            raise SuiteError(
                f"Parameter '{name}' of {kind.__qualname__} was given {value!r} and holds "
                f"{getattr(made, name)!r}",
                where=class_name(kind),
                fix="Keep parameters as they are given, and compute what follows from them in run.",
            )
