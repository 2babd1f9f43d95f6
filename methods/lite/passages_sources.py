"""Docstrings of installed libraries, read from their source files.

Nothing is imported: files are parsed, in the order of their names inside the package, so that
neither the place of installation nor the order of a folder's entries matters.
"""

from __future__ import annotations

import ast
import inspect
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path, PurePosixPath

from harness.method import ResourceError
from methods.lite.passages import Library

_OTHERS = frozenset(
    {"benchmarks", "conftest", "examples", "extern", "externals", "test", "testing", "tests"}
    | {"third_party", "vendor", "vendored"}
)
"""Folders and modules of tests, and of copies of other projects."""
_PRIVATE_BUT_OURS = "_core"
"""Other folders with an underscore hold copies of other projects and code for a library's authors."""

_Documented = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Docstring:
    """The documentation of a public class, function or method.

    Attributes:
        library: Import name of the library.
        module: Path of the file inside the library, without suffix, with slashes.
        name: Qualified name inside the module.
        text: The docstring, its indentation removed.
    """

    library: str
    module: str
    name: str
    text: str


def package_folder(package: str) -> Path:
    """The folder of an installed package, which is not imported.

    Raises:
        ResourceError: If there is none.
    """
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ResourceError(
            f"The package '{package}' is not installed",
            where=package,
            fix="Install the extra 'small' under constraints.txt.",
        )
    return Path(next(iter(spec.submodule_search_locations)))


def read_library(library: Library, root: Path | None = None) -> list[Docstring]:
    """All public docstrings of a library, sorted by module and line.

    Args:
        library: The library.
        root: Its folder, if not where it is installed.
    """
    root = root or package_folder(library.package)
    files = {path.relative_to(root).as_posix(): path for path in root.rglob("*.py")}
    found: list[Docstring] = []
    for name in sorted(files):
        if _is_own(PurePosixPath(name), library.skip):
            found += _of_file(library.package, name.removesuffix(".py"), files[name])
    return found


def _is_own(path: PurePosixPath, skip: tuple[str, ...]) -> bool:
    if any(part.startswith("_") and part != _PRIVATE_BUT_OURS for part in path.parts[:-1]):
        return False
    if any(part in _OTHERS or part.startswith("test_") for part in (*path.parts[:-1], path.stem)):
        return False
    return not any(path.is_relative_to(folder) for folder in skip)


def _of_file(package: str, module: str, path: Path) -> Iterator[Docstring]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        try:
            tree = ast.parse(path.read_bytes())
        except (SyntaxError, ValueError):  # A template, or code for another Python.
            return
    for name, node in _documented(tree, ""):
        text = ast.get_docstring(node, clean=False)
        if text:
            yield Docstring(package, module, name, inspect.cleandoc(text))


def _documented(parent: ast.Module | ast.ClassDef, prefix: str) -> Iterator[tuple[str, _Documented]]:
    """Public definitions of a module and of its classes, however deep below conditions."""
    waiting: list[ast.stmt] = list(reversed(parent.body))
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If | ast.Try):
            waiting += reversed([*node.body, *node.orelse])
        if not isinstance(node, _Documented) or node.name.startswith("_"):
            continue
        yield prefix + node.name, node
        if isinstance(node, ast.ClassDef):
            yield from _documented(node, f"{prefix}{node.name}.")
