"""Suites and methods, found by entry points; only those that are asked for are imported."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

from harness.claims import Profile
from harness.cli.ownership import hidden_hint
from harness.errors import SuiteError, UsageError, unknown_name
from harness.foreign import foreign
from harness.hub.facts import facts_files, read_facts
from harness.installed import broken_points, found_points, location
from harness.method.contract import Method
from harness.suite import Experiment, Lines, Rows, Scale, Series, Suite, TableRow
from harness.text import parsed_toml

SUITE_GROUP = "corroborate.suites"
METHOD_GROUP = "corroborate.methods"
_FORM = "Give it as package.module:Class."
_ABSENT = object()


def _points(group: str) -> dict[str, EntryPoint]:
    return found_points(group)


def suite_names() -> list[str]:
    """Names of all installed suites whose code can be found."""
    return [name for name, point in _points(SUITE_GROUP).items() if location(point) is not None]


def broken_suites() -> dict[str, str]:
    """Why installed suites cannot be used, as far as that is known without importing any; by name."""
    return broken_points(SUITE_GROUP)


def usable_suites(names: Iterable[str] = ()) -> list[Suite]:
    """The named suites, or all that can be loaded; of all, a broken one is noted and left out.

    Raises:
        UsageError: If a named suite does not exist.
        SuiteError: If a named suite cannot be loaded.
    """
    if named := list(names):
        return [load_suite(name) for name in named]
    found = []
    for name in suite_names():
        try:
            suite = load_suite(name)
            for profile in Profile:
                _ = suite.experiments(Scale(profile=profile))
            found.append(suite)
        except SuiteError as error:
            print(f"note: without suite '{name}'. {error}", file=sys.stderr)
    return found


def paper_heading(name: str) -> dict[str, Any]:
    """The fields of a suite's ``paper.toml`` before its tables, read without importing the suite.

    Raises:
        SuiteError: If it cannot be read.
    """
    folder = _folder(_points(SUITE_GROUP)[name])
    path = folder / "paper.toml" if folder else None
    if path is None or not path.is_file():
        return {}
    try:
        # Claims, numbers and deviations are the bulk of the record, and TOML is slow to read.
        return parsed_toml(path.read_text(encoding="utf-8").partition("\n[[")[0])
    except (OSError, ValueError) as error:
        raise SuiteError(f"The paper's record cannot be read: {error}", where=str(path)) from error


def reference_folders() -> dict[str, Path]:
    """The folder of committed results of each installed suite that has one, by suite."""
    folders = {name: _folder(_points(SUITE_GROUP)[name]) for name in suite_names()}
    kept = {name: folder / "reference" for name, folder in folders.items() if folder}
    return {name: folder for name, folder in kept.items() if folder.is_dir()}


def _folder(point: EntryPoint) -> Path | None:
    """Where a suite's package lies; nothing of it is imported."""
    file = location(point)
    return file.parent if file else None


def load_suite(name: str) -> Suite:
    """The suite called ``name``; what its functions raise later is told as its own, too.

    Raises:
        UsageError: If there is none, with the nearest names.
        SuiteError: If it cannot be found or imported, or is no suite.
    """
    points = _points(SUITE_GROUP)
    if name not in points:
        if why := broken_suites().get(name):
            raise SuiteError(f"The suite '{name}' cannot be used: {why}", where="an installed package")
        if declared := _not_installed(name):
            fix = f"Install it once: pip install -e {declared.parent} (nox does so by itself)."
            raise UsageError(
                f"The suite '{name}' is declared, but not installed", where=str(declared), fix=fix
            )
        raise unknown_name("suite", name, suite_names(), where="corroborate list")
    where = points[name].value
    with foreign("The suite cannot be imported", where=where, kind=SuiteError):
        suite = points[name].load()
    if not isinstance(suite, Suite):
        raise SuiteError("The entry point is not a Suite", where=where)
    if suite.slug != name:
        # Runs are kept under the slug, and commands look for the suite of a run by it.
        fix = f"Name the entry point '{suite.slug}', or set `slug` in paper.toml."
        raise SuiteError(f"The entry point '{name}' gives suite '{suite.slug}'", where=where, fix=fix)
    for path in facts_files(suite.folder):
        _ = read_facts(path)
    return _guarded(suite, where)


