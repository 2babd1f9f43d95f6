"""Files that a class says it reads: their content is part of what its results depend on."""

from __future__ import annotations

import sys
from pathlib import Path

from harness.errors import SuiteError
from harness.plan.canonical import canonical_text, class_name, digest
from harness.plan.closure import hash_of_file


def declared_reads(kind: type) -> dict[str, Path]:
    """The files and folders in ``reads`` of a class and its bases, by name as declared.

    Raises:
        SuiteError: If one is not there.
    """
    found: dict[str, Path] = {}
    for base in kind.__mro__:
        names = vars(base).get("reads", ())
        for name in names if isinstance(names, tuple) else ():
            path = _folder(base) / name
            if not path.exists():
                raise SuiteError(
                    f"{base.__qualname__} reads '{name}', which is not there",
                    where=f"{class_name(base)}.reads",
                    fix=f"Name files by their place beside the module: {_folder(base)}",
                )
            found.setdefault(name, path)
    return found


def _folder(kind: type) -> Path:
    file = getattr(sys.modules.get(kind.__module__), "__file__", None)
    return Path(file).absolute().parent if file else Path.cwd()


def hashes_of_reads(kind: type) -> dict[str, str]:
    """Hash of each file or folder that a class declares, by name as declared."""
    return {name: _hash(path) for name, path in declared_reads(kind).items()}


def _hash(path: Path) -> str:
    if path.is_file():
        return hash_of_file(path)
    inside = sorted(item for item in path.rglob("*") if item.is_file())
    return digest(canonical_text([[str(item.relative_to(path)), hash_of_file(item)] for item in inside]))
