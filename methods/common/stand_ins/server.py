"""A server on this machine that speaks OpenAI's protocol for a tiny model."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from email.message import Message

    from methods.common.language_model.interface import Completion
    from methods.common.language_model.local import LocalModel


Response = tuple[int, bytes] | tuple[int, bytes, Mapping[str, str]]
"""Status and content of an answer, and headers in place of the usual ones."""


@dataclass
class Served:
    """What the server answers.

    Attributes:
        local: The model behind it.
        name: The model's name in answers; empty repeats the name that was asked.
        most: New tokens of an answer, whatever is asked for; 0 for no limit of the server's own.
        refuses: What it says to requests with an option, by the option's name; ``completions`` and
            ``chat`` stand for the protocols.
        ignores: Options that it takes and does nothing about.
        fails_every: Every so many requests one fails with the status 503; 0 for none.
        requests: How many came.
        address: Where it listens.
    """

    local: LocalModel
    name: str = ""
    most: int = 0
    refuses: Mapping[str, str] = field(default_factory=dict)
    ignores: frozenset[str] = frozenset()
    fails_every: int = 0
    requests: int = 0
    address: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def respond(self, path: str, body: dict[str, Any], headers: Message) -> Response:
        """Status and content of the answer to a request."""
        with self.lock:
            self.requests += 1
            fails = self.fails_every and self.requests % self.fails_every == 0
        if fails:
            return 503, _error("overloaded")
        protocol = "chat" if path.endswith("chat/completions") else "completions"
        refused = next((words for one, words in self.refuses.items() if one in body or one == protocol), "")
        if refused:
            return 404 if protocol in self.refuses else 400, _error(refused)
        body = {name: value for name, value in body.items() if name not in self.ignores}
        return 200, json.dumps(self.answer(path, body)).encode()

    def models(self) -> bytes:
        """The answer to a request for the models."""
        found = [{"id": self.name, "object": "model", "created": 0, "owned_by": "here"}] if self.name else []
        return json.dumps({"object": "list", "data": found}).encode()

    def answer(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """An answer as data."""
        chat = path.endswith("chat/completions")
        prompt = body["messages"][-1]["content"] if chat else body["prompt"]
        with self.lock:
            choices, tokens = self._choices(prompt, body, chat=chat)
        read = len(self.local.tokenizer.encode(prompt))
        usage = {"prompt_tokens": read, "completion_tokens": tokens, "total_tokens": read + tokens}
        kind = "chat.completion" if chat else "text_completion"
        named = self.name or body["model"]
        told = {"id": "1", "object": kind, "created": 0, "model": named}
        return told | {"choices": choices, "usage": usage}

    def _choices(self, prompt: str, body: dict[str, Any], *, chat: bool) -> tuple[list[dict[str, Any]], int]:
        """The choices of an answer, and how many tokens were generated."""
        from methods.common.language_model.interface import Decoding

        if body.get("echo"):
            told = self._echo(prompt)
            return [told if body.get("logprobs") else told | {"logprobs": None}], 1
        stops = tuple(body.get("stop") or ())
        asked = body.get("max_completion_tokens") or body.get("max_tokens") or 16
        decoding = Decoding(
            body.get("temperature", 1.0), new_tokens=min(asked, self.most or asked), stop=stops
        )
        count, seed = body.get("n", 1), body.get("seed", self.requests)
        (found,) = self.local.sample([prompt], decoding, count=count, seed=seed)
        choices = [self._choice(prompt, one, body, chat=chat) for one in found]
        return [one | {"index": place} for place, one in enumerate(choices)], sum(one.tokens for one in found)

    def _choice(self, prompt: str, one: Completion, body: dict[str, Any], *, chat: bool) -> dict[str, Any]:
        reason = "stop" if one.finished else "length"
        if not body.get("logprobs"):
            content = {"message": {"role": "assistant", "content": one.text}} if chat else {"text": one.text}
            return content | {"finish_reason": reason, "logprobs": None}
        # All of the probability on the first token: only the sum is read.
        values = [one.log_probability] + [0.0] * (one.tokens - 1)
        most = body.get("top_logprobs", 1) if chat else body.get("logprobs", 1)
        (law,) = self.local.next_token([prompt], most=most)
        listed = dict(law.log_probabilities)
        if chat:
            top = [{"token": token, "logprob": value} for token, value in listed.items()]
            tokens = [{"token": "", "logprob": value, "top_logprobs": top} for value in values]
            message = {"role": "assistant", "content": one.text}
            return {"message": message, "finish_reason": reason, "logprobs": {"content": tokens}}
        told = {"token_logprobs": values, "top_logprobs": [listed], "tokens": [], "text_offset": []}
        return {"text": one.text, "finish_reason": reason, "logprobs": told}

    def _echo(self, text: str) -> dict[str, Any]:
        tokenizer = self.local.tokenizer
        encoded = tokenizer(text, return_offsets_mapping=True)
        offsets = [start for start, _ in encoded["offset_mapping"]]
        ids = encoded["input_ids"]
        values: list[float | None] = [None]
        for place in range(1, len(ids)):
            before, after = tokenizer.decode(ids[:place]), tokenizer.decode(ids[place : place + 1])
            values.append(self.local.score([before], [[after]])[0][0])
        told = {"token_logprobs": values, "text_offset": offsets, "tokens": [], "top_logprobs": None}
        return {"index": 0, "text": text, "finish_reason": "length", "logprobs": told}


class Answering(Protocol):
    """What a server is made of."""

    address: str

    def respond(self, path: str, body: dict[str, Any], headers: Message) -> Response:
        """The answer to a POST."""

    def models(self) -> bytes:
        """The content of the answer to a request for the models."""


@contextmanager
def listening(served: Answering) -> Iterator[None]:
    """Answer on the loopback address, which ``served.address`` then tells."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self._send(*served.respond(self.path, body, self.headers))

        def do_GET(self) -> None:
            listed = self.path.endswith("/models")
            self._send(*((200, served.models()) if listed else (404, _error("Not Found"))))

        def _send(self, status: int, content: bytes, headers: Mapping[str, str] | None = None) -> None:
            usual = {
                "Content-Type": "application/json",
                "Content-Length": str(len(content)),
                "Retry-After": "0",
            }
            self.send_response(status)
            for name, value in (usual | dict(headers or {})).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served.address = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def serving(**behaviour: Any) -> Iterator[str]:
    """Serve a tiny instruction-tuned model under whatever name it is asked by; gives the address.

    Args:
        behaviour: Attributes of :class:`Served`, for servers that lack something or fail.
    """
    from methods.common.causal_lm import load_checkpoint
    from methods.common.language_model.local import LocalModel
    from methods.common.stand_ins.models import TinyModel

    with TemporaryDirectory() as name:
        TinyModel("qwen2").make(Path(name))
        kept = load_checkpoint(Path(name))
        model = LocalModel("tiny", "tiny", kept.model("cpu", "float32"), kept.tokenizer)
        served = Served(model, **({"most": 8} | behaviour))
        with listening(served):
            yield served.address


def _error(message: str) -> bytes:
    return json.dumps({"error": {"message": message, "type": "BadRequestError"}}).encode()
