"""Folders that appear when they are complete, and not before."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

from harness.method import ProblemError


@contextmanager
def new_folder(folder: Path, *, mark: str, force: bool = False) -> Iterator[Path]:
    """An empty folder to write to, which gets its name when all is written, and goes if that fails.

    Args:
        folder: The name; the folder that it lies in must exist.
        mark: A file that folders of this kind have: only such a folder is replaced.
        force: Replace one that is there, once the new one is complete.

    Raises:
        ProblemError: If something is there already, or the folder cannot be written.
    """
    _check_place(folder, mark, force=force)
    try:
        place = Path(mkdtemp(dir=_parent(folder), prefix=f".{folder.name[:80]}-"))
        try:
            yield place
            # Temporary folders are for their owner alone; this one is to be as others are.
            place.chmod(0o755)
            _settle(place, folder)
        finally:
            shutil.rmtree(place, ignore_errors=True)
    except OSError as error:
        raise ProblemError(
            f"The folder cannot be written: {error.strerror or error}", where=str(folder)
        ) from error


def left_behind(folder: Path) -> list[Path]:
    """Folders begun for this name that are not complete: of a command that was killed, or still runs.

    Args:
        folder: The name, as for :func:`new_folder`.
    """
    begun = re.compile(rf"\.{re.escape(folder.name[:80])}-(vectors-)?[a-z0-9_]{{8}}")
    beside = _parent(folder)
    if not beside.is_dir():
        return []
    return sorted(path for path in beside.iterdir() if begun.fullmatch(path.name) and path.is_dir())


def _settle(place: Path, folder: Path) -> None:
    if not folder.exists():
        place.rename(folder)
        return
    aside = Path(mkdtemp(dir=_parent(folder), prefix=f".{folder.name[:80]}-"))
    folder.rename(aside / "old")
    try:
        place.rename(folder)
    except OSError:
        (aside / "old").rename(folder)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def _check_place(folder: Path, mark: str, *, force: bool) -> None:
    if not _parent(folder).is_dir():
        raise ProblemError(
            "The folder that it is to lie in is not there", where=str(_parent(folder)), fix="Make it first."
        )
    if not folder.exists():
        return
    if not force:
        raise ProblemError(
            "The folder exists already", where=str(folder), fix="Name a new one, or add --force."
        )
    if not (folder / mark).is_file():
        raise ProblemError(
            f"The folder has no {mark}, and is not replaced", where=str(folder), fix="Name a new one."
        )


def _parent(folder: Path) -> Path:
    return folder.absolute().parent
