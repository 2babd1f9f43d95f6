"""Where a command on one's own data writes: a new file, whole or not at all, or the standard output."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from tempfile import NamedTemporaryFile

from harness.method import ProblemError


def put(text: str, path: Path | None, *, force: bool = False) -> None:
    """Write a text to a file, or print it where there is none.

    Args:
        text: What to write, UTF-8 in a file.
        path: The file; its folder must exist.
        force: Write over a file that exists.

    Raises:
        ProblemError: If the file exists and ``force`` is not set, or cannot be written; it stays as it was.
    """
    if path is None:
        sys.stdout.write(text)
        return
    if path.exists() and not force:
        raise ProblemError("The file exists already", where=str(path), fix="Name a new one, or add --force.")
    try:
        with NamedTemporaryFile("wb", dir=path.parent, prefix=f".{path.name[:100]}-", delete=False) as file:
            place = Path(file.name)
            try:
                file.write(text.encode())
                file.flush()
                os.fsync(file.fileno())
                # Temporary files are for their owner alone; this one is to be as others are.
                place.chmod(0o666 & ~_umask())
                place.replace(path)
            except BaseException:
                place.unlink(missing_ok=True)
                raise
    except OSError as error:
        raise ProblemError(f"The file cannot be written: {error.strerror}", where=str(path)) from error


def say(text: str) -> None:
    """Tell something beside the result, so that the result can be piped."""
    sys.stderr.write(f"note: {text}\n")


def _umask() -> int:
    # The system tells it only to those who set it.
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
