"""Tells what importing a module changes from what a trial does."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ExtensionFileLoader, ModuleSpec, SourceFileLoader, SourcelessFileLoader
from types import ModuleType
from typing import Any

_OF_ONE_MODULE = (SourceFileLoader, SourcelessFileLoader, ExtensionFileLoader)
"""Loaders of which every module has one of its own."""


class Imports(MetaPathFinder):
    """Calls back around every outermost execution of a module while it is open.

    Args:
        before: Called before a module is executed; its result goes to ``after``.
        after: Called when the module, and all that it imports, has been executed.
    """

    def __init__(self, before: Callable[[], Any], after: Callable[[Any], None]) -> None:
        self._before = before
        self._after = after
        self._here = threading.local()

    @contextmanager
    def open(self) -> Iterator[None]:
        """Watch imports."""
        sys.meta_path.insert(0, self)
        try:
            yield
        finally:
            if self in sys.meta_path:
                sys.meta_path.remove(self)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None, /
    ) -> ModuleSpec | None:
        """The module as the finders after this one find it."""
        finders = list(sys.meta_path)
        # Another one of this kind may stand before it.
        for finder in finders[finders.index(self) + 1 if self in finders else 0 :]:
            find = getattr(finder, "find_spec", None)
            if find is None or finder is self:
                continue
            spec: ModuleSpec | None = find(fullname, path, target)
            if spec is not None:
                if type(spec.loader) in _OF_ONE_MODULE:
                    self._wrap(spec.loader)
                return spec
        return None

    def _wrap(self, loader: Any) -> None:
        execute = loader.exec_module

        def watched(module: ModuleType) -> None:
            vars(loader).pop("exec_module", None)
            depth = getattr(self._here, "depth", 0)
            state = self._before() if depth == 0 else None
            self._here.depth = depth + 1
            try:
                execute(module)
            finally:
                self._here.depth = depth
                if depth == 0:
                    self._after(state)

        loader.exec_module = watched
