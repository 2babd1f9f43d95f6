"""Our own packages have everyday names; what if a user has packages of the same names?

``harness``, ``methods``, ``suites`` and ``reports`` lie beside each other. One that is found elsewhere
hides ours, and one of ours hides a user's in the current folder.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from harness.errors import UsageError

OURS = Path(__file__).resolve().parent.parent.parent
NAMES = ("methods", "suites", "reports")
"""Packages beside ``harness``, which this code is in."""


def require_ours() -> None:
    """Stop before anything else if another package hides one of ours.

    Raises:
        UsageError: With what hides what, and what to do.
    """
    for name in NAMES:
        found = _folder(name)
        if found != OURS / name:
            raise UsageError(
                f"The package '{name}' that Python finds is not corroborate's own, which it hides",
                where=str(found or "nowhere"),
                fix=f"corroborate's is {OURS / name}. Rename the other, or take {_entry(found)} off the "
                "Python path (PYTHONPATH, or the folder that 'python -m' is started in).",
            )


def hidden_hint(module: str) -> str:
    """Advice for a module that is not found because a package of ours has the name of a user's."""
    name = module.partition(".")[0]
    if name not in ("harness", *NAMES):
        return ""
    told = f"'{name}' is corroborate's own package ({OURS / name})"
    mine = Path.cwd() / name
    if mine.is_dir() and mine != OURS / name:
        return f"{told} and hides yours, {mine}. Rename your package and give the method by its new name."
    return f"{told}: a package of yours needs another name."


def _folder(name: str) -> Path | None:
    try:
        spec = find_spec(name)
    except (ImportError, ValueError):
        return None
    if spec is None:
        return None
    places = list(spec.submodule_search_locations or [])
    return Path(places[0] if places else str(spec.origin)).resolve()


def _entry(found: Path | None) -> str:
    return f"the folder {found.parent}" if found else "it"
