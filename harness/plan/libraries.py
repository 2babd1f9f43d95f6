"""Installed distributions: which one a module belongs to, and the versions that a result depends on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution, packages_distributions
from pathlib import Path

from harness.plan.canonical import canonical_text, digest

Versions = Mapping[str, str]
"""Versions by the distributions' normalised names."""


def owners(top: str, path: Path) -> frozenset[str]:
    """The distributions that a module was installed with; none if it is source.

    Args:
        top: The first part of the module's name.
        path: The file it is loaded from. A distribution that is installed in place names the module
            too, but the file is not among the installed ones.
    """
    found = {_normal(name) for name in _packages().get(top, ())}
    return frozenset(name for name in found if path.is_relative_to(_base(name)))


@cache
def _packages() -> Mapping[str, list[str]]:
    return packages_distributions()


@cache
def _base(name: str) -> Path:
    """The folder that a distribution is installed in."""
    found = _distribution(name)
    return Path(str(found.locate_file(""))).absolute() if found else Path("/nowhere")


@cache
def _distribution(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


@cache
def versions_of(names: frozenset[str]) -> Versions:
    """The versions of distributions and of all that they require and that is installed."""
    found: dict[str, str] = {}
    waiting = sorted(names)
    while waiting:
        name = waiting.pop()
        known = _distribution(name)
        if name not in found and known is not None:
            found[name] = known.version
            waiting += _requirements(name)
    return dict(sorted(found.items()))


@cache
def _requirements(name: str) -> tuple[str, ...]:
    """What a distribution requires here, extras left out."""
    from packaging.requirements import InvalidRequirement, Requirement

    known = _distribution(name)
    needed = []
    for text in (known.requires if known else None) or ():
        if "extra ==" in text:
            continue
        try:
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                needed.append(_normal(requirement.name))
        except InvalidRequirement:
            needed.append(_normal(re.split(r"[^\w.-]", text, maxsplit=1)[0]))
    return tuple(needed)


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def versions_key(versions: Versions) -> str:
    """One short text that changes with any of the versions."""
    return digest(canonical_text(versions))
