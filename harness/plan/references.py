"""Finding the resources and artifacts that a declaration holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass, replace
from functools import partial
from types import FunctionType
from typing import Any

from harness.method.references import Artifact, IndexSource, PackageSource, PerSeed, Reference, Resource
from harness.plan.canonical import canonical_text, digest


def direct_references(value: Any) -> Iterator[Reference]:
    """The references inside ``value``, not those inside the artifacts found."""
    if isinstance(value, Reference):
        yield value
    else:
        yield from _inside(value)


def _inside(value: Any) -> Iterator[Reference]:
    if is_dataclass(value) and not isinstance(value, type):
        for item in fields(value):
            yield from direct_references(getattr(value, item.name))
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from direct_references(item)
    elif isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield from direct_references(item)


def inputs_of(artifact: Artifact) -> list[Reference]:
    """The references that an artifact is built from."""
    return list(dict.fromkeys(_inside(artifact)))


def all_references(value: Any) -> list[Reference]:
    """Everything that must be present before ``value`` can be used, inputs before outputs.

    Where each seed has an artifact of its own, a :class:`PerSeed` stands for it unless ``value`` is
    :func:`bound`.
    """
    ordered: dict[Reference, None] = {}

    def visit(ref: Reference) -> None:
        if ref in ordered:
            return
        artifact = ref.artifact if isinstance(ref, PerSeed) else ref
        if isinstance(artifact, Artifact):
            for item in inputs_of(artifact):
                visit(item)
        ordered[ref] = None

    for ref in direct_references(value):
        visit(ref)
    return list(ordered)


def bound(value: Any, seed: int) -> Any:
    """A task or method with the artifacts of one seed in the place of :class:`PerSeed`; else as it is."""
    if isinstance(value, PerSeed):
        return _inside_bound(value.of(seed), seed)
    if isinstance(value, Reference):
        return value
    if is_dataclass(value) and not isinstance(value, type):
        return _inside_bound(value, seed)
    if isinstance(value, Mapping):
        named = {name: bound(item, seed) for name, item in value.items()}
        return named if any(named[name] is not item for name, item in value.items()) else value
    if type(value) in (tuple, list, set, frozenset):
        items = [bound(item, seed) for item in value]
        return type(value)(items) if any(a is not b for a, b in zip(items, value, strict=True)) else value
    return value


def _inside_bound(value: Any, seed: int) -> Any:
    old = {item.name: getattr(value, item.name) for item in fields(value) if item.init}
    new = {name: bound(item, seed) for name, item in old.items()}
    changed = {name: item for name, item in new.items() if item is not old[name]}
    return replace(value, **changed) if changed else value


def modules_of(value: Any) -> list[str]:
    """The modules that define ``value``, its bases, and the functions and objects in its fields.

    Of a resource, those of its loader and of the functions that make its files.
    """
    found: dict[str, None] = {}

    def visit(item: Any) -> None:
        if isinstance(item, Resource):
            found.update(dict.fromkeys(_named_modules(item)))
        elif isinstance(item, FunctionType):
            found[item.__module__] = None
        elif isinstance(item, type):
            found.update(dict.fromkeys(base.__module__ for base in item.__mro__))
        elif is_dataclass(item) and (item is value or not isinstance(item, Reference)):
            visit(type(item))
            visit([getattr(item, one.name) for one in fields(item)])
        else:
            for part in _parts(item):
                visit(part)

    visit(value)
    return list(found)


def _parts(item: Any) -> Iterable[Any]:
    if isinstance(item, partial):
        return (item.func, item.args, item.keywords)
    if isinstance(item, Mapping):
        return item.values()
    return item if isinstance(item, list | tuple | AbstractSet) else ()


def _named_modules(resource: Resource) -> list[str]:
    provided = [source for source in resource.sources if isinstance(source, PackageSource | IndexSource)]
    names = [*filter(None, [resource.loader]), *(source.provide for source in provided)]
    return [name.partition(":")[0] for name in names]


def reference_key(ref: Reference) -> str:
    """How a worker finds the path of a reference: by what it declares."""
    if isinstance(ref, Resource):
        return f"resource:{ref.name}"
    return f"artifact:{digest(canonical_text(ref))}"
