"""A language model behind a server that speaks OpenAI's protocol.

What servers tell differs: prompt log-probabilities (``echo``) are rare outside vLLM, so options can also be
scored by the listed probabilities of the next token. Keys come from the environment and are never kept in
an object.
"""

from __future__ import annotations

import hashlib
import json
import math
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from harness.method import ProblemError, ResourceError
from methods.common.language_model.answers import Answers, request_key
from methods.common.language_model.capabilities import Capabilities, Need
from methods.common.language_model.endpoint import Server, server_at
from methods.common.language_model.faults import Fault, Garbled
from methods.common.language_model.interface import (
    Completion,
    Decoding,
    LanguageModel,
    NextToken,
    check_texts,
)
from methods.common.language_model.probe import probed
from methods.common.language_model.reading import (
    mass_of,
    prompt_tokens,
    read_completion,
    read_echo,
    read_next,
    understood,
)
from methods.common.language_model.wire import Wire, wire_to

Answer = TypeVar("Answer")
_ELSEWHERE = "Use another server or model, or a local model (in runs: --bind)."


@dataclass
class EndpointModel(LanguageModel):
    """A served model; see :class:`Server`.

    Attributes:
        server: Who is asked, and how; nothing in it is left open.
        wire: The connection.
        capabilities: What a probe found; None where nobody has probed, and all is tried as described.
        answers: Where answers are kept; None keeps none.
    """

    server: Server
    wire: Wire = field(repr=False)
    capabilities: Capabilities | None = field(default=None, kw_only=True)
    answers: Answers | None = field(default=None, kw_only=True, repr=False)

    def __post_init__(self) -> None:
        """Requests count in the model's own usage."""
        self.wire.usage = self.usage

    @property
    def tells_probabilities(self) -> bool:
        """Whether options can be scored."""
        return self.server.scoring != "none"

    def described(self) -> dict[str, Any]:
        """Name served, address, protocol, way of scoring and capabilities, as plain JSON."""
        found = self.capabilities
        return super().described() | {
            "model": self.server.model,
            "served": found.served if found else self.wire.served,
            "address": self.server.address,
            "protocol": self.server.protocol,
            "scoring": self.server.scoring,
            "capabilities": found.as_dict() if found else None,
        }

    def score(self, prompts: Sequence[str], options: Sequence[Sequence[str]]) -> list[list[float]]:
        """See :class:`~methods.common.language_model.interface.LanguageModel`.

        By listed tokens, an option has the probability of the tokens that spell it; in an answer to a
        message, which begins anew, with or without its leading space.

        Raises:
            ProblemError: If the server tells no probabilities.
        """
        check_texts(prompts, options)
        self._need("score")
        if self.server.scoring == "listed":
            loose = self.server.protocol == "chat"
            return [
                [mass_of(law, option, loose=loose) for option in of_prompt]
                for law, of_prompt in zip(self.next_token(prompts), options, strict=True)
            ]
        pairs = [(prompt, option) for prompt, some in zip(prompts, options, strict=True) for option in some]
        values = iter(self._each(self._echoed, pairs))
        return [[next(values) for _ in of_prompt] for of_prompt in options]

    def sample(
        self, prompts: Sequence[str], decoding: Decoding, *, count: int = 1, seed: int = 0
    ) -> list[list[Completion]]:
        """See :class:`~methods.common.language_model.interface.LanguageModel`.

        The seed is sent; whether it is honoured is the server's affair, which a probe tells. ``top_k`` is
        an extension that vLLM and llama.cpp know. Where a request cannot ask for several texts, each has
        a request, with a seed of its own. At temperature 0 one text is asked for and repeated.
        """
        check_texts(prompts)
        if decoding.temperature == 0:
            self._need("greedy")
            rows = self._each(lambda prompt: self._drawn(prompt, decoding, 1, _seed(seed, prompt)), prompts)
            return [row * count for row in rows]
        if count > 1:
            self._need("several")
        if self.capabilities is None or self.capabilities.several.can == "yes":
            return self._each(
                lambda prompt: self._drawn(prompt, decoding, count, _seed(seed, prompt)), prompts
            )
        pairs = [(prompt, draw) for prompt in prompts for draw in range(count)]
        texts = self._each(lambda pair: self._drawn(pair[0], decoding, 1, _seed(seed, *pair))[0], pairs)
        return [texts[start : start + count] for start in range(0, len(texts), count)]

    def next_token(self, prompts: Sequence[str], *, most: int | None = None) -> list[NextToken]:
        """See :class:`~methods.common.language_model.interface.LanguageModel`.

        Raises:
            ProblemError: If more is asked than the server lists, or it lists nothing.
        """
        check_texts(prompts)
        self._need("next-token")
        if most is not None and most > self.server.listed:
            raise ProblemError(
                f"{most} tokens were asked for, and the server lists {self.server.listed}",
                where=self.name,
                fix="Ask for fewer, or raise `listed` if the server can do more.",
            )
        return self._each(lambda prompt: self._told(prompt, most or self.server.listed), prompts)

    def _need(self, need: Need) -> None:
        """Refuse by name what the server is known to lack."""
        words = self.capabilities.lacks(need) if self.capabilities else ""
        if not words and need == "score" and self.server.scoring == "none":
            words = "The server is asked without scoring of options."
        if words:
            raise ProblemError(
                words,
                where=self.server.address,
                fix=_ELSEWHERE,
            )

    def _each(self, ask: Callable[[Any], Answer], questions: Sequence[Any]) -> list[Answer]:
        with ThreadPoolExecutor(max_workers=self.server.parallel) as pool:
            return list(pool.map(ask, questions))

    def _asked(
        self, prompt: str, read: Callable[[Any], Any], parameters: dict[str, Any], kind: str, calls: int = 1
    ) -> Any:
        """What ``read`` makes of an answer, as plain JSON, kept or new.

        Raises:
            ResourceError: If the server cannot be reached, refuses, or answers nonsense.
        """
        served = self.capabilities.served if self.capabilities else self.server.model
        key = request_key(kind, self.server.address, served, self.server.protocol, prompt, parameters)
        kept = self.answers.find(key) if self.answers else None
        if kept is None:
            answer = self.wire.send(prompt, **parameters)
            try:
                with understood():
                    kept = {"read": read(answer), "prompt_tokens": prompt_tokens(answer)}
            except Garbled as error:
                with self.wire.lock:
                    self.usage.failed += 1
                raise Fault("protocol", str(error)).error(self.server) from None
            if self.answers:
                self.answers.keep(key, kept)
        else:
            with self.wire.lock:
                self.usage.cached += calls
        with self.wire.lock:
            self.usage.calls += calls
            self.usage.prompt_tokens += int(kept["prompt_tokens"])
        return kept["read"]

    def _drawn(self, prompt: str, decoding: Decoding, count: int, seed: int) -> list[Completion]:
        known = self.capabilities
        parameters: dict[str, Any] = {
            known.limit if known else "max_tokens": decoding.new_tokens,
            "top_p": decoding.top_p,
        }
        if known is None or not known.greedy.refused:
            parameters["temperature"] = decoding.temperature
        elif decoding.temperature != 1:
            words = f"The server takes no temperature but its own ({known.greedy.words})"
            raise ProblemError(words, where=self.server.address, fix=_ELSEWHERE)
        if count > 1:
            parameters["n"] = count
        if known is None or not known.seed.refused:
            parameters["seed"] = seed
        if known is None or known.own.can == "yes":
            parameters["logprobs"] = True if self.server.protocol == "chat" else 1
        # A stop within a thought would end the text before the answer.
        if decoding.stop and (known is None or (not known.stop.refused and known.thinks.can != "yes")):
            parameters["stop"] = list(decoding.stop)
        if decoding.top_k:
            parameters["extra_body"] = {"top_k": decoding.top_k}

        def read(answer: Any) -> list[dict[str, Any]]:
            return [asdict(read_completion(answer, one, stop=decoding.stop)) for one in answer.choices]

        told = self._asked(prompt, read, parameters, f"sample {json.dumps(decoding.stop)}", count)
        found = [Completion(**one) for one in told]
        with self.wire.lock:
            self.usage.completion_tokens += sum(one.tokens for one in found)
            self.usage.unfinished += sum(not one.finished and not one.refusal for one in found)
            self.usage.refused += sum(bool(one.refusal) for one in found)
        return found

    def _echoed(self, pair: tuple[str, str]) -> float:
        prompt, option = pair
        parameters = {"max_tokens": 1, "temperature": 0.0, "echo": True, "logprobs": 1}

        def read(answer: Any) -> float:
            value = read_echo(answer.choices[0], len(prompt), len(prompt) + len(option))
            if value is None:
                raise ValueError("it does not echo the probabilities of the prompt")
            return value

        value = float(self._asked(prompt + option, read, parameters, f"echo {len(prompt)}"))
        if math.isnan(value):
            raise ProblemError(
                f"The option {option!r} has no token of its own after its prompt",
                where=self.name,
                fix="End the prompt with a line break, or begin the option with a space.",
            )
        return value

    def _told(self, prompt: str, most: int) -> NextToken:
        limit = self.capabilities.limit if self.capabilities else "max_tokens"
        parameters: dict[str, Any] = {limit: 1, "temperature": 1.0}
        if self.server.protocol == "chat":
            parameters |= {"logprobs": True, "top_logprobs": most}
        else:
            parameters["logprobs"] = most

        def read(answer: Any) -> dict[str, Any]:
            law = read_next(answer.choices[0], most)
            if law is None:
                raise ValueError("it lists no probabilities of the next token")
            return {"listed": dict(law.log_probabilities), "rest": law.rest}

        told: Mapping[str, Any] = self._asked(prompt, read, parameters, "next token")
        return NextToken(told["listed"], float(told["rest"]))


