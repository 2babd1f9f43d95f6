"""Whether a node runs the driver's code: results of two versions must not stand side by side unseen."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path

import harness
from harness.provenance import PACKAGES, commit_here, lock_hash, package_version

ROOT = Path(harness.__file__).parent.parent
OWN = ("harness", "methods", "suites", "reports")
"""The folders of this project's code."""
_COMPILED = frozenset({".pyc", ".pyo"})


@dataclass(frozen=True)
class Identity:
    """What every node must have in common with the driver.

    Attributes:
        python: Version of Python.
        commit: Commit of the checkout; empty where there is none.
        lock: SHA-256 of the lock file; empty where there is none.
        code: SHA-256 over the files of the installed harness, methods, suites and reports.
        packages: Versions of the packages that can change a result.
    """

    python: str
    commit: str
    lock: str
    code: str
    packages: str


@lru_cache
def own_identity() -> Identity:
    """That of this process."""
    versions = (f"{name} {package_version(name) or 'absent'}" for name in PACKAGES)
    return Identity(
        platform.python_version(), commit_here(), lock_hash(), code_hash(ROOT), ", ".join(versions)
    )


def code_hash(root: Path) -> str:
    """One hash over the names and contents of what is installed of this project below ``root``."""
    total = hashlib.sha256()
    for path in sorted(_files(root)):
        content = hashlib.sha256(path.read_bytes()).digest()
        total.update(path.relative_to(root).as_posix().encode() + b"\0" + content)
    return total.hexdigest()


def _files(root: Path) -> Iterator[Path]:
    for folder in OWN:
        for path in (root / folder).rglob("*"):
            hidden = any(part.startswith(".") for part in path.relative_to(root).parts)
            # A reference is read by commands only, and made while runs go on.
            if (
                path.is_file()
                and path.suffix not in _COMPILED
                and not hidden
                and "reference" not in path.parts
            ):
                yield path


def differences(driver: Identity, node: Identity) -> list[str]:
    """Where a node differs, field by field, in words; nothing if it may be used."""
    found = []
    for field in fields(Identity):
        here, there = getattr(driver, field.name), getattr(node, field.name)
        if here == there:
            continue
        if field.name == "packages":
            pairs = zip(here.split(", "), there.split(", "), strict=False)
            found += [f"{name} here, {other} there" for name, other in pairs if name != other]
        else:
            found.append(f"{field.name} {here[:12] or 'unknown'} here, {there[:12] or 'unknown'} there")
    return found
