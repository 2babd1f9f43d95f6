"""Errors that a user can act on, and the exit codes of the command line.

Every error says what is wrong, where, and what to do about it.
"""

from __future__ import annotations

import errno
from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """What the process returns; each code calls for another reaction in CI."""

    OK = 0
    LOST = 1
    """A claim or a baseline that held before does not hold now."""
    USAGE = 2
    """The command, a name or a parameter is wrong."""
    NOTHING_COMPARABLE = 3
    """The comparison ran, but no pair of trials could be compared."""
    INFRASTRUCTURE = 4
    """Something outside the experiment failed: disk, memory, a missing resource."""
    UNPROVED = 5
    """What is stored is not what the records give."""


class CorroborateError(Exception):
    """The root of all errors raised on purpose.

    Args:
        what: What is wrong, as a sentence without its final stop.
        where: The file, suite, trial or option at fault.
        fix: What the reader can do about it.
    """

    exit_code: ClassVar[ExitCode] = ExitCode.INFRASTRUCTURE

    def __init__(self, what: str, *, where: str = "", fix: str = "") -> None:
        super().__init__(what, where, fix)
        self.what = what
        self.where = where
        self.fix = fix

    def __str__(self) -> str:
        place = f" ({self.where})" if self.where else ""
        fix = f"\n  {self.fix}" if self.fix else ""
        return f"{self.what}{place}.{fix}" if not self.what.endswith(".") else f"{self.what}{place}{fix}"

    def __reduce__(self) -> tuple[object, ...]:
        # Exceptions cross process borders; keyword arguments need help to do so.
        return (_rebuild, (type(self), self.what, self.where, self.fix))


def _rebuild(kind: type[CorroborateError], what: str, where: str, fix: str) -> CorroborateError:
    return kind(what, where=where, fix=fix)


class UsageError(CorroborateError):
    """A wrong name, option or parameter."""

    exit_code = ExitCode.USAGE


class ProblemError(CorroborateError):
    """A method was given a problem or an input it cannot work with."""

    exit_code = ExitCode.USAGE


class SuiteError(CorroborateError):
    """A suite's declaration contradicts itself."""

    exit_code = ExitCode.USAGE


class ResourceError(CorroborateError):
    """A model or data set is missing, corrupted or not licensed to this user."""


class LicenceError(ResourceError):
    """A resource's terms have not been accepted; what needs it is left out, the rest can run."""


class RecordError(CorroborateError):
    """A record cannot be read or written."""


LEFT_OUT = "Rows left out"
"""How every message begins that speaks of rows which committed results do not have."""


class OmittedRowsError(RecordError):
    """Rows that committed results leave out for their size: what needs them is not measured there."""


class DeviceError(CorroborateError):
    """The device that was asked for cannot be used here."""


class EngineError(CorroborateError):
    """Nothing can be executed as the engine does it; what has finished is kept."""


class DivergedError(CorroborateError):
    """A method's training left the finite numbers; the trial counts with its worst score."""


class NothingComparableError(CorroborateError):
    """Two runs share no trial that may be compared."""

    exit_code = ExitCode.NOTHING_COMPARABLE


DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
NO_LOCKS = frozenset({errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP})
"""What file systems answer that have no locks."""
_CLOSED = {errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR}


def is_storage_error(error: BaseException) -> bool:
    """Whether an error says that a disk is full or a place cannot be written."""
    return isinstance(error, OSError) and error.errno in DISK_FULL | _CLOSED


_LISTED = 20
"""Names that an error lists."""


def unknown_name(kind: str, name: str, known: list[str], *, where: str = "") -> UsageError:
    """An error for a name that does not exist, with the nearest names that do."""
    from difflib import get_close_matches

    near = get_close_matches(name, known, n=3, cutoff=0.4)
    listing = ", ".join(sorted(known)[:_LISTED]) or "none"
    listing += f" and {len(known) - _LISTED} more" if len(known) > _LISTED else ""
    fix = f"Did you mean {' or '.join(near)}? " if near else ""
    return UsageError(f"Unknown {kind} '{name}'", where=where, fix=f"{fix}Known: {listing}.")
