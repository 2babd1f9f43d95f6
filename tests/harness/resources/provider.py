"""Functions that stand for those by which packages provide their files."""

from __future__ import annotations

import errno
import os
import signal
import tarfile
from pathlib import Path

CONTENT = b"some data\n"


def provide(folder: Path) -> None:
    (folder / "letters.txt").write_bytes(CONTENT)
    with (folder.parents[2] / "calls").open("a") as calls:
        calls.write("x")


def provide_other(folder: Path) -> None:
    (folder / "letters.txt").write_bytes(b"something else\n")


def provide_nothing(folder: Path) -> None:
    pass


def provide_and_die(folder: Path) -> None:
    (folder / "letters.txt").write_bytes(CONTENT[:3])
    os.kill(os.getpid(), signal.SIGKILL)


def provide_on_full_disk(folder: Path) -> None:
    (folder / "letters.txt").write_bytes(CONTENT[:3])
    raise OSError(errno.ENOSPC, "No space left on device")


def provide_brokenly(folder: Path) -> None:
    raise KeyError("a part of the package is missing")


def interrupted(folder: Path) -> None:
    (folder / "letters.txt").write_bytes(CONTENT[:3])
    signal.raise_signal(signal.SIGINT)


def unpack(archive: Path, folder: Path) -> None:
    with tarfile.open(archive) as tar:
        member = tar.extractfile("letters-1.0/letters.txt")
        assert member is not None
        (folder / "letters.txt").write_bytes(member.read())


def provide_too_much(folder: Path) -> None:
    (folder / "letters.txt").write_bytes(bytes(200_000))
