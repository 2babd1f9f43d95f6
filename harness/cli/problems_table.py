"""What methods of a suite are given and give back, told so that no module has to be opened for it."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import textwrap
import typing
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from harness.method import Method, Task
from harness.suite import Experiment, Tuned


@dataclasses.dataclass(frozen=True)
class _Result:
    """What a task takes from a method: a type, or its name where only type checkers import it."""

    kind: object
    task: type

    def __str__(self) -> str:
        if inspect.isclass(self.kind):
            return _place(self.kind)
        return f"{getattr(self.kind, '__forward_arg__', self.kind)}, as in {self.task.__module__}"


def problems_text(experiments: Iterable[Experiment]) -> str:
    """Each kind of problem with the experiments that pose it, its result, and what both are made of."""
    posed: dict[type, list[str]] = {}
    results: dict[type, list[_Result]] = {}
    for experiment in experiments:
        for kind in dict.fromkeys(map(_problem_of, experiment.methods.values())):
            posed.setdefault(kind, []).append(experiment.id)
            results.setdefault(kind, []).extend(map(_result_of, experiment.tasks.values()))
    paragraphs: list[str] = []
    told: set[type] = set()
    for kind, names in posed.items():
        given = ", or ".join(dict.fromkeys(map(str, results[kind])))
        paragraphs.append(f"{_place(kind)}\n  posed by {', '.join(names)}; `run` returns {given}")
        kinds = _reached([kind, *(result.kind for result in results[kind])], told)
        told.update(kinds)
        paragraphs += map(_described, kinds)
    return "\n\n".join(paragraphs)


def _problem_of(method: Method[Any, Any] | Tuned) -> type:
    return (method.method if isinstance(method, Tuned) else method).problem_type


def _result_of(task: Task[Any, Any]) -> _Result:
    """The second argument of ``Task[Problem, Result]``."""
    for kind in type(task).__mro__:
        for base in vars(kind).get("__orig_bases__", ()):
            if typing.get_origin(base) is Task:
                return _Result(typing.get_args(base)[1], kind)
    return _Result("a result", type(task))


def _reached(start: Iterable[object], told: Collection[type]) -> list[type]:
    """Types of the same package that the given ones are made of, each once, nearest first."""
    found: list[type] = []
    waiting = [kind for kind in start if inspect.isclass(kind)]
    homes = {_home(kind) for kind in waiting} - {"builtins"}
    while waiting:
        kind = waiting.pop(0)
        if _home(kind) in homes and kind not in found and kind not in told:
            found.append(kind)
            waiting += [part for hint in _hints(kind) for part in _parts(hint)]
    return found


def _home(kind: type) -> str:
    return ".".join(kind.__module__.split(".")[:2])


def _resolved(owner: Any) -> dict[str, object]:
    """Annotations as objects; none where names are imported for type checkers only."""
    try:
        return typing.get_type_hints(owner)
    except NameError:
        return {}


def _hints(kind: type) -> Iterator[object]:
    """Types of its fields, and what its public members give."""
    yield from _resolved(kind).values()
    for _, member in _members(kind):
        yield _resolved(member).get("return")


def _parts(hint: object) -> Iterator[type]:
    if inspect.isclass(hint):
        yield hint
    for part in typing.get_args(hint):
        yield from _parts(part)


def _family(kind: type) -> Iterator[type]:
    """Itself and its bases in the same package, bases first."""
    yield from (owner for owner in reversed(kind.__mro__) if _home(owner) == _home(kind))


def _members(kind: type) -> Iterator[tuple[str, Any]]:
    """Its public methods and properties, as functions."""
    found: dict[str, Any] = {}
    for owner in _family(kind):
        found |= vars(owner)
    for name, member in found.items():
        function = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
        if not name.startswith("_") and inspect.isfunction(function):
            yield name, function


def _described(kind: type) -> str:
    """Its documentation, its fields and its members with their signatures."""
    lines = [f"  {_place(kind)}", *_indented(inspect.getdoc(kind) or "", 4)]
    lines += _indented("\n".join(_fields(kind)), 6)
    for name, function in _members(kind):
        shown = "" if isinstance(getattr(kind, name), property) else _signature(function)
        lines += [f"      .{name}{shown}", *_indented(inspect.getdoc(function) or "", 10)]
    return "\n".join(lines)


def _fields(kind: type) -> Iterator[str]:
    """Fields with their types, or public attributes that its ``__init__`` sets."""
    hints = _resolved(kind)
    told = {name: hint for owner in _family(kind) for name, hint in inspect.get_annotations(owner).items()}
    for name, hint in told.items():
        if not name.startswith("_"):
            literal = typing.get_origin(hints.get(name)) is typing.Literal
            yield f".{name}: {_text(hints[name] if literal else hint)}"
    if "__init__" in vars(kind) and not dataclasses.is_dataclass(kind):
        made = ast.parse(textwrap.dedent(inspect.getsource(vars(kind)["__init__"])))
        names = [node.attr for node in ast.walk(made) if isinstance(node, ast.Attribute) and _is_set(node)]
        yield from (f".{name}" for name in dict.fromkeys(names) if not name.startswith("_"))


def _is_set(node: ast.Attribute) -> bool:
    return isinstance(node.ctx, ast.Store) and getattr(node.value, "id", "") == "self"


@dataclasses.dataclass(frozen=True)
class _Bare:
    """An annotation that a signature shows without quotation marks."""

    text: str

    def __repr__(self) -> str:
        return self.text


def _signature(function: Any) -> str:
    """Parameters and result, without ``self``."""
    signature = inspect.signature(function)
    own = [
        item if item.annotation is item.empty else item.replace(annotation=_Bare(_text(item.annotation)))
        for name, item in signature.parameters.items()
        if name not in ("self", "cls")
    ]
    given = signature.return_annotation
    shown = given if given is signature.empty else _Bare(_text(given))
    return str(signature.replace(parameters=own, return_annotation=shown))


def _text(hint: object) -> str:
    return hint if isinstance(hint, str) else inspect.formatannotation(hint)


def _indented(text: str, by: int) -> list[str]:
    return textwrap.indent(text, " " * by).splitlines()


def _place(kind: type) -> str:
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
