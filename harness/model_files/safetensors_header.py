"""Safetensors files: whether the header says where its tensors are, before anything reads them.

A file begins with the header's length in 8 bytes, little-endian; the header is a JSON object that gives
each tensor's type, shape and place among the bytes that follow.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod
from pathlib import Path
from types import MappingProxyType
from typing import Any, NoReturn

from harness.errors import ResourceError
from harness.text import parsed_json

_LENGTH = 8
_LONGEST = 100_000_000
"""Bytes of a header, as the format limits it."""
_POINTER = b"version https://git-lfs"
_BITS: Mapping[str, int] = MappingProxyType(
    {
        **dict.fromkeys(("BOOL", "U8", "I8"), 8),
        **dict.fromkeys(("F16", "BF16", "U16", "I16"), 16),
        **dict.fromkeys(("F32", "U32", "I32"), 32),
        **dict.fromkeys(("F64", "U64", "I64", "C64"), 64),
    }
)
"""Bits of an element; types that are not here are the library's to judge."""
_AGAIN = "Fetch the file again from where it was made."


def check_safetensors_header(path: Path) -> None:
    """Make sure that a file's header is one, and that its tensors fill the file.

    Args:
        path: The file; its tensors are not read.

    Raises:
        ResourceError: If it cannot be read or is damaged; says how.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as stream:
            start = stream.read(len(_POINTER))
            length = int.from_bytes(start[:_LENGTH], "little")
            if start == _POINTER:
                _refuse(path, "it is a pointer of Git LFS, and its content was never downloaded")
            if len(start) < _LENGTH or length > min(size - _LENGTH, _LONGEST):
                _refuse(path, f"{size:,} bytes are too few for a header of {length:,}, or that is too long")
            stream.seek(_LENGTH)
            text = stream.read(length)
    except OSError as error:
        raise ResourceError(
            f"The weights cannot be read: {error.strerror or error}", where=str(path), fix=_AGAIN
        ) from error
    try:
        header = parsed_json(text)
    except ValueError as error:
        _refuse(path, f"its header is not JSON: {error}")
    if not isinstance(header, dict):
        _refuse(path, "its header is not an object")
    _check_places(path, header, size - _LENGTH - length)


def _check_places(path: Path, header: Mapping[str, Any], size: int) -> None:
    """Every tensor has a place of its own, and together they are all there is."""
    end = 0
    for (start, stop), name in sorted(_places(path, header)):
        if start != end:
            _refuse(path, f"tensor {name[:80]!r} begins at {start:,}, and the one before ends at {end:,}")
        end = stop
    if end != size:
        _refuse(path, f"its tensors end at {end:,}, and it holds {size:,} bytes of them")


def _places(path: Path, header: Mapping[str, Any]) -> Iterator[tuple[tuple[int, int], str]]:
    """Where each tensor begins and ends."""
    for name, entry in header.items():
        if name == "__metadata__":
            if not isinstance(entry, dict) or not all(isinstance(value, str) for value in entry.values()):
                _refuse(path, "its metadata is not text by name")
            continue
        place = _place(entry)
        if place is None:
            _refuse(path, f"tensor {name[:80]!r} lacks a type, a shape or a place that fit together")
        yield place, name


def _place(entry: Any) -> tuple[int, int] | None:
    """Where a tensor begins and ends; nothing if its entry is none."""
    if not isinstance(entry, dict) or not isinstance(kind := entry.get("dtype"), str):
        return None
    shape, ends = _sizes(entry.get("shape")), _sizes(entry.get("data_offsets"))
    if shape is None or ends is None or len(ends) != 2 or ends[0] > ends[1]:
        return None
    bits = _BITS.get(kind)
    if bits is not None and prod(shape) * bits != (ends[1] - ends[0]) * 8:
        return None
    return ends[0], ends[1]


def _sizes(values: Any) -> list[int] | None:
    """A list of numbers from 0 that 64 bits hold; nothing if it is another."""
    fit = isinstance(values, list) and all(type(one) is int and 0 <= one < 2**63 for one in values)
    return values if fit else None


def _refuse(path: Path, what: str) -> NoReturn:
    raise ResourceError(f"The safetensors file is damaged: {what}", where=str(path), fix=_AGAIN)
