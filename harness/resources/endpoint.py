"""Servers in the place of models: a folder like any that is bound, which describes one.

What a description says is what results depend on, so that the identity of a resource follows from it. A key
is in none: the environment variable is named that holds it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.durable import write_durably
from harness.errors import ResourceError
from harness.method.asked import SERVER_FILE, Probed
from harness.text import parsed_json

FOLDER = "endpoints"
"""In the cache: descriptions of servers, by the hash of what they say."""
_FIX = "Name the server once more: --endpoint URL --model NAME."


@dataclass(frozen=True)
class Endpoint:
    """A server that stands for a model.

    Attributes:
        server: How it is asked: ``address``, ``model``, ``protocol``, ``scoring``, ``key_variable`` and more.
        capabilities: What it was found to do.
    """

    server: Mapping[str, Any]
    capabilities: Mapping[str, Any] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """The base address."""
        return str(self.server["address"])

    @property
    def model(self) -> str:
        """The name that the server gives the model."""
        return str(self.server["model"])

    @property
    def told(self) -> str:
        """What results depend on, in words, as fingerprints have it: not the key's variable, nor the pace."""
        how = ", ".join(str(self.server[key]) for key in ("protocol", "scoring") if self.server.get(key))
        return f"{self.model} at {self.address}{f' ({how})' if how else ''}"

    def write(self, home: Path) -> Path:
        """Put it into the cache, and give its folder.

        Raises:
            OSError: If the cache cannot be written.
        """
        content = {"server": dict(self.server), "capabilities": dict(self.capabilities)}
        text = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
        folder = home / FOLDER / hashlib.sha256(text.encode()).hexdigest()[:16]
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / SERVER_FILE).is_file():
            os.utime(folder)  # The newest of a server's descriptions is the last that was found.
        else:
            write_durably(folder / SERVER_FILE, text.encode())
        return folder


def endpoint_of(probed: Probed) -> Endpoint:
    """The description of a server that was asked what it can do."""
    return Endpoint(probed.server, probed.capabilities)


def known_endpoint(home: Path, address: str, model: str) -> Endpoint | None:
    """What was found of a server the last time that it was asked; nothing if it never was."""
    folders = [path.parent for path in (home / FOLDER).glob(f"*/{SERVER_FILE}")]
    found = [(folder.stat().st_mtime, read_endpoint(folder)) for folder in folders]
    known = [(when, one) for when, one in found if one and (one.address, one.model) == (address, model)]
    return max(known, key=lambda pair: pair[0])[1] if known else None


def read_endpoint(folder: Path) -> Endpoint | None:
    """The server that a bound folder describes; nothing if it holds a model's files.

    Raises:
        ResourceError: If there is a description that cannot be read.
    """
    path = folder / SERVER_FILE
    if not path.is_file():
        return None
    try:
        content = parsed_json(path.read_bytes())
        server, capabilities = dict(content["server"]), dict(content.get("capabilities", {}))
        if not all(isinstance(server[key], str) and server[key] for key in ("address", "model")):
            raise ValueError("address and model are texts")  # noqa: TRY301 - said of any such file
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise ResourceError(
            f"The server's description cannot be read: {error}", where=str(path), fix=_FIX
        ) from error
    return Endpoint(server, capabilities)
