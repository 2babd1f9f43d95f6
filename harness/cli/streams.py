"""Standard output and error that outlast what they are connected to.

Whoever reads them may go away, a terminal may be closed, a disk may be full, and an encoding may lack
a letter: none of that may end a run or change what it returns.
"""

from __future__ import annotations

import codecs
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO, cast

ESCAPES = "corroborate.escapes"
"""Name of the error handler for letters that an encoding lacks."""


def _escaped(error: UnicodeError) -> tuple[str, int]:
    """Letters as JSON writes them, so that what is printed as JSON stays JSON."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass")
    pairs = (units[place : place + 2].hex() for place in range(0, len(units), 2))
    return "".join(f"\\u{pair}" for pair in pairs), error.end


codecs.register_error(ESCAPES, _escaped)


class Lasting:
    """A stream whose writes do not fail: what cannot be written any more is dropped.

    Attributes:
        lost: Why something was dropped, if it was.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.lost: OSError | None = None

    def write(self, text: str) -> int:
        """Write, or drop."""
        with self._dropping():
            self._stream.write(text)
        return len(text)

    def writelines(self, lines: Iterator[str]) -> None:
        """Write, or drop."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Hand over what was written."""
        with self._dropping():
            self._stream.flush()

    @contextmanager
    def _dropping(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.lost = self.lost or error
            self._silence()

    def _silence(self) -> None:
        """Let the rest vanish, what is still in the buffer and what libraries write beside it, too."""
        with suppress(OSError, ValueError), Path(os.devnull).open("wb") as nothing:
            os.dup2(nothing.fileno(), self._stream.fileno())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def lasting_streams() -> Iterator[Lasting]:
    """Standard output and error that last; gives the output."""
    _fill_gaps()
    before = sys.stdout, sys.stderr
    out, err = (_lasting(stream, number) for stream, number in zip(before, (1, 2), strict=True))
    sys.stdout, sys.stderr = cast("TextIO", out), cast("TextIO", err)
    try:
        yield out
    finally:
        out.flush()
        err.flush()
        sys.stdout, sys.stderr = before


def _fill_gaps() -> None:
    """Open what was closed when we started: a file of results would take its number and its output."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            os.set_inheritable(number, True)


def _lasting(stream: TextIO | None, number: int) -> Lasting:
    if stream is None:
        stream = open(number, "w", encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115
    if isinstance(stream, io.TextIOWrapper):  # What tests put in its place cannot be changed.
        stream.reconfigure(errors=ESCAPES)
    return Lasting(stream)
