"""Suites and methods, found by entry points; only those that are asked for are imported."""

from __future__ import annotations

import sys
import tomllib
from functools import lru_cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from harness.errors import SuiteError, UsageError, unknown_name
from harness.method.contract import Method
from harness.suite import Suite

SUITE_GROUP = "corroborate.suites"
METHOD_GROUP = "corroborate.methods"


@lru_cache
def _points(group: str) -> dict[str, EntryPoint]:
    return {point.name: point for point in sorted(entry_points(group=group), key=lambda p: p.name)}


def suite_names() -> list[str]:
    """Names of all installed suites whose code can be found."""
    return [name for name, point in _points(SUITE_GROUP).items() if _folder(point) is not None]


def paper_heading(name: str) -> dict[str, Any]:
    """The fields of a suite's ``paper.toml`` but its reported numbers, read without importing the suite."""
    folder = _folder(_points(SUITE_GROUP)[name])
    path = folder / "paper.toml" if folder else None
    if path is None or not path.is_file():
        return {}
    try:
        # The reported numbers are the bulk of the record, and TOML is slow to read.
        return tomllib.loads(path.read_text(encoding="utf-8").partition("\n[[reported]]")[0])
    except tomllib.TOMLDecodeError as error:
        raise SuiteError(f"The paper's record cannot be read: {error}", where=str(path)) from error


def reference_folders() -> dict[str, Path]:
    """The folder of committed results of each installed suite that has one, by suite."""
    folders = {name: _folder(_points(SUITE_GROUP)[name]) for name in suite_names()}
    kept = {name: folder / "reference" for name, folder in folders.items() if folder}
    return {name: folder for name, folder in kept.items() if folder.is_dir()}


def _folder(point: EntryPoint) -> Path | None:
    """Where a suite's package lies; nothing of it is imported but its parent package."""
    try:
        spec = find_spec(point.module)
    except ImportError:
        return None
    return Path(spec.origin).parent if spec and spec.origin else None


def load_suite(name: str) -> Suite:
    """The suite called ``name``.

    Raises:
        UsageError: If there is none, with the nearest names.
        SuiteError: If its declaration cannot be imported.
    """
    points = _points(SUITE_GROUP)
    if name not in points:
        raise unknown_name("suite", name, suite_names(), where="corroborate list")
    _check_one_offer(SUITE_GROUP, name)
    try:
        suite = points[name].load()
    except (ImportError, AttributeError) as error:
        raise SuiteError(f"The suite cannot be imported: {error}", where=points[name].value) from error
    if not isinstance(suite, Suite):
        raise SuiteError("The entry point is not a Suite", where=points[name].value)
    return suite


def method_class(name: str) -> type[Method[Any, Any]]:
    """The method class that ``name`` means: an entry point, or ``package.module:Class``.

    Raises:
        UsageError: If it cannot be found, imported, or is not a method.
    """
    points = _points(METHOD_GROUP)
    _check_one_offer(METHOD_GROUP, name)
    try:
        found = points[name].load() if name in points else _imported(name)
    except (ImportError, AttributeError) as error:
        raise UsageError(
            f"The method cannot be imported: {error}", where=name, fix="Give it as package.module:Class."
        ) from error
    if not (isinstance(found, type) and issubclass(found, Method)):
        raise UsageError(
            "This is not a Method class", where=name, fix="Derive it from harness.method.Method."
        )
    return found


def _check_one_offer(group: str, name: str) -> None:
    """Refuse a name that two installed packages offer for different things."""
    offers = sorted({point.value for point in entry_points(group=group, name=name)})
    if len(offers) > 1:
        raise UsageError(
            f"'{name}' is offered by more than one installed package",
            where=" and ".join(offers),
            fix="Uninstall one of them; a method can also be given as package.module:Class.",
        )


def _imported(name: str) -> Any:
    module, colon, attribute = name.partition(":")
    if not colon or not module or not attribute:
        raise unknown_name("method", name, list(_points(METHOD_GROUP)), where="--method package.module:Class")
    here = str(Path.cwd())
    if here not in sys.path:
        # A file beside the user is meant to be found; last, so that it hides nothing installed.
        sys.path.append(here)
    return getattr(import_module(module), attribute)
