"""Files that are whole after a power cut, or not there at all.

A disk keeps what it was told to keep, and in an order of its own: a name may arrive before the bytes that it
names, and bytes without their name. So bytes are on disk before they get their name, and the name is on disk
before anything that speaks of it is written.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO

from harness.errors import RecordError

_NOT_SYNCED = frozenset({errno.EINVAL, errno.ENOTSUP})
"""What file systems answer that synchronise no folders: they have nothing to offer for it."""


def sync(path: Path) -> None:
    """Wait until a file's bytes, or the names in a folder, are on disk.

    Raises:
        OSError: If they cannot be written.
    """
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    except OSError as error:
        if error.errno not in _NOT_SYNCED:
            raise
    finally:
        os.close(opened)


def sync_tree(tree: Path) -> None:
    """Wait until a file, or all that is in a folder, is on disk, before it gets the name that makes it whole.

    Raises:
        OSError: If it cannot be written.
    """
    if tree.is_file():
        sync(tree)
    for base, _, names in os.walk(tree):
        for name in names:
            path = Path(base, name)
            if path.is_file() and not path.is_symlink():
                sync(path)
        sync(Path(base))


def write_durably(path: Path, data: bytes) -> None:
    """Write a file so that it exists whole or not at all, also after a power cut.

    Raises:
        RecordError: If the disk is full or the folder cannot be written.
    """

    def write(sink: IO[bytes]) -> None:
        sink.write(data)

    write_stream_durably(path, write)


def write_stream_durably(path: Path, write: Callable[[IO[bytes]], None]) -> None:
    """As :func:`write_durably`, for what is written piece by piece.

    Raises:
        RecordError: If the disk is full or the folder cannot be written.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        try:
            with temporary.open("wb") as file:
                write(file)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
            sync(path.parent)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise RecordError(
            f"Cannot write {path.name}: {error.strerror or error}",
            where=str(path.parent),
            fix="Free some space or choose a folder that can be written (--runs); then --resume.",
        ) from error
