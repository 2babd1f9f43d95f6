"""Folders and switches that come from environment variables."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from harness.errors import ResourceError
from harness.text import expanded, is_folder

_OFFLINE = ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "TRANSFORMERS_OFFLINE")


def home_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """The cache: ``CORROBORATE_HOME``, else ``corroborate`` in the user's cache folder.

    Raises:
        ResourceError: If the user has no home folder.
    """
    if explicit := environ.get("CORROBORATE_HOME"):
        return expanded(explicit).absolute()
    if caches := environ.get("XDG_CACHE_HOME"):
        return expanded(caches).absolute() / "corroborate"
    try:
        return Path.home() / ".cache" / "corroborate"
    except RuntimeError as error:
        raise ResourceError(
            "There is no folder for the cache: this user has no home folder",
            where="HOME",
            fix="Set CORROBORATE_HOME to a folder that can be written.",
        ) from error


def mirror_folder(environ: Mapping[str, str] = os.environ) -> Path | None:
    """The mirror, ``CORROBORATE_MIRROR``, if one is set.

    Raises:
        ResourceError: If it is set to something that is not a folder.
    """
    text = environ.get("CORROBORATE_MIRROR")
    if not text:
        return None
    folder = expanded(text).absolute()
    if not is_folder(folder):
        raise ResourceError(
            "The mirror is not a folder",
            where=f"CORROBORATE_MIRROR={text}",
            fix="Point it at a folder made by 'corroborate mirror', or unset it.",
        )
    return folder


def hub_is_offline(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether one of the Hugging Face libraries' offline switches is on."""
    return any(environ.get(name, "").upper() in {"1", "ON", "YES", "TRUE"} for name in _OFFLINE)


def hub_cache(environ: Mapping[str, str] = os.environ) -> Path:
    """Where the hub's own library keeps what it has downloaded."""
    if cache := environ.get("HF_HUB_CACHE"):
        return expanded(cache)
    if home := environ.get("HF_HOME"):
        return expanded(home) / "hub"
    base = environ.get("XDG_CACHE_HOME") or "~/.cache"
    return expanded(base) / "huggingface" / "hub"
