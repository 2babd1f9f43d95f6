"""Requests to a server: paced, repeated where that helps, counted, and never led elsewhere."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.method import ResourceError
from methods.common.language_model.endpoint import Server
from methods.common.language_model.faults import Fault, Garbled, fault_in_body, fault_of
from methods.common.language_model.interface import Usage
from methods.common.language_model.pace import Pace

if TYPE_CHECKING:
    from openai import OpenAI

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 8.0
"""Seconds before a request is repeated: they double from the first to the longest."""


@dataclass
class Wire:
    """The connection to one server.

    Attributes:
        server: Who is asked, its protocol settled.
        client: Of the package ``openai``; it does not repeat requests itself.
        pace: Shared by all threads.
        usage: Where requests are counted.
        served: The name that the server gives the model in its answers, if it is known to differ from
            the one that is asked for.
        sleep: Waits so many seconds.
    """

    server: Server
    client: OpenAI = field(repr=False)
    pace: Pace = field(repr=False)
    usage: Usage = field(default_factory=Usage)
    served: str = ""
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)
    # Requests end in several threads.
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def send(self, prompt: str, **parameters: Any) -> Any:
        """The answer to one request.

        Raises:
            ResourceError: If the server cannot be reached, refuses, or answers nonsense.
        """
        found = self.tried(prompt, **parameters)
        if isinstance(found, Fault):
            raise found.error(self.server)
        return found

    def tried(self, prompt: str, *, any_count: bool = False, **parameters: Any) -> Any:
        """The answer to one request, or the :class:`Fault` it ended with.

        Args:
            prompt: The text, or the message.
            any_count: Whether the number of choices may differ from ``n``.
            parameters: Of the request.
        """
        for attempt in range(self.server.retries + 1):
            self.pace.wait()
            with self.lock:
                self.usage.requests += 1
                self.usage.retries += attempt > 0
            found = self._once(prompt, parameters, any_count=any_count)
            if not isinstance(found, Fault):
                return found
            if not found.passing or attempt == self.server.retries:
                break
            if found.wait:
                self.pace.hold(found.wait)
            else:
                self.sleep(min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0**attempt))
        with self.lock:
            self.usage.failed += 1
        return found

    def listed(self) -> list[Any]:
        """The models that the server lists, as it describes them; nothing if it lists none."""
        import openai

        with self.lock:
            self.usage.requests += 1
        try:
            found: Any = self.client.get("/models", cast_to=object)
        except (openai.OpenAIError, ValueError):
            return []
        data = found.get("data") if isinstance(found, dict) else None
        return [one for one in data if isinstance(one, dict)] if isinstance(data, list) else []

    def _once(self, prompt: str, parameters: dict[str, Any], *, any_count: bool) -> Any:
        import openai

        asked: dict[str, Any] = {"model": self.server.model, **parameters}
        sent = {*parameters, *parameters.get("extra_body", ())} - {"extra_body"}
        try:
            if self.server.protocol == "chat":
                message: Any = [{"role": "user", "content": prompt}]
                answer: Any = self.client.chat.completions.create(messages=message, **asked)
            else:
                answer = self.client.completions.create(prompt=prompt, **asked)
            told = getattr(answer, "error", None)
            if told and not getattr(answer, "choices", None):
                return fault_in_body(told, self.server, sent)
            self._check(answer, 0 if any_count else parameters.get("n", 1))
        except (openai.OpenAIError, ValueError, Garbled) as error:
            return fault_of(error, self.server, sent)
        return answer

    def _check(self, answer: Any, count: int) -> None:
        if isinstance(answer, str):
            raise Garbled(f"The server answers with text and not in OpenAI's protocol: {answer[:80]!r}")
        choices = getattr(answer, "choices", None)
        if not isinstance(choices, list) or not choices or (count and len(choices) != count):
            found = len(choices) if isinstance(choices, list) else "no"
            raise Garbled(
                f"The server gave {found} answers where {count or 'some'} were asked for, "
                "which is not OpenAI's protocol"
            )
        places = [getattr(choice, "index", None) for choice in choices]
        if len(choices) > 1 and None not in places and len(set(places)) < len(places):
            raise Garbled("The server gave one choice several times, which is not OpenAI's protocol")
        named = str(getattr(answer, "model", None) or "")
        if named and named != self.served and not same_model(self.server.model, named):
            raise Garbled(f"{self.server.model!r} was asked and {named[:80]!r} answered", "model")


def same_model(asked: str, named: str) -> bool:
    """Whether a name in an answer is the name that was asked for.

    A dated name ("model-2026-01-01") is the same model, and so is one with a revision ("model@main");
    another name is another model.
    """
    return re.fullmatch(rf"{re.escape(asked)}(-\d[\d-]*|@[\w.-]+)?", named) is not None


def wire_to(server: Server) -> Wire:
    """A connection; nothing is sent yet.

    Raises:
        ResourceError: If the package ``openai`` is missing.
    """
    try:
        from openai import DefaultHttpxClient, OpenAI
    except ImportError as error:
        raise ResourceError(
            "The package openai is not installed",
            where=server.address,
            fix="Install corroborate[endpoint].",
        ) from error
    client = OpenAI(
        base_url=server.address,
        # Local servers need no key, and the client insists on one.
        api_key=os.environ.get(server.key_variable) or "none",
        timeout=server.timeout,
        # Repeats are counted, and an answer that breaks off is repeated, too: see Wire.tried.
        max_retries=0,
        # A redirection would carry prompts, and on the same host the key, to an address that nobody named.
        http_client=DefaultHttpxClient(follow_redirects=False),
    )
    return Wire(server, client, Pace(server.per_minute))
