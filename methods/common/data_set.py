"""A public data set on disk: a file of JSON lines for each split, read when it is asked for."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np

from harness.method import ResourceError, parsed_json
from methods.common.large_splits import LargeSplit

RowT = TypeVar("RowT")
_SUFFIX = ".jsonl.gz"
LARGE = 256 * 2**20
"""Bytes of a compressed split from which on it is read as a stream: some five million sentences."""


@dataclass(eq=False)
class DataSet(Generic[RowT]):
    """A folder of ``<split>.jsonl.gz`` files, read when needed; equal to itself only.

    Attributes:
        folder: Where they are.
        parse: From a row's number and fields to the row; None leaves a row out.
    """

    folder: Path
    parse: Callable[[int, dict[str, Any]], RowT | None]
    _rows: dict[str, list[RowT]] = field(default_factory=dict, repr=False)
    _large: dict[str, LargeSplit] = field(default_factory=dict, repr=False)

    @property
    def splits(self) -> list[str]:
        """Names of the splits."""
        return sorted(path.name.removesuffix(_SUFFIX) for path in self.folder.glob(f"*{_SUFFIX}"))

    def __getitem__(self, split: str) -> list[RowT]:
        """The rows of a split, in the source's order; all of them in memory, see :meth:`is_large`.

        Raises:
            ResourceError: If the split is missing or damaged, or lacks a field.
        """
        if split not in self._rows:
            self._rows[split] = list(self._read(split))
        return self._rows[split]

    def is_large(self, split: str) -> bool:
        """Whether a split is to be read by :meth:`drawn` only, since it does not fit into memory."""
        path = self.folder / f"{split}{_SUFFIX}"
        return path.is_file() and path.stat().st_size >= LARGE

    def first(self, split: str, count: int) -> list[RowT]:
        """The first rows of a split; what follows is not read."""
        return list(islice(self._rows[split] if split in self._rows else self._read(split), count))

    def drawn(self, split: str, rng: np.random.Generator, at_once: int) -> Iterator[RowT]:
        """The rows of a large split in a random order; few of them are ever in memory.

        Args:
            split: Its name.
            rng: Draws the order; it begins alike however many rows are taken.
            at_once: Rows that are looked up in one pass over the file.

        Raises:
            ResourceError: As for :meth:`__getitem__`.
        """
        if split not in self._large:
            self._large[split] = LargeSplit(self.folder / f"{split}{_SUFFIX}")
        places = self._large[split].places(rng)
        while chosen := list(islice(places, at_once)):
            raws = self._large[split].rows(chosen)
            for place, raw in zip(chosen, raws, strict=True):
                row = self._parsed(split, place, raw)
                if row is not None:
                    yield row

    def _read(self, split: str) -> Iterator[RowT]:
        for number, raw in enumerate(_objects(self.folder, split, self.splits)):
            row = self._parsed(split, number, raw)
            if row is not None:
                yield row

    def _parsed(self, split: str, number: int, raw: dict[str, Any]) -> RowT | None:
        try:
            return self.parse(number, raw)
        except (LookupError, ValueError, TypeError, AttributeError, OverflowError) as error:
            raise ResourceError(
                f"Row {number} of split '{split}' is not as expected: {type(error).__name__} {error}",
                where=str(self.folder),
                fix=f"Its fields are: {', '.join(raw)}. Bind another copy of the data set.",
            ) from error


def _json_object(line: str | bytes) -> dict[str, Any]:
    """A row of a data set.

    Raises:
        ValueError: If the line is not a JSON object.
    """
    row = parsed_json(line)
    if not isinstance(row, dict):
        raise ValueError(f"a row is a {type(row).__name__} and not an object")  # noqa: TRY004 - one class for all
    return row


def _objects(folder: Path, split: str, known: list[str]) -> Iterator[dict[str, Any]]:
    if split not in known:
        fix = f"It has: {', '.join(known) or 'none'}."
        raise ResourceError(f"The data set has no split '{split}'", where=str(folder), fix=fix)
    yield from json_rows(folder / f"{split}{_SUFFIX}", "The split")


def json_rows(path: Path, what: str = "The file") -> Iterator[dict[str, Any]]:
    """The rows of a file of JSON lines, compressed or not.

    Args:
        path: The file; compressed if its name ends in ``.gz``.
        what: What to call it in errors.

    Raises:
        ResourceError: If it is damaged, or a line is no object.
    """
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as lines:
            # As bytes, whose lines end at "\n" alone.
            for line in lines:
                yield _json_object(line)
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise ResourceError(
            f"{what} cannot be read: {error}", where=str(path), fix="Remove the file and fetch it again."
        ) from error
