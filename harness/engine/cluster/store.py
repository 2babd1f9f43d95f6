"""A place that driver and nodes share, for folders that are named by their content.

Any file system that Arrow knows will do: ``file:///shared``, ``s3://bucket/prefix``, ``gs://bucket/prefix``.
Each file is stored once, under its SHA-256, and a folder as the list of its files, under the hash of that
list. What arrives is hashed again, so that a damaged or exchanged file is noticed before it is used.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from harness.durable import sync_tree
from harness.errors import ResourceError
from harness.resources.hashing import HashCache, sha256_of

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem

_DIGEST = re.compile("[0-9a-f]{64}")
_BLOCK = 2**22
SINGLE = "."
"""Name of the only member of what is a file and not a folder."""


def listing_of(path: Path, hashes: HashCache) -> dict[str, str]:
    """SHA-256 of each file below a folder by relative name; of a file, under the name ``"."``.

    Hidden files are none of its content.
    """
    return {SINGLE: hashes.file(path)} if path.is_file() else hashes.files(path)


def digest_of(listing: Mapping[str, str]) -> str:
    """The name of a folder with these files."""
    return hashlib.sha256(_encoded(listing)).hexdigest()


def _encoded(listing: Mapping[str, str]) -> bytes:
    return json.dumps(dict(listing), sort_keys=True).encode()


@dataclass
class ContentStore:
    """Folders by content, behind a URL.

    Attributes:
        url: Where; a plain path is a folder of this machine.
    """

    url: str
    _opened: tuple[FileSystem, str] | None = field(default=None, repr=False)

    def check(self) -> None:
        """Write and read something.

        Raises:
            ResourceError: If the store cannot be reached, written or read.
        """
        name = f"check-{uuid.uuid4().hex}"
        with self._explained("cannot be written"):
            self._write(name, b"corroborate")
        with self._explained("does not give back what was written"):
            self._read(name)
            self._delete(name)

    def has(self, digest: str) -> bool:
        """Whether a folder is there, whole."""
        from pyarrow.fs import FileType

        system, root = self._system()
        with self._explained("cannot be read"):
            found = system.get_file_info(f"{root}/folders/{digest}.json")
        return bool(found.type == FileType.File)

    def put(self, path: Path, listing: Mapping[str, str]) -> str:
        """Store a folder, unless it is there; its list comes last, so that what has one is whole.

        Args:
            path: The folder, or a file.
            listing: From :func:`listing_of`.

        Returns:
            Its digest.

        Raises:
            ResourceError: If the store cannot be written.
        """
        digest = digest_of(listing)
        if self.has(digest):
            return digest
        for name, content in listing.items():
            self._put_file(path if name == SINGLE else path / name, content)
        with self._explained("cannot be written"):
            self._write(f"folders/{digest}.json", _encoded(listing))
        return digest

    def get(self, digest: str, target: Path) -> None:
        """Bring a folder to ``target``, which is there afterwards as a whole or not at all.

        Raises:
            ResourceError: If it is not in the store, has been changed there, or cannot be written here.
        """
        listing = self._listing(digest)
        part = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.part")
        try:
            for name, content in listing.items():
                self._get_file(content, part if name == SINGLE else part / name)
            with self._explained("cannot be copied from"):
                if not listing:
                    part.mkdir(parents=True, exist_ok=True)
                sync_tree(part)
                _put_in_place(part, target)
        finally:
            if part.is_dir():
                shutil.rmtree(part, ignore_errors=True)
            part.unlink(missing_ok=True)

    def _listing(self, digest: str) -> dict[str, str]:
        with self._explained(f"has no folder '{digest[:12]}'"):
            content = self._read(f"folders/{digest}.json")
        if hashlib.sha256(content).hexdigest() != digest:
            raise self._damaged(f"folders/{digest}.json")
        listing: dict[str, str] = json.loads(content)
        if not all(map(_is_member, listing)) or not all(map(_DIGEST.fullmatch, listing.values())):
            raise self._damaged(f"folders/{digest}.json")
        return listing

    def _put_file(self, path: Path, content: str) -> None:
        from pyarrow.fs import FileType

        system, root = self._system()
        with self._explained("cannot be written"):
            if system.get_file_info(f"{root}/files/{content}").type == FileType.File:
                return
            with path.open("rb") as source:
                self._write_from(source, f"files/{content}")

    def _get_file(self, content: str, target: Path) -> None:
        system, root = self._system()
        with self._explained("cannot be copied from"):
            target.parent.mkdir(parents=True, exist_ok=True)
        with (
            self._explained(f"cannot give '{content[:12]}'"),
            system.open_input_stream(f"{root}/files/{content}") as source,
            target.open("wb") as copy,
        ):
            shutil.copyfileobj(source, copy, _BLOCK)
        if sha256_of(target) != content:
            raise self._damaged(f"files/{content}")

    def _write(self, name: str, content: bytes) -> None:
        import io

        self._write_from(io.BytesIO(content), name)

    def _write_from(self, source: Any, name: str) -> None:
        """Under another name first: a file that is half written has no content's name."""
        system, root = self._system()
        place = f"{root}/{name}"
        part = f"{root}/parts/{uuid.uuid4().hex}"
        for folder in (part, place):
            system.create_dir(str(PurePosixPath(folder).parent), recursive=True)
        with system.open_output_stream(part) as stream:
            shutil.copyfileobj(source, stream, _BLOCK)
        system.move(part, place)

    def _read(self, name: str) -> bytes:
        system, root = self._system()
        with system.open_input_stream(f"{root}/{name}") as stream:
            return bytes(stream.read())

    def _delete(self, name: str) -> None:
        system, root = self._system()
        system.delete_file(f"{root}/{name}")

    def _system(self) -> tuple[FileSystem, str]:
        if self._opened is None:
            from pyarrow.fs import FileSystem

            url = self.url if "://" in self.url else Path(self.url).absolute().as_uri()
            with self._explained("cannot be opened"):
                system, root = FileSystem.from_uri(url)
            self._opened = (system, root.rstrip("/"))
        return self._opened

    def _explained(self, what: str) -> _Explained:
        return _Explained(self.url, what)

    def _damaged(self, name: str) -> ResourceError:
        return ResourceError(
            f"The artifact store holds something else than was put there under '{name[:20]}…'",
            where=self.url,
            fix="Delete it there, and find out what changed it.",
        )


@dataclass(frozen=True)
class _Explained:
    """Turns what a file system raises into our own error."""

    url: str
    what: str

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        # Arrow raises its own errors besides OSError, and ValueError for a URL that it does not know.
        if isinstance(error, OSError | ValueError | NotImplementedError):
            raise ResourceError(
                f"The artifact store {self.what}: {str(error).splitlines()[0] if str(error) else error!r}",
                where=self.url,
                fix="Give a URL that the driver and every node may read and write, such as file:///shared/store.",
            ) from error


def _put_in_place(part: Path, target: Path) -> None:
    """Give what has been copied its name, unless another process has brought it meanwhile."""
    if target.exists():
        return
    try:
        part.rename(target)
    except OSError:
        if not target.exists():
            raise


def _is_member(name: str) -> bool:
    """Whether a name of a list leads to a place inside its folder."""
    path = PurePosixPath(name)
    inside = not path.is_absolute() and ".." not in path.parts and "\\" not in name and "\0" not in name
    return inside and (name == SINGLE or bool(path.parts)) and str(path) == name
