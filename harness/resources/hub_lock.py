"""Commits that branches of the hub turned out to be, remembered where nothing is pinned.

Without a commit in ``hub.toml`` the first download decides: what it found is written down, and
later downloads take the same commit, so that results stay comparable on this machine.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path

from filelock import FileLock

from harness.durable import sync
from harness.errors import ResourceError
from harness.method.references import HubSource
from harness.text import parsed_json

FILE = "hub-lock.json"
_WORDS = 3
"""In a key: kind, repository and branch."""


class HubLock:
    """The file ``hub-lock.json`` of a cache: commit by kind, repository and branch."""

    def __init__(self, home: Path) -> None:
        self._path = home / FILE

    def commit(self, source: HubSource) -> str:
        """The commit that is on record, or an empty text.

        Raises:
            ResourceError: If the file is damaged.
        """
        return self._read().get(_key(source), "")

    def record(self, source: HubSource, commit: str) -> None:
        """Write down what a branch turned out to be, unless a commit is on record already."""
        if commit == source.revision or self.commit(source):
            return
        # A cache that cannot be written has failed before this; the next download writes it.
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{self._path}.lock"):
                known = {_key(source): commit} | self._read()
                draft = self._path.with_name(f".{FILE}.{os.getpid()}")
                draft.write_text(json.dumps(known, indent=1, sort_keys=True), encoding="utf-8")
                sync(draft)
                draft.replace(self._path)

    def _read(self) -> dict[str, str]:
        try:
            return _commits(self._path.read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except (OSError, ValueError) as error:
            raise ResourceError(
                f"The commits on record cannot be read: {error}",
                where=str(self._path),
                fix="Remove the file: branches are then looked up anew. If it is a file of yours, set "
                "CORROBORATE_HOME to another folder.",
            ) from error


def _commits(text: str) -> dict[str, str]:
    content = parsed_json(text)
    if not isinstance(content, dict) or not all(len(name.split()) == _WORDS for name in content):
        raise ValueError("it is not a list of commits")
    return {name: str(commit) for name, commit in content.items()}


def _key(source: HubSource) -> str:
    return f"{source.repo_type} {source.repo} {source.revision}"
