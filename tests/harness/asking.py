"""A suite whose method asks a model that a server may stand for, and a server that answers at once."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import log
from pathlib import Path
from typing import Any, ClassVar

from harness.claims import Profile
from harness.method import Artifact, Context, Method, Reference, Resource, param
from harness.suite import Experiment, Role, Scale, Served, Suite
from methods.common.servers import PROBE, open_named
from tests.harness.toy import MeanTask, Numbers, toy_suite


def model(name: str) -> Resource:
    return Resource(name=name, kind="model", licence="", version="any", sources=(), served=True)


TEACHER, PUPIL = model("teacher-model"), model("pupil-model")


@dataclass(frozen=True, kw_only=True)
class Asking(Method[Numbers, float]):
    """Asks a model for words, one call after the other."""

    problem_type: ClassVar[type] = Numbers
    model: Reference = TEACHER
    calls: int = param(10, source="ours")
    broken: bool = param(default=False, source="ours", doc="fail when all has been asked")

    def run(self, problem: Numbers, ctx: Context) -> float:
        from methods.common.language_model import Decoding

        asked = open_named(ctx.load(self.model), ctx, rows=1)
        words = 0
        for number in range(self.calls):
            ((one,),) = asked.sample([f"Question {number} of seed {ctx.seed}:"], Decoding(new_tokens=4))
            words += len(one.text.split())
        if self.broken:
            raise RuntimeError("all for nothing")
        return float(words)


@dataclass(frozen=True, kw_only=True)
class Asked(Artifact):
    """What a model said when it was asked once."""

    title: ClassVar[str] = "what a model said"
    model: Reference = TEACHER

    def build(self, folder: Path, ctx: Context) -> None:
        from methods.common.language_model import Decoding

        asked = open_named(ctx.load(self.model), ctx, rows=1)
        ((one,),) = asked.sample(["Once?"], Decoding(new_tokens=4))
        asked.usage.unread += 1
        (folder / "said.json").write_text(json.dumps(float(len(one.text))))

    def load(self, path: Path) -> Any:
        return json.loads((path / "said.json").read_text())


def suite(*, seeds: Sequence[int] = (100, 101), artifact: bool = False, **methods: Method[Any, Any]) -> Suite:
    """Two experiments of toy numbers; methods ``mean`` and ``half`` ask unless others are given."""
    arms = methods or {"mean": Asking(), "half": Asking(model=PUPIL, calls=3)}

    def experiments(scale: Scale) -> list[Experiment]:
        if scale.profile is Profile.SMOKE:
            return []
        task = MeanTask(offset=Asked()) if artifact else MeanTask()
        one = Experiment(id="e", title="Asked", tasks={"t": task}, methods=dict(arms), seeds=tuple(seeds))
        only = {name: arm for name, arm in arms.items() if getattr(arm, "model", None) == TEACHER}
        return [one, replace(one, id="f", methods=only or dict(arms), seeds=tuple(seeds)[:1])]

    needs: dict[str, tuple[str, ...]] = {"e": ("sample",), "f": ("sample", "next-token")}
    roles = {name: Role(paper=f"the paper's {name}", needs=needs) for name in ("teacher", "pupil")}
    return replace(
        toy_suite(),
        experiments=experiments,
        bindings={"teacher": TEACHER.name, "pupil": PUPIL.name},
        served=Served(roles=roles, probe=PROBE),
    )


@dataclass
class Canned:
    """Speaks OpenAI's protocol without a model; see :func:`methods.common.stand_ins.server.listening`.

    Attributes:
        lists: Whether it tells log-probabilities.
        fails: Each so-many-th question is answered with an error of the server, once.
        waits: Answers to questions beyond this many wait until the test ends.
        prompts: Prompts of the suite's questions that it has answered.
    """

    lists: bool = True
    fails: int = 0
    waits: int = 10**9
    address: str = ""
    prompts: list[str] = field(default_factory=list)
    failures: int = 0
    keys: set[str] = field(default_factory=set)
    released: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _seen: int = 0

    def respond(self, path: str, body: dict[str, Any], headers: Any) -> tuple[int, bytes]:
        chat = path.endswith("chat/completions")
        prompt = str(body["messages"][-1]["content"] if chat else body["prompt"])
        self.keys.add(headers.get("Authorization", ""))
        if prompt.startswith(("Question", "Once")) and (status := self._asked(prompt)) != 200:
            return status, b'{"error": {"message": "try again"}}'
        if not self.lists and (body.get("logprobs") or body.get("echo")):
            return 400, b'{"error": {"message": "logprobs are not supported", "param": "logprobs"}}'
        choices = [
            self._choice(prompt, body, chat=chat) | {"index": place} for place in range(body.get("n") or 1)
        ]
        usage = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
        kind = "chat.completion" if chat else "text_completion"
        told = {"id": "1", "object": kind, "created": 0, "model": body["model"], "usage": usage}
        return 200, json.dumps(told | {"choices": choices}).encode()

    def models(self) -> bytes:
        return b'{"object": "list", "data": []}'

    def _asked(self, prompt: str) -> int:
        with self._lock:
            self._seen += 1
            if self.fails and self._seen % self.fails == 0:
                self.failures += 1
                return 500
            self.prompts.append(prompt)
            late = len(self.prompts) > self.waits
        if late:
            self.released.wait(60)
        return 200

    def _choice(self, prompt: str, body: dict[str, Any], *, chat: bool) -> dict[str, Any]:
        text = f" {body.get('seed')} words" if body.get("temperature") else " two words"
        if chat:
            top = [{"token": token, "logprob": value, "bytes": None} for token, value in _LISTED.items()]
            first = {"token": " two", "logprob": -0.5, "bytes": None, "top_logprobs": top}
            content = {"content": [first, first]} if body.get("logprobs") else None
            message = {"role": "assistant", "content": text}
            return {"message": message, "finish_reason": "stop", "logprobs": content}
        told: dict[str, Any] | None = None
        if body.get("echo"):
            words = (prompt + text).split(" ")
            starts = [sum(len(word) + 1 for word in words[:at]) for at in range(len(words))]
            offsets = [max(0, start - 1) for start in starts]
            values = [None, *[-1.0] * (len(words) - 1)]
            told = {"token_logprobs": values, "text_offset": offsets, "tokens": words, "top_logprobs": None}
            text = prompt + text
        elif body.get("logprobs"):
            lists = [_LISTED] * 2
            told = {
                "token_logprobs": [-0.5, -0.5],
                "top_logprobs": lists,
                "tokens": [" two", " words"],
                "text_offset": [len(prompt), len(prompt) + 4],
            }
        return {"text": text, "finish_reason": "stop", "logprobs": told}


_LISTED = {" two": -0.5, " one": -2.0, " A": -3.0, " B": -3.5, " 1": -4.0, " 2": -4.0 - log(3)}
