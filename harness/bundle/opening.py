"""Opening an archive that came from somewhere: inside one new folder, with every hash checked."""

from __future__ import annotations

import os
import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath, PureWindowsPath

from harness.bundle.files import METADATA, SUMS, read_sums, stamp_of
from harness.durable import sync_tree
from harness.errors import CorroborateError, RecordError, UsageError
from harness.store import RunReader, open_run

LIMIT_GB = 20.0
MOST_FILES = 200_000
_SHOWN = 3
_LONGEST = 255
_CHUNK = 1 << 20
_GET_AGAIN = (
    "The bundle is damaged or was changed: get it again from where it was made. Nothing was kept of it."
)
_FAULTS = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    NotImplementedError,
    EOFError,
    RuntimeError,
    ValueError,
    LookupError,
    OverflowError,
)
"""What the standard library raises for archives that are damaged, encrypted or of an unknown kind."""


def open_bundle(archive: Path, folder: Path, limit_gb: float = LIMIT_GB) -> int:
    """Unpack a bundle into a new folder and check every hash; a bundle with a fault leaves nothing behind.

    Args:
        archive: The ZIP archive.
        folder: Where to; must be new or empty.
        limit_gb: How much it may become, in GB (10⁹ bytes); above zero and finite.

    Returns:
        How many files were unpacked and found as they were recorded.

    Raises:
        UsageError: If the archive is none, or the folder holds something.
        RecordError: If the archive is unsafe, too large or damaged, or differs from its hashes.
    """
    if not archive.is_file():
        raise UsageError("There is no such file", where=str(archive), fix="Name the bundle, a .zip file.")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError("This folder holds something already", where=str(folder), fix="Name a new one.")
    folder = folder.absolute()
    draft = folder.with_name(f".{folder.name}.{os.getpid()}.opening")
    try:
        draft.mkdir(parents=True)
        try:
            _unpack(archive, draft, int(limit_gb * 1e9))
            count = check_bundle(draft, str(archive))
            if folder.exists():
                folder.rmdir()
            sync_tree(draft)
            draft.rename(folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    except OSError as error:
        raise RecordError(
            f"The bundle cannot be opened: {error.strerror or error}",
            where=str(error.filename or folder),
            fix="Free some space, or name a folder that can be written.",
        ) from error
    return count


def check_bundle(folder: Path, where: str = "") -> int:
    """Check that an opened bundle holds exactly what was recorded, and a run that can be read.

    Args:
        folder: The opened bundle.
        where: What to call it in errors.

    Returns:
        How many files were checked.

    Raises:
        RecordError: With what is missing, added or changed.
    """
    where = where or str(folder)
    recorded = read_sums(folder)
    there = set(_files(folder)) - {SUMS}
    changed = [name for name in sorted(there & recorded.keys()) if _differs(folder, name, recorded[name])]
    faults = [
        *_told("missing", recorded.keys() - there),
        *_told("not in its list of hashes", there - recorded.keys()),
        *_told("not as recorded", changed),
    ]
    if METADATA not in recorded:
        faults.append(f"without {METADATA}")
    if faults:
        raise RecordError(
            f"The bundle is not what was made: {'; '.join(faults)}", where=where, fix=_GET_AGAIN
        )
    try:
        reader: RunReader = open_run(folder)
        _ = reader.trials
    except CorroborateError as error:
        raise RecordError(f"The bundle holds no run that can be read: {error.what}", where=where) from error
    return len(recorded)


def _differs(folder: Path, name: str, recorded: str) -> bool:
    return stamp_of(folder / name).sha256 != recorded


def _told(what: str, names: set[str] | list[str]) -> Iterator[str]:
    if names:
        first = sorted(names)
        more = f" and {len(first) - _SHOWN} more" if len(first) > _SHOWN else ""
        yield f"{', '.join(first[:_SHOWN])}{more} {what}"


def _files(folder: Path) -> Iterator[str]:
    """Everything below a folder that is no folder, links included, by path."""
    for base, folders, names in os.walk(folder):
        links = [name for name in folders if (Path(base) / name).is_symlink()]
        for name in [*names, *links]:
            yield (Path(base) / name).relative_to(folder).as_posix()


def _unpack(archive: Path, folder: Path, limit: int) -> None:
    try:
        with zipfile.ZipFile(archive) as opened:
            entries = opened.infolist()
            _refuse_unsafe(entries, limit, str(archive))
            for entry in (entry for entry in entries if not entry.is_dir()):
                _extract(opened, entry, folder / entry.filename)
    except _FAULTS as error:
        raise RecordError(
            f"The archive cannot be unpacked: {error}", where=str(archive), fix=_GET_AGAIN
        ) from error


def _refuse_unsafe(entries: list[zipfile.ZipInfo], limit: int, where: str) -> None:
    """Look at everything that an archive says of itself before anything of it is written."""
    if len(entries) > MOST_FILES:
        raise RecordError(f"The archive has {len(entries):,} files, more than {MOST_FILES:,}", where=where)
    seen: set[str] = set()
    folders = {parent for entry in entries for parent in _parents(entry.filename)}
    for entry in entries:
        if reason := _unsafe(entry) or _clash(entry, seen, folders):
            raise RecordError(
                f"The archive is refused: its entry {entry.filename[:80]!r} {reason}",
                where=where,
                fix="Nothing was unpacked. No bundle of corroborate's has such an entry.",
            )
        seen.add(entry.filename.casefold())
    size = sum(entry.file_size for entry in entries)
    if size > limit:
        raise RecordError(
            f"The archive would unpack to {size / 1e9:.1f} GB; the limit is {limit / 1e9:g} GB",
            where=where,
            fix="If you trust it, give a higher --limit-gb.",
        )


def _parents(name: str) -> Iterator[str]:
    """The folders that a path goes through, as systems see them that do not tell cases apart."""
    parts = name.casefold().split("/")[:-1]
    return ("/".join(parts[:at]) for at in range(1, len(parts) + 1))


def _clash(entry: zipfile.ZipInfo, seen: set[str], folders: set[str]) -> str:
    """What an entry has in common with another that cannot both be there, or nothing."""
    name = entry.filename.casefold()
    if name in seen:
        return "is there twice"
    return "is both a file and a folder" if not entry.is_dir() and name in folders else ""


def _unsafe(entry: zipfile.ZipInfo) -> str:
    """Why an entry is no plain file inside the folder, or nothing."""
    name, kind = entry.filename, stat.S_IFMT(entry.external_attr >> 16)
    path = PurePosixPath(name)
    if not name or "\\" in name or path.is_absolute() or PureWindowsPath(name).drive:
        return "names a place outside"
    if ".." in path.parts or path.as_posix() != name.removesuffix("/"):
        return "names a place outside"
    if any(len(part.encode(errors="replace")) > _LONGEST for part in path.parts):
        return "has a longer name than file systems take"
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "is packed in a way that bundles are not"
    if kind not in (0, stat.S_IFDIR if entry.is_dir() else stat.S_IFREG):
        return "is a link or a device"
    return "is encrypted" if entry.flag_bits & 1 else ""


def _extract(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path) -> None:
    """Write one entry; what is more than it has declared is never read, and less is an error."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with opened.open(entry) as source, target.open("xb") as file:
        shutil.copyfileobj(source, file, _CHUNK)
        if file.tell() != entry.file_size:
            raise zipfile.BadZipFile(f"'{entry.filename}' is cut off")
    with suppress(OSError):
        target.chmod(0o644)
