"""Writing the archive: the same bytes for the same content, whenever and wherever it is made."""

from __future__ import annotations

import hashlib
import os
import tempfile
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath

from harness.bundle.files import Content, Stamp, reading
from harness.errors import RecordError, UsageError

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a ZIP archive can state; the times of runs are in their records."""
_REGULAR_FILE = 0o100644
_FOLDER = 0o040755
_UNIX = 3
_CHUNK = 1 << 20


def write_archive(path: Path, files: Mapping[str, Content], stamps: Mapping[str, Stamp]) -> None:
    """Write files into a new ZIP archive, which is there whole or not at all.

    Args:
        path: The archive.
        files: The content of each file, by its path inside.
        stamps: What each of them is known to be.

    Raises:
        UsageError: If there is a file of that name.
        RecordError: If a file has changed since its hash was taken, or the archive cannot be written.
    """
    if path.exists():
        raise UsageError(
            "There is a file of that name already", where=str(path), fix="Name another one with --out."
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        draft = Path(name)
        try:
            with os.fdopen(handle, "wb") as stream, zipfile.ZipFile(stream, "w") as archive:
                for folder in sorted({f"{PurePosixPath(name).parent}/" for name in files if "/" in name}):
                    archive.writestr(_entry(folder, _FOLDER), b"")
                for inside in sorted(files):
                    _add(archive, inside, files[inside], stamps[inside])
            draft.chmod(0o644)
            draft.replace(path)
        except BaseException:
            with suppress(OSError):
                draft.unlink()
            raise
    except OSError as error:
        raise RecordError(
            f"The bundle cannot be written: {error.strerror or error}",
            where=str(path),
            fix="Free some space, or name another place with --out.",
        ) from error


def _add(archive: zipfile.ZipFile, name: str, content: Content, stamp: Stamp) -> None:
    entry = _entry(name, _REGULAR_FILE)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.file_size = stamp.size  # From it follows whether the entry needs the format for large files.
    digest = hashlib.sha256()
    with reading(content) as source, archive.open(entry, "w") as target:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            target.write(chunk)
    if digest.hexdigest() != stamp.sha256:
        raise RecordError(
            "The file changed while it was being bundled",
            where=str(content) if isinstance(content, Path) else name,
            fix="Wait until the run has ended, then bundle it again.",
        )


def _entry(name: str, mode: int) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.create_system = _UNIX
    entry.external_attr = mode << 16
    return entry
