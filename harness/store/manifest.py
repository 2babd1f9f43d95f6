"""``manifest.json``: the files of a run or of committed results, each with its hash."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from harness.errors import RecordError
from harness.store.packs import FOLDER
from harness.store.units import sha256
from harness.text import parsed_json, unfit_name

MANIFEST_FILE = "manifest.json"
_LISTED = ("run.json", "trials.jsonl", "verdicts.json")
_UNITS = "units"


@dataclass(frozen=True)
class Changed:
    """A file that is not as it was listed."""

    name: str
    how: Literal["missing", "added", "changed"]


def manifest_of(files: Mapping[str, bytes]) -> bytes:
    """The list of some files by name, as it is stored."""
    hashes = {name: sha256(data) for name, data in sorted(files.items())}
    return json.dumps({"sha256": hashes}, indent=1).encode() + b"\n"


def run_manifest(folder: Path) -> bytes:
    """The list of a run's records and unit rows.

    Raises:
        RecordError: If one of them cannot be read.
    """
    return manifest_of({name: _read(folder / name) for name in _run_files(folder)})


def _run_files(folder: Path) -> Iterator[str]:
    yield from (name for name in _LISTED if (folder / name).is_file())
    for place in (_UNITS, FOLDER):
        if (folder / place).is_dir():
            yield from sorted(f"{place}/{path.name}" for path in (folder / place).iterdir())


def listed_in(folder: Path) -> dict[str, str] | None:
    """The hashes of a folder's files by name; ``None`` if it has no list.

    Raises:
        RecordError: If the list is damaged.
    """
    path = folder / MANIFEST_FILE
    if not path.is_file():
        return None
    try:
        hashes = parsed_json(_read(path))["sha256"]
        listed = {str(name): str(digest) for name, digest in hashes.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RecordError(f"The list of files is damaged: {error!r}", where=str(path)) from error
    if outside := next((name for name in listed if unfit_name(name)), ""):
        raise RecordError(
            f"The list of files is damaged: {outside[:80]!r} is no file inside the folder", where=str(path)
        )
    return listed


def changed_files(folder: Path, listed: Mapping[str, str], *, committed: bool) -> list[Changed]:
    """The files that are not as listed; in a run, logs and reports may come and go.

    Raises:
        RecordError: If one of them cannot be read.
    """
    there = {path.name for path in folder.iterdir()} - {MANIFEST_FILE} if committed else _run_files(folder)
    found = [Changed(name, "added") for name in sorted(set(there) - set(listed))]
    for name, digest in listed.items():
        path = folder / name
        if not path.is_file():
            found.append(Changed(name, "missing"))
        elif sha256(_read(path)) != digest:
            found.append(Changed(name, "changed"))
    return found


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise RecordError(f"The file cannot be read: {error}", where=str(path)) from error
