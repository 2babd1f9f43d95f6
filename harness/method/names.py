"""Functions named by text, so that declarations need not import heavy modules."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from harness.errors import SuiteError
from harness.foreign import foreign


def named_function(name: str) -> Callable[..., Any]:
    """The function called ``"package.module:function"``.

    Raises:
        SuiteError: If the name does not lead to a callable.
    """
    module, _, attribute = name.partition(":")
    with foreign(f"'{name}' cannot be imported", where=name, kind=SuiteError):
        found = getattr(import_module(module), attribute)
    if not callable(found):
        raise SuiteError(f"'{name}' is not a function", where=name)
    return found  # type: ignore[no-any-return]
