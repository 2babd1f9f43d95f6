"""The numbers that a report of committed results prints, kept so that each can be held to its records."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from typing import NamedTuple

from harness.errors import RecordError
from harness.text import parsed_json


class PrintedNumber(NamedTuple):
    """A number with its interval, under the name that the report gives to its evidence."""

    kind: str
    name: str
    value: float
    low: float | None
    high: float | None

    @property
    def place(self) -> tuple[str, str]:
        """What it is the number of."""
        return self.kind, self.name


def encode_numbers(numbers: Iterable[PrintedNumber]) -> bytes:
    """The numbers as packed JSON, the same bytes each time."""
    text = json.dumps(list(numbers), separators=(",", ":"), ensure_ascii=False)
    return gzip.compress(text.encode(), mtime=0)


def decode_numbers(data: bytes, where: str) -> list[PrintedNumber]:
    """The numbers of unpacked JSON.

    Raises:
        RecordError: If it is none.
    """
    try:
        return [_printed(*row) for row in parsed_json(data)]
    except (ValueError, TypeError, OverflowError) as error:
        raise RecordError(f"The list of printed numbers is damaged: {error}", where=where) from error


def _printed(kind: object, name: object, value: object, low: object, high: object) -> PrintedNumber:
    if not (isinstance(kind, str) and isinstance(name, str)):
        raise TypeError(f"{kind!r:.40} {name!r:.40} is no place of a number")
    ends = (None if end is None else _number(end) for end in (low, high))
    return PrintedNumber(kind, name, _number(value), *ends)


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{value!r:.40} is no number")
    return float(value)
