"""Splits that are too large to be held: rows at given places, read as a stream.

A split is one gzip-compressed file of JSON lines, which cannot be entered in the middle. Lines that
are not wanted are therefore passed over without being parsed: 40 million rows take some minutes and
no memory. What was found is kept, so that one pass serves all that ask for the same rows.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from harness.method import ResourceError, parsed_json


@dataclass
class LargeSplit:
    """One split on disk.

    Attributes:
        path: The compressed file.
    """

    path: Path
    _count: int = -1
    _found: dict[int, dict[str, Any]] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        """Number of rows.

        Raises:
            ResourceError: If the file is damaged.
        """
        if self._count < 0:
            self._count = sum(1 for _ in self._lines())
        return self._count

    def rows(self, places: list[int]) -> list[dict[str, Any]]:
        """The rows at some places, in their order.

        Raises:
            ResourceError: If the file is damaged, or a place lies behind its end.
        """
        missing = set(places) - self._found.keys()
        last = max(missing, default=-1)
        if missing:
            for number, line in enumerate(self._lines()):
                if number in missing:
                    self._found[number] = self._parsed(line, number)
                if number == last:
                    break
        try:
            return [self._found[place] for place in places]
        except KeyError as error:
            raise ResourceError(f"The split has no row {error}", where=str(self.path)) from error

    def places(self, rng: np.random.Generator) -> Iterator[int]:
        """All places in a random order that is drawn one by one: a longer draw begins like a shorter one."""
        seen: set[int] = set()
        while len(seen) < len(self):
            place = int(rng.integers(len(self)))
            if place not in seen:
                seen.add(place)
                yield place

    def _parsed(self, line: bytes, number: int) -> dict[str, Any]:
        try:
            row = parsed_json(line)
        except ValueError as error:
            raise ResourceError(f"Line {number + 1} is not JSON: {error}", where=str(self.path)) from error
        if not isinstance(row, dict):
            raise ResourceError(f"Line {number + 1} is not an object", where=str(self.path))
        return row

    def _lines(self) -> Iterator[bytes]:
        try:
            with gzip.open(self.path, "rb") as file:
                yield from file
        except (OSError, EOFError, zlib.error) as error:
            raise ResourceError(
                f"The split cannot be read: {error}",
                where=str(self.path),
                fix="Remove the file and fetch it again.",
            ) from error
