"""GGUF files: whether the header can be walked from end to end, before a library does it.

A file begins with ``GGUF``, a version, the numbers of tensors and of settings, all little-endian; then come
the settings (name, type, value) and of each tensor the name, the shape, the type and its place. The library
that reads such files believes every length in them: one wrong byte makes it loop over 2⁶⁰ items that are
not there.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import NoReturn

from harness.errors import ResourceError

_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_STRING, _ARRAY, _UINT32 = 8, 9, 4
_SIZES: Mapping[int, int] = MappingProxyType(
    {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
)
"""Bytes of a value by the number of its type; text and arrays have lengths of their own."""
_MOST_DIMENSIONS = 8
_DEEPEST = 4
_LONGEST_NAME = 65535
_LEAST_SETTING, _LEAST_TENSOR = 13, 24
"""Bytes of the shortest setting, and of the shortest line in the list of tensors."""
_ALIGNMENT = "general.alignment"


class _DamagedError(Exception):
    """What is wrong, and at which byte."""


@dataclass
class _Walk:
    """A place in a file, and what may be read from there on."""

    data: mmap.mmap
    at: int = 0

    def skip(self, size: int) -> int:
        """Pass over some bytes; gives where they began."""
        start = self.at
        if size > len(self.data) - start:
            self.refuse(f"{size:,} bytes are announced, and {len(self.data) - start:,} are left")
        self.at += size
        return start

    def number(self, form: str) -> int:
        """A whole number, ``I`` of 4 bytes or ``Q`` of 8."""
        size = struct.calcsize(form)
        start = self.skip(size)
        return int(struct.unpack_from(f"<{form}", self.data, start)[0])

    def text(self) -> str:
        """A name after its length."""
        length = self.number("Q")
        if length > _LONGEST_NAME:
            self.refuse(f"a name has {length:,} bytes")
        start = self.skip(length)
        try:
            return self.data[start : self.at].decode()
        except UnicodeDecodeError:
            self.refuse("a name is not UTF-8")

    def pass_value(self, kind: int, depth: int = 0) -> None:
        """Pass over a value of a type."""
        if kind == _STRING:
            self.skip(self.number("Q"))
        elif kind == _ARRAY:
            self._pass_array(depth + 1)
        elif kind in _SIZES:
            self.skip(_SIZES[kind])
        else:
            self.refuse(f"{kind} is no type of a value")

    def _pass_array(self, depth: int) -> None:
        kind, count = self.number("I"), self.number("Q")
        if depth > _DEEPEST:
            self.refuse("arrays are nested too deeply")
        if kind in _SIZES:
            self.skip(_SIZES[kind] * count)
            return
        # Each item has at least a length, so that a count is never believed for longer than the file.
        for _ in range(count):
            self.pass_value(kind, depth)

    def refuse(self, what: str) -> NoReturn:
        """Stop here.

        Raises:
            _DamagedError: Always.
        """
        raise _DamagedError(f"{what}, at byte {self.at:,}")


def check_gguf_header(path: Path) -> None:
    """Make sure that a file's settings and its list of tensors lie inside it.

    Args:
        path: The file; its tensors are not read.

    Raises:
        ResourceError: If it cannot be read or is damaged; says how, and at which byte.
    """
    fix = "Fetch the file again from where it was made."
    try:
        with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
            _walk(_Walk(data))
    except _DamagedError as error:
        raise ResourceError(f"The GGUF file is damaged: {error}", where=str(path), fix=fix) from None
    except OSError as error:
        told = error.strerror or str(error)
        raise ResourceError(f"The GGUF file cannot be read: {told}", where=str(path), fix=fix) from error
    except ValueError as error:  # An empty file cannot be mapped.
        raise ResourceError(f"The GGUF file cannot be read: {error}", where=str(path), fix=fix) from error


def _walk(walk: _Walk) -> None:
    start = walk.skip(len(_MAGIC))
    if walk.data[start : walk.at] != _MAGIC:
        walk.refuse("it does not begin with GGUF")
    version = walk.number("I")
    if version not in _VERSIONS:
        walk.refuse(f"it is of version {version}, and {' and '.join(map(str, _VERSIONS))} are read")
    tensors, settings = walk.number("Q"), walk.number("Q")
    if settings * _LEAST_SETTING + tensors * _LEAST_TENSOR > len(walk.data) - walk.at:
        left = len(walk.data) - walk.at
        walk.refuse(
            f"{settings:,} settings and {tensors:,} tensors are announced, and {left:,} bytes are left"
        )
    alignment = _settings(walk, settings)
    farthest = _tensors(walk, tensors)
    first = -(-walk.at // alignment) * alignment
    if tensors and first + farthest > len(walk.data):
        walk.refuse(f"a tensor begins {farthest:,} bytes after the header, behind the end of the file")


def _settings(walk: _Walk, count: int) -> int:
    """Pass over the settings; gives what places of tensors are multiples of."""
    names: set[str] = set()
    alignment = 32
    for _ in range(count):
        name, kind = walk.text(), walk.number("I")
        if name in names:
            walk.refuse(f"the setting {name[:80]!r} is there twice")
        names.add(name)
        start = walk.at
        walk.pass_value(kind)
        if name == _ALIGNMENT:
            alignment = int.from_bytes(walk.data[start : walk.at], "little")
            if kind != _UINT32 or alignment < 1 or alignment & (alignment - 1):
                walk.refuse(f"{alignment:,} is no alignment of tensors")
    return alignment


def _tensors(walk: _Walk, count: int) -> int:
    """Pass over the list of tensors; gives where the last one begins, in bytes after the header."""
    names: set[str] = set()
    farthest = 0
    for _ in range(count):
        name, dimensions = walk.text(), walk.number("I")
        if name in names:
            walk.refuse(f"the tensor {name[:80]!r} is there twice")
        names.add(name)
        if dimensions > _MOST_DIMENSIONS:
            walk.refuse(f"the tensor {name[:80]!r} has {dimensions:,} dimensions")
        elements = 1
        for _ in range(dimensions):
            elements *= walk.number("Q")
        if elements > 2**48:
            walk.refuse(f"the tensor {name[:80]!r} has {elements:,} elements")
        _ = walk.number("I")
        farthest = max(farthest, walk.number("Q"))
    return farthest
