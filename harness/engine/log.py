"""What foreign code prints: kept for its record, and bounded."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import io
import os
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol

LOG_LIMIT = 200_000
"""Characters of a job's output that are kept: its end."""
FILE_LIMIT = 2**26
"""Bytes that the file of a worker's output may grow to while a job runs."""
LEFT_OUT = "[… what was printed before is left out …]\n"


class Log(Protocol):
    """Takes what one job after the other prints."""

    def catching(self) -> contextlib.AbstractContextManager[None]:
        """Take what is printed while this is open, and forget what was printed before."""

    def text(self) -> str:
        """What was printed, its end if it is long."""


class Tail(io.TextIOBase):
    """A text stream that keeps the end of what is written to it."""

    def __init__(self) -> None:
        self._pieces: deque[str] = deque()
        self._length = 0
        self._cut = False

    def write(self, text: str) -> int:
        """Take a piece of text, and forget the oldest that are too much."""
        self._pieces.append(text[-LOG_LIMIT:])
        self._length += len(self._pieces[-1])
        self._cut |= len(text) > LOG_LIMIT
        while self._length - len(self._pieces[0]) >= LOG_LIMIT:
            self._length -= len(self._pieces.popleft())
            self._cut = True
        return len(text)

    def writable(self) -> bool:
        """Always."""
        return True

    def getvalue(self) -> str:
        """What is kept."""
        text = "".join(self._pieces)
        cut = self._cut or len(text) > LOG_LIMIT
        return LEFT_OUT + text[-LOG_LIMIT:] if cut else text


class MemoryLog:
    """What Python code prints in this process; native code and child processes print past it."""

    def __init__(self) -> None:
        self._tail = Tail()

    @contextmanager
    def catching(self) -> Iterator[None]:
        """See :class:`Log`."""
        self._tail = Tail()
        with contextlib.redirect_stdout(self._tail), contextlib.redirect_stderr(self._tail):
            yield

    def text(self) -> str:
        """See :class:`Log`."""
        return self._tail.getvalue()


class FileLog:
    """All that this process, its native code and its children print, in a file.

    The file outlives the process, so what a killed worker has printed can be read.

    Args:
        path: The file; created if it is new.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        # Appending, so that what writes goes on at the new end after the file was cut.
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        self._connect()
        self._by_line()

    def _connect(self) -> None:
        for number in (1, 2):
            os.dup2(self._file, number)
        # Line by line: what was printed before a crash is there.
        streams = [
            io.TextIOWrapper(
                io.FileIO(number, "w", closefd=False),
                encoding="utf-8",
                errors="backslashreplace",
                line_buffering=True,
                write_through=True,
            )
            for number in (1, 2)
        ]
        sys.stdout, sys.stderr = streams

    @staticmethod
    def _by_line() -> None:
        """Let native code print line by line, too."""
        with contextlib.suppress(OSError, ValueError, AttributeError):
            libc = ctypes.CDLL(None)
            name = "__stdoutp" if sys.platform == "darwin" else "stdout"
            libc.setvbuf(ctypes.c_void_p.in_dll(libc, name), None, 1, 0)  # 1: _IOLBF

    @contextmanager
    def catching(self) -> Iterator[None]:
        """See :class:`Log`."""
        # The job before may have closed or turned away the streams and their descriptors.
        self._connect()
        os.ftruncate(self._file, 0)
        yield

    def text(self) -> str:
        """See :class:`Log`."""
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).fflush(None)
        return read_log(self._path)


def read_log(path: Path) -> str:
    """The end of a log file; empty if there is none."""
    try:
        with path.open("rb") as file:
            # Its owner may be cutting it from another process, and it is empty in between.
            fcntl.flock(file, fcntl.LOCK_SH)
            return _end(file)
    except OSError:
        return ""


def bound_log(path: Path) -> None:
    """Cut a log file that has grown too long to its end."""
    with contextlib.suppress(OSError):
        if path.stat().st_size <= FILE_LIMIT:
            return
        with path.open("r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            end = _end(file).encode("utf-8", "replace")
            file.truncate(0)
            # A writer may have begun at the start again: add to the end, wherever that is by now.
            with path.open("ab") as adding:
                adding.write(end)


def _end(file: IO[bytes]) -> str:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(size - 4 * LOG_LIMIT, 0))
    text = file.read().decode("utf-8", "backslashreplace")
    cut = size > 4 * LOG_LIMIT or len(text) > LOG_LIMIT
    return LEFT_OUT + text[-LOG_LIMIT:] if cut else text
