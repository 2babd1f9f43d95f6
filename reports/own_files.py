"""Which files a report may take the place of: those that a report has written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

from harness.errors import RecordError, UsageError

_MARKS: Mapping[str, bytes] = MappingProxyType(
    {
        "index.html": b"Reproduction report",
        "thumbnail.svg": b"Reproduction report",
        "report.tex": b"Generated: do not edit",
        "appendix.tex": b"Generated: do not edit",
        "preamble.tex": b"Generated: do not edit",
        "macros.tex": b"Generated: do not edit",
        "report.md": b"corroborate report",
        "csv/numbers.csv": b"kind,name,value,low,high",
        "junit.xml": b"<testsuite",
    }
)
"""What stands in files of every report so far, by their name in its folder."""


def refuse_foreign(folder: Path, names: Iterable[str]) -> None:
    """Stop before a file is overwritten that no report has written.

    Args:
        folder: Where a report, or the index of reports, is to be written.
        names: The files to be written there.

    Raises:
        UsageError: If one of them is there and is somebody else's.
        RecordError: If a file cannot be read.
    """
    there = [name for name in names if (folder / name).exists()]
    marked = {name: _is_marked(folder / name, mark) for name, mark in _MARKS.items() if name in there}
    foreign = [name for name in there if not marked.get(name, any(marked.values()))]
    if foreign:
        raise UsageError(
            f"There is a file '{foreign[0]}' that no report has written, and it was left as it is",
            where=str(folder),
            fix="Name another folder for the report, or move the file away.",
        )


def refuse_foreign_page(path: Path) -> None:
    """Stop before a page is overwritten that no report has written, whatever its name.

    Raises:
        UsageError: If there is one.
        RecordError: If it cannot be read.
    """
    if path.exists() and not _is_marked(path, _MARKS["index.html"]):
        raise UsageError(
            "There is a file that no report has written, and it was left as it is",
            where=str(path),
            fix="Name another file, or move this one away.",
        )


def _is_marked(path: Path, mark: bytes) -> bool:
    try:
        return mark in path.read_bytes()
    except OSError as error:
        raise RecordError(f"The file cannot be read: {error.strerror}", where=str(path)) from error