def _not_installed(name: str) -> Path | None:
    """The ``pyproject.toml`` in or above the current folder that declares the suite, if there is one."""
    here = Path.cwd()
    for path in (folder / "pyproject.toml" for folder in (here, *here.parents)):
        try:
            project = parsed_toml(path.read_text(encoding="utf-8"))["project"]
            if name in project["entry-points"][SUITE_GROUP]:
                return path
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return None


def _guarded(suite: Suite, where: str) -> Suite:
    """The suite, whose experiments end with a :class:`SuiteError` if they cannot be made.

    Raises:
        SuiteError: If a table or a figure holds something else than rows or series.
    """
    for table in suite.tables:
        _require(_all(table.rows), TableRow, f"rows of table '{table.id}'", where)
    for figure in suite.figures:
        _require(_all(figure.series), Series, f"series of figure '{figure.id}'", where)

    def experiments(scale: Scale) -> Sequence[Experiment]:
        """A list, so that nothing of it is left to run elsewhere."""
        with foreign("The suite's experiments cannot be made", where=where, kind=SuiteError):
            found = list(suite.experiments(scale))
        _require(found, Experiment, "experiments", where)
        return found

    return replace(suite, experiments=experiments)


def _all(declared: Rows | Lines) -> list[object]:
    """What is declared for any profile."""
    if isinstance(declared, Mapping):
        return [item for items in declared.values() for item in items]
    return list(declared)


def _require(items: Iterable[object], kind: type, what: str, where: str) -> None:
    for item in items:
        if not isinstance(item, kind):
            told = f"The suite's {what} hold {type(item).__name__}, not {kind.__name__}"
            raise SuiteError(told, where=where)


def method_class(name: str, argument: str = "--method") -> type[Method[Any, Any]]:
    """The method class that ``name`` means: an entry point, or ``package.module:Class``.

    Args:
        name: What the user gave.
        argument: What the command calls it, for errors.

    Raises:
        UsageError: If it cannot be found, imported, or is not a method.
    """
    points = _points(METHOD_GROUP)
    if name in points:
        with foreign("The method cannot be imported", where=f"{name}, {points[name].value}"):
            found = points[name].load()
    elif why := broken_points(METHOD_GROUP).get(name):
        raise UsageError(f"The method '{name}' cannot be used: {why}", where="an installed package")
    else:
        found = _imported(name, argument)
    if not (isinstance(found, type) and issubclass(found, Method)):
        raise UsageError(
            "This is not a Method class", where=name, fix="Derive it from harness.method.Method."
        )
    if not isinstance(getattr(found, "problem_type", None), type):
        raise UsageError("The method declares no problem_type", where=name, fix="Set it to a class.")
    return found


def _imported(name: str, argument: str) -> Any:
    module, colon, attribute = name.partition(":")
    if not colon or not module or not attribute:
        raise unknown_name(
            "method", name, list(_points(METHOD_GROUP)), where=f"{argument} package.module:Class"
        )
    here = str(Path.cwd())
    if here not in sys.path:
        # A file beside the user is meant to be found; last, so that it hides nothing installed.
        sys.path.append(here)
    try:
        with foreign("The method cannot be imported", where=name):
            found = import_module(module)
            method = getattr(found, attribute, _ABSENT)
    except UsageError as error:
        if advice := _advice(module, error.__cause__):
            raise UsageError(error.what, where=name, fix=advice) from error
        raise
    if method is _ABSENT:
        raise UsageError(
            f"The method cannot be imported: module '{module}' has no '{attribute}'",
            where=f"{name}, {getattr(found, '__file__', None) or 'no file'}",
            fix=hidden_hint(module) or _FORM,
        )
    return method


def _advice(module: str, cause: BaseException | None) -> str:
    """What to do about a module that is absent itself, and not only something that it imports."""
    absent = cause.name if isinstance(cause, ModuleNotFoundError) else None
    if not absent or not f"{module}.".startswith(f"{absent}."):
        return ""
    return hidden_hint(module) or _FORM
