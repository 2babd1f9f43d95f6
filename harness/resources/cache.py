"""The cache: one folder an entry, filled aside under a lock and then renamed into place.

``<home>/resources/<name>/<key>/files`` holds the content, ``source.json`` beside it says where
it came from and what each file's hash was. An entry without ``source.json`` does not exist.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from filelock import FileLock, Timeout

from harness.durable import sync, sync_tree
from harness.errors import DISK_FULL, NO_LOCKS, ResourceError, is_storage_error
from harness.method.references import Resource, Source
from harness.resources.hashing import HashCache, files_in
from harness.resources.making import code_of_sources
from harness.text import parsed_json

LOCK_WAIT_S = 3600.0
"""How long to wait for another process that fills the same entry."""


@dataclass(frozen=True)
class Manifest:
    """What ``source.json`` says of an entry.

    Attributes:
        name: Name of the resource.
        version: Its declared version.
        source: Where the content came from.
        files: SHA-256 by file name.
    """

    name: str
    version: str
    source: str
    files: dict[str, str] = field(default_factory=dict)


class ResourceCache:
    """The folder of cached resources.

    Args:
        home: The cache's root.
        hashes: Remembers hashes of unchanged files.
        sources: The sources of a resource as they are fetched.
    """

    def __init__(
        self, home: Path, hashes: HashCache, sources: Callable[[Resource], tuple[Source, ...]]
    ) -> None:
        self.root = home / "resources"
        self._hashes = hashes
        self._sources = sources

    def entry(self, resource: Resource) -> Path:
        """Where this resource's entry is, or would be: by what it declares, and the code that makes it."""
        sources = self._sources(resource)
        declared = repr((resource.version, resource.sha256, sources, code_of_sources(sources)))
        return self.root / resource.name / hashlib.sha256(declared.encode()).hexdigest()[:12]

    def manifest(self, resource: Resource) -> Manifest | None:
        """What is known of the entry; ``None`` if there is none."""
        return read_entry(self.entry(resource))

    def checked(self, resource: Resource) -> Path | None:
        """The entry's files, if it is there and nothing in it has changed since it was filled.

        Raises:
            ResourceError: If a file differs; the entry is then moved aside.
        """
        manifest = self.manifest(resource)
        if manifest is None:
            return None
        folder = self.entry(resource) / "files"
        found = self._hashes.files(folder)
        if bad := [name for name, digest in manifest.files.items() if found.get(name) != digest]:
            aside = self._move_aside(resource)
            raise ResourceError(
                f"The cached resource '{resource.name}' is corrupted: {', '.join(sorted(bad)[:3])}",
                where=str(folder),
                fix=f"It was {aside}; run again to fetch it anew.",
            )
        with suppress(OSError):
            # When an entry was last used, for 'cache prune'.
            os.utime(folder.parent / "source.json")
        return folder

    def _move_aside(self, resource: Resource) -> str:
        entry = self.entry(resource)
        aside = entry.with_name(f"{entry.name}.corrupt")
        try:
            shutil.rmtree(aside, ignore_errors=True)
            entry.replace(aside)
        except OSError:
            return "left where it is, since the cache cannot be written: remove it"
        return f"moved aside to {aside}"

    def fill(self, resource: Resource, write: Callable[[Path], str], check: Callable[[Path], None]) -> Path:
        """Fill the entry, unless another process has done so meanwhile.

        Args:
            resource: What is fetched.
            write: Fills the path it is given (a folder to make) and says where it all came from.
            check: Raises if the content is not what it should be.

        Returns:
            The folder of the files.

        Raises:
            ResourceError: If the cache cannot be written, or from ``write`` and ``check``.
        """
        entry = self.entry(resource)
        with storage_errors(resource.name, self.root), self._locked(entry):
            if self.manifest(resource) is None:
                self._fill(resource, entry, write, check)
        return entry / "files"

    @contextmanager
    def _locked(self, entry: Path) -> Iterator[None]:
        entry.parent.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(f"{entry}.lock", timeout=LOCK_WAIT_S):
                yield
        except Timeout as error:
            raise ResourceError(
                "Another process has been filling this entry of the cache for an hour",
                where=str(entry),
                fix="End that process and run again.",
            ) from error

    def _fill(
        self, resource: Resource, entry: Path, write: Callable[[Path], str], check: Callable[[Path], None]
    ) -> None:
        partial = entry.with_name(f"{entry.name}.partial")
        # The lock is ours, so whatever is there was left by a process that died.
        _remove(partial)
        _remove(entry)
        partial.mkdir()
        try:
            source = write(partial / "files")
            check(partial / "files")
            hashes = self._hashes.files(partial / "files")
            manifest = Manifest(resource.name, resource.version, source, hashes)
            (partial / "source.json").write_text(json.dumps(asdict(manifest), indent=1), encoding="utf-8")
            sync_tree(partial)
            partial.replace(entry)
            sync(entry.parent)
        except BaseException:
            _remove(partial)
            raise


def read_entry(entry: Path) -> Manifest | None:
    """What ``source.json`` says of an entry; ``None`` if there is none, or it is not ours."""
    try:
        raw = parsed_json((entry / "source.json").read_text(encoding="utf-8"))
        return Manifest(**raw) if (entry / "files").is_dir() else None
    except (OSError, ValueError, TypeError):
        return None


def _remove(folder: Path) -> None:
    with suppress(FileNotFoundError):
        shutil.rmtree(folder)


@contextmanager
def storage_errors(name: str, place: Path) -> Iterator[None]:
    """Turn errors of the file system into messages that say what to do."""
    try:
        yield
    except OSError as error:
        if not is_storage_error(error) and error.errno not in NO_LOCKS:
            raise
        if error.errno in DISK_FULL:
            what, fix = "The disk is full", "Free some space ('corroborate cache prune')"
        elif error.errno in NO_LOCKS:
            what, fix = "The file system cannot lock files", "Mount it with locks"
        else:
            what, fix = f"The cache cannot be written: {error.strerror}", "Change its permissions"
        raise ResourceError(
            f"'{name}' was not stored. {what}",
            where=str(place),
            fix=f"{fix}, or set CORROBORATE_HOME to another folder. Nothing was left half-done.",
        ) from error


def size_of(folder: Path) -> int:
    """Bytes of all files below a folder, without those that links point to."""
    return sum(path.lstat().st_size for _, path in files_in(folder))
