"""What installed packages declare to us, found without running their code.

One package whose metadata is broken, or whose code cannot be found, is named and does not keep the
others from being found.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from importlib.machinery import ModuleSpec, PathFinder
from importlib.metadata import Distribution, EntryPoint, distributions
from importlib.util import find_spec
from pathlib import Path


def found_points(group: str) -> dict[str, EntryPoint]:
    """The entry points of a group by name; none of :func:`broken_points`."""
    points, broken = _read(group)
    return {name: points[name] for name in sorted(points) if name not in broken}


def broken_points(group: str) -> dict[str, str]:
    """Why entry points cannot be used, by name, and why packages cannot be read, by their folder."""
    return dict(_read(group)[1])


@lru_cache
def _read(group: str) -> tuple[dict[str, EntryPoint], dict[str, str]]:
    points: dict[str, EntryPoint] = {}
    broken: dict[str, str] = {}
    for distribution in distributions():
        try:
            declared = distribution.entry_points
        except Exception as error:  # noqa: BLE001 - any of many parsers may stumble over a broken file
            broken[_place(distribution)] = f"its entry points cannot be read: {error}"
            continue
        for point in declared:
            if point.group != group:
                continue
            # As for modules, what comes first on the path counts of two copies of one package.
            first = points.setdefault(point.name, point)
            if first.value != point.value and owner(first) != owner(point):
                broken[point.name] = f"it is declared twice: by {owner(first)} and by {owner(point)}"
            elif location(point) is None:
                broken.setdefault(point.name, f"'{point.value}' of {owner(point)} cannot be found")
    return points, broken


def _place(distribution: Distribution) -> str:
    # What is broken may not even have a name.
    return str(getattr(distribution, "_path", "an installed package"))


def owner(point: EntryPoint) -> str:
    """The package that declares an entry point, with its version."""
    if point.dist is None:
        return "an unknown package"
    try:
        return f"{point.dist.name} {point.dist.version}"
    except Exception:  # noqa: BLE001 - as above
        return _place(point.dist)


def location(point: EntryPoint) -> Path | None:
    """The file of an entry point's module, if there is one."""
    try:
        spec = spec_of(point.module)
    except AttributeError:
        return None  # No name of a module at all.
    return Path(spec.origin) if spec and spec.origin and spec.has_location else None


def spec_of(module: str) -> ModuleSpec | None:
    """Where a module is, if it can be found; ``find_spec`` would import the packages above it."""
    parent, _, name = module.rpartition(".")
    inside: Iterable[str] | None = None
    try:
        if not parent:
            return find_spec(module)
        package = spec_of(parent)
        inside = package.submodule_search_locations if package else None
        return None if inside is None else PathFinder.find_spec(module, list(inside))
    except KeyError:
        return _folder_of_modules(module, name, inside or ())
    except (ImportError, ValueError, AttributeError):
        return None


def _folder_of_modules(module: str, name: str, above: Iterable[str]) -> ModuleSpec | None:
    """A folder of modules inside another one, neither with a start of its own: Python asks the parent."""
    places = [str(Path(place) / name) for place in above if (Path(place) / name).is_dir()]
    spec = ModuleSpec(module, None, is_package=True)
    spec.submodule_search_locations = places
    return spec if places else None
