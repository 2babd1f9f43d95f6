"""Functions that foreign code puts in the place of a library's own."""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable, Iterable, Iterator
from types import (
    BuiltinFunctionType,
    FunctionType,
    MethodDescriptorType,
    MethodType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import Any

LIBRARIES = (
    "builtins",
    "copy",
    "json",
    "math",
    "os",
    "random",
    "statistics",
    "time",
    "warnings",
    "numpy",
    "numpy.linalg",
    "numpy.random",
    "torch",
    "torch.linalg",
    "torch.nn.functional",
    "torch.nn.init",
)
"""Modules whose functions and classes are compared."""
CLASSES = {"torch": ("Tensor",), "torch.nn": ("Module", "Linear", "Embedding"), "random": ("Random",)}
"""Classes whose methods are compared, too."""
_DERIVED = {("torch", "Storage")}
"""Follow something else that is compared: the default type."""
OWN = ("harness", "methods", "suites")
"""Packages of which all modules are compared, with the methods of their classes."""


_FUNCTIONS = (
    FunctionType,
    MethodType,
    BuiltinFunctionType,
    MethodDescriptorType,
    WrapperDescriptorType,
    type,
    staticmethod,
    classmethod,
    property,
)


class Patches:
    """The functions of well-known modules as they were when they were first seen."""

    def __init__(self) -> None:
        self._known: dict[str, _Functions] = {}
        self._modules = 0

    def look(self) -> None:
        """Take in modules that were imported since the last look."""
        if self._modules == len(sys.modules):
            return
        self._modules = len(sys.modules)
        for name, owner in _owners():
            if name not in self._known:
                self._known[name] = _Functions(owner, name)

    def changed(self) -> list[str]:
        """Names of what was replaced since then."""
        return [f"{name}.{key}" for name, known in self._known.items() for key in known.changed()]

    def accept(self, names: Iterable[str]) -> None:
        """Take what stands there now as the library's own."""
        for full in names:
            name, _, key = full.rpartition(".")
            self._known[name].accept(key)

    def undo(self) -> None:
        """Put back what was replaced."""
        for known in self._known.values():
            for key in known.changed():
                known.undo(key)


class _Functions:
    """The functions of one module or class."""

    def __init__(self, owner: Any, name: str) -> None:
        self._owner = owner
        self._get: Callable[[str], Any] = vars(owner).get
        functions = {
            key: value
            for key, value in list(vars(owner).items())
            if _is_function(value) and (name, key) not in _DERIVED
        }
        self._keys, self._values = list(functions), list(functions.values())
        self._present = set(vars(owner))

    def changed(self) -> list[str]:
        """Keys of functions that were replaced, or that hide one of a base class."""
        found: list[str] = []
        now = [*map(self._get, self._keys)]
        if not all(map(operator.is_, now, self._values)):
            pairs = zip(self._keys, self._values, now, strict=True)
            found = [key for key, before, after in pairs if after is not before and not _by_torch(after)]
        if isinstance(self._owner, type) and len(vars(self._owner)) != len(self._present):
            added = set(vars(self._owner)) - self._present
            own = {key: vars(self._owner)[key] for key in sorted(added)}
            # PyTorch's hook is put into the class of the first optimizer, though a base class has its step.
            found += [k for k, value in own.items() if _hides(self._owner, k) and not _by_torch(value)]
        return found

    def accept(self, key: str) -> None:
        """Take what is there now as the library's own."""
        self._present.add(key)
        if key in self._keys:
            self._values[self._keys.index(key)] = self._get(key)

    def undo(self, key: str) -> None:
        """Put the library's own function back."""
        if key in self._keys:
            setattr(self._owner, key, self._values[self._keys.index(key)])
        else:
            delattr(self._owner, key)


def _by_torch(function: Any) -> bool:
    """Whether PyTorch has wrapped its own, at the first optimizer or the first function that it compiles."""
    if getattr(function, "hooked", None) is True:
        return True
    return getattr(function, "__module__", None) == "torch._dynamo.mutation_guard"


def _hides(owner: type, key: str) -> bool:
    return _is_function(vars(owner)[key]) and any(key in vars(base) for base in owner.__mro__[1:])


def _owners() -> Iterator[tuple[str, Any]]:
    """Modules and classes that are looked at, each with its name."""
    modules: dict[str, Any] = dict(sys.modules)
    for name, module in modules.items():
        if not isinstance(module, ModuleType):
            continue  # Some libraries put objects there.
        own = name.partition(".")[0] in OWN
        if own or name in LIBRARIES:
            yield name, module
        if own:
            for key, value in list(vars(module).items()):
                if isinstance(value, type) and value.__module__ == name:
                    yield f"{name}.{key}", value
        for key in CLASSES.get(name, ()):
            if isinstance(found := vars(module).get(key), type):
                yield f"{name}.{key}", found


def _is_function(value: Any) -> bool:
    return isinstance(value, _FUNCTIONS) or type(value).__name__ == "ufunc"
