"""Running code that is not ours: however it ends, that is an error which names it.

Modules of users and plug-ins, constructors of their classes, functions that a suite declares: any of
them may raise anything, or end the program as if it had succeeded. Neither may pass for a result.
"""

from __future__ import annotations

import os
import sysconfig
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import MISSING, Field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from harness.ends import Stops
from harness.errors import CorroborateError, UsageError

if TYPE_CHECKING:
    from harness.method.contract import Method

M = TypeVar("M", bound="Method[Any, Any]")

OWN = Path(__file__).resolve().parent
FRAMES_SHOWN = 3
"""Places of the foreign code that are shown, the last ones."""


class _ExitedError(BaseException):
    """The code asked the system to end the process; no ``except Exception`` of its own stops this."""


@contextmanager
def foreign(what: str, *, where: str, kind: type[CorroborateError] = UsageError) -> Iterator[None]:
    """Run somebody else's code in the body; if it ends in any way but by returning, that is told as its own.

    Errors that are ours already say what is wrong and pass. So does Ctrl-C, which is the user's.

    Args:
        what: What failed, as the start of a sentence: "The method cannot be imported".
        where: The name by which the user knows the code; its file and line are added.
        kind: The class of error.

    Raises:
        CorroborateError: Of class ``kind``, with the place and the end of the foreign traceback.
    """
    with Stops() as stops:
        try:
            with _no_way_out():
                yield
        except CorroborateError:
            raise
        except BaseException as error:
            stops.obey()
            raise kind(f"{what}: {reason(error)}", where=_place(where, error), fix=_story(error)) from error


def make_method(kind: type[M], where: str) -> M:
    """A method with its default parameters.

    Raises:
        UsageError: If it cannot be made so, whatever its constructor does.
    """
    items: tuple[Field[Any], ...] = tuple(getattr(kind, "__dataclass_fields__", {}).values())
    needed = [i.name for i in items if i.init and i.default is MISSING and i.default_factory is MISSING]
    if needed:
        raise UsageError(
            f"The method cannot be made without arguments: no default for {', '.join(needed)}",
            where=where,
            fix="Give every parameter a default: param(VALUE, source=...).",
        )
    with foreign("The method cannot be made without arguments", where=where):
        return kind()


@contextmanager
def _no_way_out() -> Iterator[None]:
    """Let ``os._exit`` raise in this process: it would end a command that did nothing with success."""
    leave, ours = os._exit, os.getpid()

    def refuse(status: int) -> None:
        if os.getpid() != ours:
            leave(status)  # A process that the code has forked ends as it must.
        raise _ExitedError(f"os._exit({status}) was called")

    os._exit = refuse  # type: ignore[assignment]
    try:
        yield
    finally:
        os._exit = leave


def reason(error: BaseException) -> str:
    """An error in one line, as a reader of the foreign code would name it."""
    if isinstance(error, _ExitedError):
        return str(error)
    if isinstance(error, SystemExit):
        return f"it ended the program with sys.exit({'' if error.code is None else repr(error.code)})"
    told = traceback.format_exception_only(error)[-1].strip()
    return " ".join(told.split())


def _frames(error: BaseException) -> list[traceback.FrameSummary]:
    """The places that the error went through, without ours and Python's own."""
    return [frame for frame in traceback.extract_tb(error.__traceback__) if _is_theirs(frame.filename)]


def _is_theirs(file: str) -> bool:
    if file.startswith((f"{OWN}{os.sep}", "<")):
        return False
    # Installed packages may lie inside the folder of Python's own library.
    installed = (sysconfig.get_path("purelib"), sysconfig.get_path("platlib"))
    return file.startswith(installed) or not file.startswith(sysconfig.get_path("stdlib"))


def _place(where: str, error: BaseException) -> str:
    frames = _frames(error)
    if isinstance(error, SyntaxError) and error.filename:
        place = f"{error.filename}:{error.lineno}"
    elif frames:
        place = f"{frames[-1].filename}:{frames[-1].lineno}"
    else:
        return where
    return f"{where}, {place}"


def _story(error: BaseException) -> str:
    """The end of the traceback, indented, and the advice."""
    frames = _frames(error)[-FRAMES_SHOWN:]
    lines = [f"  {frame.filename}, line {frame.lineno}: {frame.line or frame.name}" for frame in frames]
    if isinstance(error, SyntaxError) and error.text:
        lines.append(f"  {error.filename}, line {error.lineno}: {error.text.strip()}")
    return "\n  ".join(["Correct it there.", *lines])
