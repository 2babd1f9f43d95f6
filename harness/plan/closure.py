"""What code a result depends on: the sources that a module imports, and the libraries.

A change in a helper function must invalidate a result; a comment or a docstring must not. So
each module is hashed by its syntax tree without docstrings and positions, and a method by the
hashes of all modules that its module imports, directly or not, wherever they lie: what belongs to
no installed distribution is source, a package installed in place (``pip install -e``) included.
The closure stops at ``harness``, which states its own contract version, at the standard library
and at installed distributions, which are named so that their versions can be asked for.
"""

from __future__ import annotations

import hashlib
import sys
import sysconfig
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from harness.installed import spec_of
from harness.plan.imports import imported_names, module_hash
from harness.plan.libraries import owners

STOP = frozenset({"harness", "reports"})
PROJECT = frozenset({"methods", "suites"})
_STANDARD = tuple({Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib")})
_INSTALLED = frozenset({"site-packages", "dist-packages"})

Stamp = tuple[int, int]
"""When a file was last written, in nanoseconds, and its size."""


@dataclass(frozen=True)
class Closure:
    """What a module needs.

    Attributes:
        code: Hash of each source module, by name.
        files: The files of these modules, each as it was when it was hashed.
        libraries: Installed distributions that they import.
        unknown: Modules whose source cannot be found.
    """

    code: dict[str, str]
    files: dict[str, Stamp]
    libraries: frozenset[str]
    unknown: frozenset[str]


def closure_of(module: str) -> Closure:
    """Everything that ``module`` needs."""
    roots = PROJECT | {module.partition(".")[0]}
    code: dict[str, str] = {}
    files: dict[str, Stamp] = {}
    libraries: set[str] = set()
    seen: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        top = name.partition(".")[0]
        if name in seen or top in STOP:
            continue
        seen.add(name)
        if top not in roots and (installed := _installed(top)) is not None:
            libraries |= installed
            continue
        path = _file(name)
        if path is None or _is_standard(path):
            continue
        if top not in roots and (parts := owners(top, path)):
            libraries |= parts  # Part of a package that several distributions share.
            continue
        stamp = stamp_of(path)
        code[name], files[str(path)] = _hash(path, stamp), stamp
        waiting += _needs(name, path, stamp, ancestors=top not in PROJECT)
    unknown = {module} if module not in code and module.partition(".")[0] not in STOP else set()
    return Closure(dict(sorted(code.items())), files, frozenset(libraries), frozenset(unknown))


@cache
def _installed(top: str) -> frozenset[str] | None:
    """The distributions of a top-level module, none for the standard library; ``None`` if it is source."""
    path = _file(top)
    if path is None:
        return None
    return frozenset() if _is_standard(path) else owners(top, path) or None


def _needs(name: str, path: Path, stamp: Stamp, *, ancestors: bool) -> list[str]:
    if path.suffix != ".py":
        return []
    found = list(_imports(name, path, stamp))
    if ancestors:
        # Importing a module runs the packages around it first.
        for target in [name, *found]:
            parts = target.split(".")
            found += [".".join(parts[:length]) for length in range(1, len(parts))]
    return found


def stamp_of(path: Path) -> Stamp:
    """A file's stamp; zeros if it is gone."""
    try:
        status = path.stat()
    except OSError:
        return (0, 0)
    return (status.st_mtime_ns, status.st_size)


@cache
def _hash(path: Path, stamp: Stamp) -> str:
    # With the stamp as part of the key, a long-lived process sees an edited file.
    return module_hash(path) if path.suffix == ".py" else hash_of_file(path)


@cache
def _imports(module: str, path: Path, stamp: Stamp) -> tuple[str, ...]:
    return imported_names(module, path)


def hash_of_file(path: Path) -> str:
    """Hash of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def is_source(path: Path) -> bool:
    """Whether a file lies outside the standard library and the folders of installed packages."""
    return not _is_standard(path) and not _INSTALLED & set(path.parts)


def _is_standard(path: Path) -> bool:
    return any(path.is_relative_to(folder) for folder in _STANDARD) and not _INSTALLED & set(path.parts)


@cache
def _file(module: str) -> Path | None:
    """The file that a module is loaded from: its source, a compiled extension, or an archive with it."""
    if module == "__main__":
        own = getattr(sys.modules[module], "__file__", None)
        return Path(own).absolute() if own else None
    spec = spec_of(module)
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin)
    archive = getattr(spec.loader, "archive", None)
    path = path if path.is_file() or archive is None else Path(archive)
    return path if path.is_file() else None
