"""Putting new committed results in the place of old ones: all of them or none, and nothing but them."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from harness.durable import sync, write_durably
from harness.errors import RecordError, UsageError
from harness.store.manifest import MANIFEST_FILE
from harness.store.reader import TRIALS_FILE, parse, read_file
from harness.store.records import RunRecord

UNITS_FILE = "units.parquet"
OMITTED_FILE = "omitted.json"
"""What older results left out; none are written with it any more."""
CELLS_FILE = "cells.parquet"
NUMBERS_FILE = "numbers.json.gz"
_FILES = frozenset(
    {
        "run.json",
        TRIALS_FILE,
        "verdicts.json",
        UNITS_FILE,
        CELLS_FILE,
        NUMBERS_FILE,
        MANIFEST_FILE,
        OMITTED_FILE,
    }
)
_EMPTY = frozenset({".lock", "units", "logs"})
"""Commands that read used to leave these behind, without content."""
_NEXT_STEP = "Name a new folder, or move away what is not a part of committed results."


def refuse_foreign(folder: Path, suite: str) -> None:
    """Stop unless a folder is new, empty, or provably holds committed results of a suite, and only those.

    Raises:
        UsageError: If it holds anything else.
    """
    if not folder.exists():
        return
    if not folder.is_dir():
        raise UsageError("This is not a folder", where=str(folder), fix=_NEXT_STEP)
    found = sorted(folder.iterdir())
    foreign = [path.name for path in found if not _may_be_ours(path)]
    if foreign:
        raise UsageError(
            f"The folder holds '{foreign[0]}', which is not of committed results: nothing was changed",
            where=str(folder),
            fix=_NEXT_STEP,
        )
    if any(path.name in _FILES for path in found) and _suite_in(folder) != suite:
        raise UsageError(
            f"The folder does not hold committed results of suite '{suite}': nothing was changed",
            where=str(folder),
            fix=_NEXT_STEP,
        )


def _may_be_ours(path: Path) -> bool:
    if path.is_symlink():
        return False
    if path.name in _EMPTY:
        return not any(path.iterdir()) if path.is_dir() else path.stat().st_size == 0
    return path.name in _FILES and path.is_file()


def _suite_in(folder: Path) -> str:
    """The suite of committed results; empty if these are none."""
    with suppress(RecordError):
        record = parse(RunRecord, read_file(folder / "run.json"), str(folder))
        return record.suite if (folder / TRIALS_FILE).is_file() else ""
    return ""


def replace_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files beside a folder that :func:`refuse_foreign` has let pass, then rename them into its place.

    Whatever happens on the way, the old files are in the folder until the new ones are; killed between
    two renamings, both are whole beside it, in hidden folders that end in ``.old`` and ``.new``.

    Raises:
        RecordError: If that cannot be done.
    """
    folder = folder.resolve()
    new, old = (folder.with_name(f".{folder.name}.{os.getpid()}.{end}") for end in ("new", "old"))
    try:
        new.mkdir(parents=True)
        try:
            for name, data in files.items():
                write_durably(new / name, data)
            _swap(folder, new, old)
        except BaseException:
            with suppress(OSError):
                _remove(new)
            raise
    except OSError as error:
        raise RecordError(
            f"The committed results cannot be written: {error.strerror or error}",
            where=str(folder),
            fix="What was there is still there. Free some space, or name a folder that can be written.",
        ) from error


def _swap(folder: Path, new: Path, old: Path) -> None:
    if not folder.exists():
        new.rename(folder)
        return
    new.chmod(stat.S_IMODE(folder.stat().st_mode))
    folder.rename(old)
    try:
        new.rename(folder)
    except BaseException:
        old.rename(folder)
        raise
    sync(folder.parent)
    with suppress(OSError):
        _remove(old)


def _remove(folder: Path) -> None:
    """Remove a folder of committed results file by file: only what may be in one."""
    for name in _FILES | _EMPTY:
        path = folder / name
        if path.is_dir():
            path.rmdir()
        else:
            path.unlink(missing_ok=True)
    folder.rmdir()
