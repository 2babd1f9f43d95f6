"""Terms of use that a user has accepted."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from harness.errors import ResourceError
from harness.text import parsed_json

_STORE = "licences.json"


def accepted_licences(home: Path, environ: Mapping[str, str] = os.environ) -> frozenset[str]:
    """Keys accepted earlier, or in ``CORROBORATE_ACCEPT_LICENCES`` (separated by commas)."""
    listed = environ.get("CORROBORATE_ACCEPT_LICENCES", "")
    return _remembered(home) | {key.strip() for key in listed.split(",") if key.strip()}


def _remembered(home: Path) -> frozenset[str]:
    try:
        return frozenset(_keys((home / _STORE).read_text(encoding="utf-8")))
    except (FileNotFoundError, NotADirectoryError):
        return frozenset()
    except (OSError, ValueError) as error:
        raise ResourceError(
            f"The list of accepted licences cannot be read: {error}",
            where=str(home / _STORE),
            fix="Remove the file and accept the licences again; if it is a file of yours, set "
            "CORROBORATE_HOME to another folder.",
        ) from error


def _keys(text: str) -> list[str]:
    keys = parsed_json(text)
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise ValueError("it is not a list of licences")
    return keys


def remember_licences(home: Path, keys: Iterable[str]) -> None:
    """Remember accepted keys in the cache folder.

    Raises:
        ResourceError: If the folder cannot be written.
    """
    known = _remembered(home)
    if known.issuperset(keys := frozenset(keys)):
        return
    store = home / _STORE
    try:
        home.mkdir(parents=True, exist_ok=True)
        draft = store.with_name(f".{_STORE}.{os.getpid()}")
        draft.write_text(json.dumps(sorted(known | keys)), encoding="utf-8")
        draft.replace(store)
    except OSError as error:
        raise ResourceError(
            f"The accepted licence cannot be remembered: {error}",
            where=str(home),
            fix="Set CORROBORATE_HOME to a folder that can be written, or use CORROBORATE_ACCEPT_LICENCES.",
        ) from error
