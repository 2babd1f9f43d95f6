"""A server that speaks OpenAI's protocol for a small model, and misbehaves on request."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from typing import Any

from methods.common.language_model.local import LocalModel
from methods.common.stand_ins import server

NAME = "tiny"


@dataclass
class Served(server.Served):
    """What the server does, and what it saw.

    Attributes:
        faults: Status codes or bodies sent instead of answers, first in, first out.
        seen: Bodies of the requests.
        keys: Authorisation headers of the requests.
    """

    name: str = NAME
    faults: list[int | bytes] = field(default_factory=list)
    seen: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    delay: threading.Event | None = None

    def respond(self, path: str, body: dict[str, Any], headers: Message) -> server.Response:
        """An answer, or the next fault."""
        self.seen.append(body)
        self.keys.append(headers.get("Authorization", ""))
        if self.delay is not None:
            self.delay.wait(5.0)
        fault = self.faults.pop(0) if self.faults else None
        if isinstance(fault, int):
            return fault, b'{"error": {"message": "no"}}'
        return super().respond(path, body, headers) if fault is None else (200, fault)


@contextmanager
def serving(local: LocalModel) -> Iterator[Served]:
    """A running server on the loopback address."""
    served = Served(local)
    with server.listening(served):
        yield served
