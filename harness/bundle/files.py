"""The files of a bundle: their content, sizes and hashes, and the list of hashes that goes with them."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.errors import RecordError

SUMS = "SHA256SUMS"
"""The hashes of all other files, as ``sha256sum --check`` reads them."""
METADATA = "ro-crate-metadata.json"
README = "README.md"
PAPER = "paper.toml"
LOCK = "constraints.txt"
LICENCES = "licences.json"
REPORT = "report"
OWN = frozenset({SUMS, METADATA, README, PAPER, LOCK, LICENCES})
"""What a bundle adds to a run's folder, besides the report."""

_LINE = re.compile(r"([0-9a-f]{64})  (.+)")
Content = bytes | Path


@dataclass(frozen=True)
class Stamp:
    """What a file is: its size in bytes and its SHA-256 in hexadecimal."""

    size: int
    sha256: str


def is_bundle(folder: Path) -> bool:
    """Whether a folder is an opened bundle."""
    return (folder / SUMS).is_file() and (folder / METADATA).is_file()


@contextmanager
def reading(content: Content) -> Iterator[io.BufferedIOBase]:
    """A stream of what a file is to hold.

    Raises:
        RecordError: If it cannot be read.
    """
    try:
        stream: io.BufferedIOBase = io.BytesIO(content) if isinstance(content, bytes) else content.open("rb")
    except OSError as error:
        raise RecordError(f"The file cannot be read: {error.strerror}", where=str(content)) from error
    with stream:
        yield stream


def stamp_of(content: Content) -> Stamp:
    """Size and hash of a file's content."""
    with reading(content) as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
        return Stamp(stream.seek(0, io.SEEK_END), digest)


def sums_text(stamps: Mapping[str, Stamp]) -> bytes:
    """The list of hashes, sorted by path."""
    return "".join(f"{stamps[name].sha256}  {name}\n" for name in sorted(stamps)).encode()


def sums_size(names: Iterable[str]) -> int:
    """How long the list of hashes of some files is, in bytes, whatever they hold."""
    return sum(64 + 2 + len(name.encode()) + 1 for name in names)


def read_sums(folder: Path) -> dict[str, str]:
    """The hash of each file in an opened bundle, by path.

    Raises:
        RecordError: If the list is missing or damaged.
    """
    path = folder / SUMS
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise RecordError(
            f"The bundle has no list of hashes that can be read: {error}", where=SUMS
        ) from error
    found: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        parts = _LINE.fullmatch(line)
        if parts is None or parts[2] in found:
            raise RecordError(
                "The line is no hash with a path of its own",
                where=f"{SUMS}, line {number}",
                fix="The bundle is damaged: get it again from where it was made.",
            )
        found[parts[2]] = parts[1]
    return found
