"""A server that answers as it is told, without a model behind it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from typing import Any

from methods.common.stand_ins import server

NAME = "scripted"
Answer = int | bytes | dict[str, Any] | tuple[int, Any] | tuple[int, Any, Mapping[str, str]]
"""A status, a body, a body as data, or both, with headers."""


@dataclass
class Scripted:
    """What is answered, in order, or by a function of path and body; the last answer stays.

    Attributes:
        answers: The answers.
        listed: Models of the list.
        seen: Paths and bodies of the requests.
        keys: Authorisation headers of the requests.
        address: Where it listens.
    """

    answers: list[Answer] | Callable[[str, dict[str, Any]], Answer]
    listed: Sequence[Mapping[str, Any]] = ()
    seen: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    address: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def respond(self, path: str, body: dict[str, Any], headers: Message) -> server.Response:
        """The next answer."""
        with self.lock:
            self.seen.append((path, body))
            self.keys.append(headers.get("Authorization", ""))
            if callable(self.answers):
                found = self.answers(path, body)
            else:
                found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if not isinstance(found, tuple):
            found = (found, b'{"error": {"message": "no"}}') if isinstance(found, int) else (200, found)
        status, content, *rest = found
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        return (status, data, *rest) if rest else (status, data)  # type: ignore[return-value]

    def models(self) -> bytes:
        """The list of models."""
        return json.dumps({"object": "list", "data": list(self.listed)}).encode()


@contextmanager
def answering(
    answers: list[Answer] | Callable[[str, dict[str, Any]], Answer], *listed: Mapping[str, Any]
) -> Iterator[Scripted]:
    """A running server on the loopback address."""
    found = Scripted(answers, listed)
    with server.listening(found):
        yield found


def completion(*texts: str, name: str = NAME, **more: Any) -> dict[str, Any]:
    """An answer to a request for completions; ``more`` goes into each choice."""
    choices = [
        {"index": place, "text": text, "finish_reason": "stop", "logprobs": None} | more
        for place, text in enumerate(texts)
    ]
    usage = {"prompt_tokens": 3, "completion_tokens": 2 * len(texts), "total_tokens": 5}
    return {"id": "1", "object": "text_completion", "created": 0, "model": name} | {
        "choices": choices,
        "usage": usage,
    }


def message(content: str | None, *, reason: str = "stop", name: str = NAME, **more: Any) -> dict[str, Any]:
    """An answer to a chat request; ``more`` goes into the message."""
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": content} | more,
        "finish_reason": reason,
        "logprobs": None,
    }
    usage = {"prompt_tokens": 3, "completion_tokens": 7, "total_tokens": 10}
    return {"id": "1", "object": "chat.completion", "created": 0, "model": name} | {
        "choices": [choice],
        "usage": usage,
    }
