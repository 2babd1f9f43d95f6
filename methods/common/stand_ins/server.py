"""A server on this machine that speaks OpenAI's protocol for a tiny model."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from email.message import Message

    from methods.common.language_model.interface import Completion
    from methods.common.language_model.local import LocalModel


@dataclass
class Served:
    """What the server answers.

    Attributes:
        local: The model behind it.
        name: The model's name in answers; empty repeats the name that was asked.
        most: New tokens of an answer, whatever is asked for; 0 for no limit of the server's own.
        address: Where it listens.
    """

    local: LocalModel
    name: str = ""
    most: int = 0
    address: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def respond(self, path: str, body: dict[str, Any], headers: Message) -> tuple[int, bytes]:
        """Status and content of the answer to a request."""
        return 200, json.dumps(self.answer(path, body)).encode()

    def answer(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """An answer as data."""
        chat = path.endswith("chat/completions")
        prompt = body["messages"][-1]["content"] if chat else body["prompt"]
        with self.lock:
            choices = self._choices(prompt, body, chat=chat)
        usage = {"prompt_tokens": len(prompt), "completion_tokens": 1, "total_tokens": len(prompt) + 1}
        kind = "chat.completion" if chat else "text_completion"
        named = self.name or body["model"]
        told = {"id": "1", "object": kind, "created": 0, "model": named}
        return told | {"choices": choices, "usage": usage}

    def _choices(self, prompt: str, body: dict[str, Any], *, chat: bool) -> list[dict[str, Any]]:
        from methods.common.language_model.interface import Decoding

        if body.get("echo"):
            return [self._echo(prompt)]
        stops = tuple(body.get("stop", ()))
        tokens = min(body["max_tokens"], self.most or body["max_tokens"])
        decoding = Decoding(body["temperature"], new_tokens=tokens, stop=stops)
        count = body.get("n", 1)
        (found,) = self.local.sample([prompt], decoding, count=count, seed=body.get("seed", 0))
        return [self._choice(prompt, one, body, chat=chat) for one in found]

    def _choice(self, prompt: str, one: Completion, body: dict[str, Any], *, chat: bool) -> dict[str, Any]:
        reason = "stop" if one.finished else "length"
        # All of the probability on the first token: only the sum is read.
        values = [one.log_probability] + [0.0] * (one.tokens - 1)
        most = body.get("top_logprobs", 1) if chat else body.get("logprobs", 1)
        (law,) = self.local.next_token([prompt], most=most)
        listed = dict(law.log_probabilities)
        if chat:
            top = [{"token": token, "logprob": value} for token, value in listed.items()]
            content = [{"token": "", "logprob": value, "top_logprobs": top} for value in values]
            message = {"role": "assistant", "content": one.text}
            return {"index": 0, "message": message, "finish_reason": reason, "logprobs": {"content": content}}
        told = {"token_logprobs": values, "top_logprobs": [listed], "tokens": [], "text_offset": []}
        return {"index": 0, "text": one.text, "finish_reason": reason, "logprobs": told}

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


@contextmanager
def listening(served: Served) -> Iterator[None]:
    """Answer on the loopback address, which ``served.address`` then tells."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, content = served.respond(self.path, body, self.headers)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Retry-After", "0")
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
def serving() -> Iterator[str]:
    """Serve a tiny instruction-tuned model under whatever name it is asked by; gives the address."""
    from methods.common.causal_lm import load_checkpoint
    from methods.common.language_model.local import LocalModel
    from methods.common.stand_ins.models import TinyModel

    with TemporaryDirectory() as name:
        TinyModel("qwen2").make(Path(name))
        kept = load_checkpoint(Path(name))
        model = LocalModel("tiny", "tiny", kept.model("cpu", "float32"), kept.tokenizer)
        served = Served(model, most=8)
        with listening(served):
            yield served.address
