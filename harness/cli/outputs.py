"""Where results are written beside a run: looked at before the work, and told clearly if it fails."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.errors import RecordError, UsageError
from harness.text import utf8


def require_file(path: Path | None, option: str) -> None:
    """Refuse a file that cannot be written, before anything is computed for it. Makes nothing.

    Raises:
        UsageError: If it is a folder, or it or its folder cannot be written.
    """
    if path is None:
        return
    if path.is_dir():
        raise UsageError("This is a folder; a file is to be written", where=f"{option} {path}")
    if path.exists() and not os.access(path, os.W_OK):
        raise UsageError("This file cannot be written", where=f"{option} {path}")
    if not path.exists():
        require_folder(path.parent, option)


def require_folder(path: Path | None, option: str) -> None:
    """Refuse a folder that cannot be written or made. Makes nothing.

    Raises:
        UsageError: If it is, or would lie in, a file or a folder that cannot be written.
    """
    if path is None:
        return
    path = path.absolute()
    found = next(place for place in (path, *path.parents) if _there(place))
    if not found.is_dir():
        raise UsageError("This is a file; a folder is needed there", where=f"{option} {found}")
    if not os.access(found, os.W_OK | os.X_OK):
        raise UsageError("This folder cannot be written", where=f"{option} {found}")


def _there(path: Path) -> bool:
    try:
        return os.path.lexists(path)
    except OSError:
        return False


@contextmanager
def writing(path: Path, what: str) -> Iterator[None]:
    """Tell of a file that could not be written as of something outside the experiment.

    Raises:
        RecordError: Instead of errors of the file system.
    """
    try:
        yield
    except OSError as error:
        raise RecordError(
            f"{what} could not be written: {error.strerror or error}",
            where=str(error.filename or path),
            fix="What it tells of is kept; write it again with more space, or to another place.",
        ) from error


def write_file(path: Path, text: str, what: str) -> None:
    """Write a text file, with its folder.

    Raises:
        RecordError: If it cannot be written.
    """
    with writing(path, what):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(utf8(text))


def print_document(text: str) -> None:
    """Print what is meant to be used as a file, whole or not at all.

    Raises:
        UsageError: If the output's encoding lacks a letter of it: escapes would be taken for its text.
    """
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError as error:
        raise UsageError(
            f"The output takes {encoding} only, which has no '{ascii(text[error.start])[1:-1]}'",
            where="standard output",
            fix="Write to a file with --out, or set PYTHONIOENCODING=utf-8.",
        ) from error
    print(text)