def open_endpoint(
    server: Server, *, name: str = "", capabilities: Capabilities | None = None
) -> EndpointModel:
    """The model of a server that leaves nothing to a probe; nothing is sent yet.

    Args:
        server: See :func:`connect` for one that leaves something open.
        name: For reports; the model's without it.
        capabilities: What a probe found.

    Raises:
        ProblemError: If the server leaves something to a probe.
        ResourceError: If the package ``openai`` is missing.
    """
    if not server.is_settled:
        raise ProblemError(
            "Protocol and scoring of this server are left to a probe",
            where=server.address,
            fix="Open it with `connect`, or say how it is to be asked.",
        )
    wire = wire_to(server)
    wire.served = capabilities.served if capabilities else ""
    return EndpointModel(name or server.model, server.identity, server, wire, capabilities=capabilities)


def connect(
    url: str,
    model: str,
    *,
    needs: Collection[Need] = (),
    folder: Path | None = None,
    name: str = "",
    **given: Any,
) -> EndpointModel:
    """Probe a server and open the model that it serves.

    The probe asks about ten short questions, once a process for each server. Protocol and way of
    scoring are the first (completions before chat, echo before listed) that meet the needs. What the
    server lacks and can be had otherwise (several samples of one request) is asked for otherwise.

    Args:
        url: See :func:`~methods.common.language_model.endpoint.server_at`.
        model: The name that the server gives the model.
        needs: What the caller will ask for.
        folder: Where answers are kept, so that none is asked for twice; made with the first.
        name: For reports; the model's without it.
        given: Attributes of :class:`~methods.common.language_model.endpoint.Server` that are not left
            to the probe.

    Raises:
        ProblemError: If the address is none, or the server lacks what is needed: the message says
            what, in the server's words, and what that rules out.
        ResourceError: If the server cannot be reached, or the package ``openai`` is missing.
    """
    server = server_at(url, model, **given)
    answers = Answers(folder) if folder else None
    found = _fitting(server, needs, answers)
    lacking = found.lacking(needs)
    if server.scoring == "echo" and found.echo.can != "yes":
        lacking.append(f"The server does not echo log-probabilities of prompts ({found.echo.words}).")
    if lacking:
        raise ProblemError(
            " ".join(dict.fromkeys(lacking)),
            where=f"{server.address}, model {model!r}",
            fix=_ELSEWHERE,
        )
    settled = replace(
        server,
        protocol=found.protocol,
        scoring=found.scoring if server.scoring == "auto" else server.scoring,
        listed=server.listed or max(1, found.most),
    )
    opened = open_endpoint(settled, name=name, capabilities=found)
    opened.answers = answers
    return opened


