r"""Text from outside, made fit for files and folders.

Python's strings hold lone surrogates (half a character, as a broken download or a file name that is
not UTF-8 gives them); UTF-8 does not. Where such text is written it is spelt out, ``\ud800``.
"""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

_LONGEST_NAME = 255
_LONGEST_PATH = 1000
"""Bytes; systems take four times as many, with the folder before it."""
_TOO_DEEP = "it is nested too deeply"


def spelt_out(text: str) -> str:
    """The text with lone surrogates as escapes; all other text as it is."""
    return text if text.isascii() else utf8(text).decode("utf-8")


def visible(text: str) -> str:
    """One line for a terminal: characters that would end the line or command the terminal, as escapes."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def plural(count: int, noun: str, several: str = "") -> str:
    """``"1 seed"``, ``"5 seeds"``, ``"2 queries"``."""
    regular = re.sub(r"(?<=[^aeiou])y$", "ie", noun) + "s"
    return f"{count:,} {noun if count == 1 else several or regular}"


def utf8(text: str) -> bytes:
    """Text as UTF-8, lone surrogates spelt out; in JSON that is their escape, so they are read back."""
    return text.encode("utf-8", "backslashreplace")


def storable(value: Any) -> Any:
    """JSON data with :func:`spelt_out` applied to all text in it, keys included."""
    if isinstance(value, str):
        return spelt_out(value)
    if isinstance(value, dict):
        return {storable(key): storable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [storable(item) for item in value]
    return value


def parsed_json(text: str | bytes) -> Any:
    """JSON from outside.

    Raises:
        ValueError: If it is none, or nested more deeply than Python follows.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None


def parsed_toml(text: str) -> dict[str, Any]:
    """TOML from outside.

    Raises:
        ValueError: If it is none, or nested more deeply than Python follows.
    """
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None


def unfit_name(name: str) -> bool:
    """Whether a name from outside is no path below a folder: it leads out, or is longer than systems take."""
    parts = name.replace("\\", "/").split("/")
    sizes = [len(part.encode(errors="replace")) for part in parts]
    if "\0" in name or ":" in parts[0] or max(sizes) > _LONGEST_NAME or sum(sizes) > _LONGEST_PATH:
        return True
    return any(part in ("", ".", "..") for part in parts)


def is_folder(path: Path) -> bool:
    """Whether there is a folder; a name that no file system takes is none."""
    try:
        return path.is_dir()
    except OSError:
        return False


def expanded(path: str | Path) -> Path:
    """A path as the user means it, with ``~`` for the home folder, as shells leave it after ``=``."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)  # Nobody has such a home, so it is a name like any other.
