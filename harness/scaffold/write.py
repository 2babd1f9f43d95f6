"""Writing a new suite's files: all of them or none, and never over others."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from harness.errors import UsageError

_TABLE = '[project.entry-points."corroborate.suites"]\n'


def write_all(root: Path, files: Mapping[str, str]) -> None:
    """Write files under ``root``.

    Raises:
        UsageError: If one of them is there already; then nothing is written.
    """
    there = [path for path in files if (root / path).exists()]
    if there:
        fix = "Choose another name, or remove it."
        raise UsageError(f"{', '.join(there[:3])} exists already", where=str(root), fix=fix)
    for path, text in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


def registered(pyproject: str, slug: str, suite: str) -> str:
    """The text of ``pyproject.toml`` with the suite among its entry points, in alphabetical order.

    Raises:
        UsageError: If it has no such table, or the name is taken.
    """
    head, found, rest = pyproject.partition(_TABLE)
    if not found:
        raise UsageError("There is no table of suites", where="pyproject.toml", fix=f"Add {_TABLE.strip()}.")
    lines = re.match(r"(?:[^\n\[].*\n)*", rest)
    entries = lines[0].splitlines() if lines else []
    if any(re.match(rf"{re.escape(slug)}\s*=", line) for line in entries):
        raise UsageError(f"A suite is called '{slug}' already", where="pyproject.toml")
    made = sorted([*entries, f'{slug} = "{suite}:SUITE"'])
    after = rest[len("".join(f"{line}\n" for line in entries)) :]
    return head + found + "".join(f"{line}\n" for line in made) + after