def _fitting(server: Server, needs: Collection[Need], answers: Answers | None) -> Capabilities:
    """Capabilities with the protocol that lacks least; chat is looked at where completions lack something."""
    first = capabilities_of(server, answers)
    if server.protocol != "auto" or first.protocol == "chat" or not first.lacking(needs):
        return first
    try:
        second = capabilities_of(replace(server, protocol="chat", scoring="none"), answers)
    except ResourceError:
        # Without a chat template some servers fail: completions remain, with what they lack.
        return first
    return second if len(second.lacking(needs)) < len(first.lacking(needs)) else first


_PROBED: dict[tuple[str, ...], Capabilities] = {}
_PROBING = threading.Lock()


def capabilities_of(server: Server, answers: Answers | None = None) -> Capabilities:
    """What a probe finds; asked once a process, or taken from what was kept.

    Raises:
        ResourceError: See :func:`~methods.common.language_model.probe.probe`.
    """
    place = (server.address, server.model, server.protocol, server.key_variable)
    key = request_key("capabilities", *place[:3])
    with _PROBING:
        found = _PROBED.get(place)
        if found is None and answers and isinstance(kept := answers.find(key), dict):
            found = Capabilities.from_dict(kept)
        if found is None:
            found = probed(wire_to(server))
        _PROBED[place] = found
        if answers and answers.find(key) is None:
            answers.keep(key, found.as_dict())
    return found


def _seed(seed: int, prompt: str, draw: int = 0) -> int:
    """A seed of 31 bits, which every server takes."""
    text = f"{seed}\0{draw}\0{prompt}" if draw else f"{seed}\0{prompt}"
    digest = hashlib.blake2b(text.encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") >> 1
