"""SHA-256 of files and folders, remembered as long as a file does not change."""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from harness.durable import sync
from harness.text import parsed_json

_SETTLED_S = 2.0
"""A file younger than this may change again within the clock's resolution."""
_KEY = re.compile(r".*\|\d+\|\d+\|\d+", re.DOTALL)


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's content, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def files_in(folder: Path) -> Iterator[tuple[str, Path]]:
    """All files below a folder by relative name, sorted; hidden ones are left out."""
    found = []
    for base, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(base) / name for name in names if not name.startswith(".")]
    yield from sorted((path.relative_to(folder).as_posix(), path) for path in found)


class HashCache:
    """Hashes by path, size and times of change, kept in one JSON file.

    A store that cannot be read or written only costs time: hashes are then computed anew. One that
    holds anything else is somebody else's file, and is left as it is.
    """

    def __init__(self, store: Path) -> None:
        self._store = store
        self._known: dict[str, str] | None = None
        self._foreign = False

    def file(self, path: Path) -> str:
        """The SHA-256 of a file."""
        fresh: dict[str, str] = {}
        digest = self._hash(path, fresh)
        self._save(fresh)
        return digest

    def files(self, folder: Path) -> dict[str, str]:
        """SHA-256 by relative name, of all files below a folder."""
        fresh: dict[str, str] = {}
        hashes = {name: self._hash(path, fresh) for name, path in files_in(folder)}
        self._save(fresh)
        return hashes

    def folder(self, folder: Path) -> str:
        """One SHA-256 over the names and contents of all files below a folder."""
        listing = json.dumps(self.files(folder), sort_keys=True)
        return hashlib.sha256(listing.encode()).hexdigest()

    def _hash(self, path: Path, fresh: dict[str, str]) -> str:
        state = path.stat()
        key = f"{path.resolve()}|{state.st_size}|{state.st_mtime_ns}|{state.st_ctime_ns}"
        if self._known is None:
            self._known = self._read()
        if key in self._known:
            return self._known[key]
        digest = sha256_of(path)
        if time.time() - max(state.st_mtime, state.st_ctime) > _SETTLED_S:
            fresh[key] = digest
        return digest

    def _read(self) -> dict[str, str]:
        try:
            content = parsed_json(self._store.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError):
            content = None
        if not isinstance(content, dict) or not all(map(_KEY.fullmatch, content)):
            self._foreign = True
            return {}
        return content

    def _save(self, fresh: dict[str, str]) -> None:
        if not fresh:
            return
        # Read again: another process may have added hashes meanwhile.
        self._known = self._read() | (self._known or {}) | fresh
        if self._foreign:
            return
        draft = self._store.with_name(f".{self._store.name}.{os.getpid()}")
        with suppress(OSError):
            self._store.parent.mkdir(parents=True, exist_ok=True)
            draft.write_text(json.dumps(self._known), encoding="utf-8")
            sync(draft)
            draft.replace(self._store)
