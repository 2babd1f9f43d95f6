"""Data sets as gzip-compressed JSON lines: ``<split>.jsonl.gz``, one object a line."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from harness.errors import ResourceError
from harness.text import parsed_json, utf8

SUFFIX = ".jsonl.gz"


def splits(folder: Path) -> list[str]:
    """Names of the splits in a data set's folder."""
    return sorted(path.name.removesuffix(SUFFIX) for path in folder.glob(f"*{SUFFIX}"))


def read_split(folder: Path, split: str) -> list[dict[str, Any]]:
    """All rows of one split.

    Raises:
        ResourceError: If the split is missing, truncated or not JSON.
    """
    path = folder / f"{split}{SUFFIX}"
    if not path.is_file():
        known = ", ".join(splits(folder)) or "none"
        message = f"The data set has no split '{split}'"
        raise ResourceError(message, where=str(folder), fix=f"It has: {known}.")
    try:
        # As bytes, whose lines end at "\n" alone.
        with gzip.open(path, "rb") as lines:
            return [_row(line, path, number) for number, line in enumerate(lines, 1)]
    except (OSError, EOFError, zlib.error) as error:
        raise ResourceError(
            f"The split cannot be read: {error}", where=str(path), fix="Remove the file and fetch it again."
        ) from error


def _row(line: bytes, path: Path, number: int) -> dict[str, Any]:
    try:
        row = parsed_json(line)
    except ValueError as error:
        raise ResourceError(f"Line {number} is not JSON: {error}", where=str(path)) from error
    if not isinstance(row, dict):
        raise ResourceError(f"Line {number} is not an object", where=str(path))
    return row


def write_split(folder: Path, split: str, rows: Iterable[Mapping[str, Any]]) -> Path:
    """Write one split; equal rows give equal bytes."""
    path = folder / f"{split}{SUFFIX}"
    # A time stamp or a file name in the gzip header would make equal data differ in their hash.
    with path.open("wb") as raw, gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as packed:
        for row in rows:
            packed.write(utf8(json.dumps(row, ensure_ascii=False, default=str)) + b"\n")
    return path
