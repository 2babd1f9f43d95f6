"""What goes wrong between here and a server: named, told in the server's own words, passing or not.

Keys never appear in it: servers repeat them in their messages, so what is quoted is cleaned of them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Literal
from urllib.parse import urlsplit

from harness.method import ResourceError
from methods.common.language_model.endpoint import Server

Kind = Literal[
    "address",
    "connection",
    "context",
    "key",
    "model",
    "option",
    "protocol",
    "quota",
    "rate",
    "server",
    "time",
]
_FIXES: Mapping[Kind, str] = {
    "address": "Check the address; a path that ends in /v1 is the rule.",
    "connection": "Check the address and that the server runs.",
    "context": "Shorten the prompts (fewer examples), ask for fewer tokens, or serve with a longer context.",
    "key": "Set {key_variable} to a key that it takes.",
    "model": "See GET /v1/models for the names that it serves.",
    "option": "Use a server or a model that takes it; see the server's capabilities.",
    "protocol": "Check that the address ends in /v1 and that the server speaks OpenAI's protocol.",
    "quota": "See what the account may still spend.",
    "rate": "Set `per_minute` below its limit, or try again later.",
    "server": "See the server's log.",
    "time": "Raise `timeout`, or lower `parallel`.",
}
_LONGEST_WAIT = 60.0
"""Seconds that a server may ask to wait; one that asks for more is given up, and its wish is told."""
_CONTEXT = re.compile(
    r"context[ _](length|size|window)|maximum context|exceeds? the (available )?context|prompt is too long"
    r"|too many tokens|(prompt|input)\b.{0,60} (longer|larger) than the max",
    re.IGNORECASE,
)
_SECRET = re.compile(r"\b(sk|key|hf|gsk|xai)[-_][\w*-]{4,}|Bearer\s+\S+", re.IGNORECASE)
_ALSO_OF = {"logprobs": ("top_logprobs", "logprob"), "max_tokens": ("max_completion_tokens",)}


class Garbled(Exception):  # noqa: N818 - a state of an answer
    """An answer that came and is not of the protocol; ``kind`` says what is at fault."""

    def __init__(self, what: str, kind: Kind = "protocol") -> None:
        super().__init__(what)
        self.kind: Kind = kind


@dataclass(frozen=True)
class Fault:
    """One failed request.

    Attributes:
        kind: What is at fault.
        what: The sentence, with the server's words.
        passing: Whether asking again may help.
        wait: Seconds that the server wants us to wait; 0 if it does not say.
        option: The parameter that the server refuses, if it is one.
    """

    kind: Kind
    what: str
    passing: bool = False
    wait: float = 0.0
    option: str = ""

    def error(self, server: Server) -> ResourceError:
        """What to raise."""
        fix = _FIXES[self.kind].format(key_variable=server.key_variable)
        return ResourceError(self.what, where=server.address, fix=fix)


def fault_of(error: Exception, server: Server, sent: Collection[str] = ()) -> Fault:
    """What an exception of the client means.

    Args:
        error: What it raised.
        server: Who was asked.
        sent: Names of the parameters of the request.
    """
    import openai

    if isinstance(error, Garbled):
        return Fault(error.kind, _clean(str(error), server))
    if isinstance(error, openai.APITimeoutError):
        return Fault("time", f"The server did not answer within {server.timeout:g} s", passing=True)
    if isinstance(error, openai.APIConnectionError):
        # A connection that breaks in the middle of an answer is one, too.
        cause = type(error.__cause__ or error).__name__
        return Fault("connection", f"The server cannot be reached ({cause})", passing=True)
    if isinstance(error, openai.APIStatusError):
        return _of_status(error, server, sent)
    if isinstance(error, ValueError):
        # The client lets a body that is not JSON, or breaks off, through as a ValueError.
        what = "The server does not answer in OpenAI's protocol: its JSON breaks off or is none"
        return Fault("protocol", what, passing=True)
    return Fault("server", f"The server failed ({type(error).__name__})")


def fault_in_body(error: Any, server: Server, sent: Collection[str] = ()) -> Fault:
    """An error that came with the status of a success, as some gateways send it."""
    code = _field(error, "code")
    status = int(code) if str(code).isdigit() else 400
    return _of_words(status, _words(error), error, server, sent)


def _of_status(error: Any, server: Server, sent: Collection[str]) -> Fault:
    if 300 <= error.status_code < 400:
        parts = urlsplit(error.response.headers.get("location", ""))
        goal = f"{parts.scheme}://{parts.hostname}" if parts.hostname else "another path"
        return Fault("address", f"The server sends requests on to {goal}, which is not followed")
    fault = _of_words(error.status_code, _words(error.body), error.body, server, sent)
    wait = _wish(error.response.headers)
    if wait > _LONGEST_WAIT and fault.passing:
        return Fault(fault.kind, f"{fault.what}; it asks to wait {wait:.0f} s", passing=False)
    return Fault(fault.kind, fault.what, fault.passing, wait, fault.option)


def _of_words(status: int, words: str, body: Any, server: Server, sent: Collection[str]) -> Fault:
    told = f': "{_clean(words, server)}"' if words else f" (status {status})"
    code = f"{_field(body, 'code')} {_field(body, 'type')}"
    if status in (401, 403):
        return Fault("key", f"The server refuses the key{told}")
    if status == 429:
        if "insufficient_quota" in code:
            return Fault("quota", f"The account has no quota left{told}")
        return Fault("rate", f"The server limits the rate{told}", passing=True)
    if "context" in code or _CONTEXT.search(words):
        return Fault("context", f"The prompt exceeds the context{told}")
    if status in (404, 405):
        kind: Kind = "model" if "model" in f"{code} {words}" else "address"
        return Fault(kind, f"The server does not know the model or the path{told}")
    if status in (400, 413, 415, 422, 501):
        option = _option(body, words, sent)
        if option:
            return Fault("option", f"The server refuses the option '{option}'{told}", option=option)
        return Fault("option", f"The server refuses the request{told}")
    return Fault("server", f"The server failed{told}", passing=status >= 500 or status in (408, 409, 425))


def _option(body: Any, words: str, sent: Collection[str]) -> str:
    """The parameter of the request that the server's message is about."""
    named = _field(body, "param")
    if named in sent:
        return str(named)
    for name in sorted(sent, key=len, reverse=True):
        spellings = (name, *_ALSO_OF.get(name, ()))
        # "n" and "stop" are words of any sentence: they count where they stand as names.
        short = len(name) <= 4
        marks = r"['\"`]{}['\"`]|\b{}\s*[=:>]|^{}\b" if short else r"\b{}\b"
        if any(re.search(marks.replace("{}", re.escape(one)), words) for one in spellings):
            return name
    # llama.cpp names what it does not do, and not the parameter.
    if "n" in sent and re.search(r"one completion choice", words):
        return "n"
    return ""


def _words(body: Any) -> str:
    """The message in the body of an error, whatever its form."""
    if isinstance(body, str):
        return body
    found = _field(body, "message") or _field(body, "detail") or _field(body, "error")
    if isinstance(found, list):
        # FastAPI lists what is wrong, with the place of each.
        return "; ".join(
            f"{'.'.join(map(str, _field(one, 'loc') or ()))}: {_field(one, 'msg')}" for one in found
        )
    return found if isinstance(found, str) else _words(found) if isinstance(found, Mapping) else ""


def _field(body: Any, name: str) -> Any:
    return body.get(name) if isinstance(body, Mapping) else getattr(body, name, None)


def _clean(words: str, server: Server) -> str:
    """One line of printable text without keys, 300 characters at most."""
    key = os.environ.get(server.key_variable, "")
    if key:
        words = words.replace(key, "[key]")
    words = _SECRET.sub("[key]", words)
    line = " ".join("".join(c if c.isprintable() else " " for c in words).split())
    return line if len(line) <= 300 else f"{line[:299]}…"


def _wish(headers: Any) -> float:
    """Seconds of a Retry-After header, a number or a date."""
    text = str(headers.get("retry-after", "")).strip()
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return 0.0
