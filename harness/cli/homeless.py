"""A user without a home folder or a name, as containers have them: libraries expect both."""

from __future__ import annotations

import getpass
import os
import stat
import sys
import tempfile
from pathlib import Path

from harness.errors import UsageError


def settle() -> None:
    """Give a user without a home folder one among the temporary files, for this process and its children.

    Otherwise some libraries fail and others make a folder called ``~`` in the current one.

    Raises:
        UsageError: If somebody else has made that folder.
    """
    if os.path.expanduser("~") == "~":  # noqa: PTH111 - the question is what libraries are told
        home = _folder()
        os.environ["HOME"] = str(home)
        kept = "" if os.environ.get("CORROBORATE_HOME") else ", and with it the cache"
        print(
            f"note: user {os.getuid()} has no home folder: it is {home} for now{kept}. "
            "Set HOME (or CORROBORATE_HOME) to a folder that lasts.",
            file=sys.stderr,
        )
    try:
        getpass.getuser()
    except (KeyError, OSError):
        os.environ["USER"] = f"user-{os.getuid()}"


def _folder() -> Path:
    home = Path(tempfile.gettempdir()) / f"corroborate-home-{os.getuid()}"
    home.mkdir(mode=0o700, exist_ok=True)
    found = home.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise UsageError("This folder belongs to somebody else", where=str(home), fix="Set HOME to your own.")
    return home
