"""A language model behind a server that speaks OpenAI's protocol.

vLLM, llama.cpp, ``transformers serve`` and hosted services do. What they tell differs: prompt
log-probabilities (``echo``) are rare outside vLLM, so options can also be scored by the listed
probabilities of the next token. Keys come from the environment and are never kept in an object.
"""

from __future__ import annotations

import hashlib
import math
import os
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from harness.method import ProblemError, ResourceError
from methods.common.language_model.interface import (
    Completion,
    Decoding,
    LanguageModel,
    NextToken,
    check_texts,
)
from methods.common.language_model.pace import Pace

if TYPE_CHECKING:
    from openai import OpenAI

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Server:
    """Where a model is served, and how it may be asked.

    Attributes:
        address: Base address, with its ``/v1``.
        model: The name that the server gives the model.
        protocol: ``completions`` continues a text; ``chat`` answers a message.
        scoring: ``echo`` reads the probabilities of the option's own tokens; ``listed`` finds options
            of one token among the most probable next tokens and gives the others −∞.
        listed: Most probable tokens that the server lists; 20 with chat, 5 with completions as a rule.
        key_variable: Environment variable that holds the key; an unset one sends none.
        timeout: Seconds for a request.
        retries: Attempts after a failed one, with growing pauses; the server's own wish is honoured.
        per_minute: Most requests a minute; 0 for no limit.
        parallel: Requests at a time.
    """

    address: str
    model: str
    protocol: Literal["completions", "chat"] = "completions"
    scoring: Literal["echo", "listed"] = "echo"
    listed: int = 5
    key_variable: str = "OPENAI_API_KEY"
    timeout: float = 60.0
    retries: int = 4
    per_minute: float = 0.0
    parallel: int = 8

    def __post_init__(self) -> None:
        """Check the protocol.

        Raises:
            ProblemError: If options are to be scored by an echo that chat does not have.
        """
        if self.protocol == "chat" and self.scoring == "echo":
            raise ProblemError(
                "Chat does not tell the probabilities of a given text",
                where=self.address,
                fix='Set scoring to "listed", or the protocol to "completions".',
            )

    @property
    def identity(self) -> str:
        """The address with the model's name, the protocol and the way of scoring."""
        return f"{self.address} {self.model} {self.protocol} {self.scoring}"


@dataclass
class EndpointModel(LanguageModel):
    """A served model; see :class:`Server`."""

    server: Server
    _client: OpenAI = field(repr=False)
    _pace: Pace = field(repr=False)
    # Requests end in several threads.
    _counting: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def score(self, prompts: Sequence[str], options: Sequence[Sequence[str]]) -> list[list[float]]:
        """See :class:`~methods.common.language_model.interface.LanguageModel`."""
        check_texts(prompts, options)
        if self.server.scoring == "listed":
            return [
                [law.log_probabilities.get(option, -math.inf) for option in of_prompt]
                for law, of_prompt in zip(self.next_token(prompts), options, strict=True)
            ]
        pairs = [(prompt, option) for prompt, some in zip(prompts, options, strict=True) for option in some]
        values = iter(self._each(self._echoed, pairs))
        return [[next(values) for _ in of_prompt] for of_prompt in options]

    def sample(
        self, prompts: Sequence[str], decoding: Decoding, *, count: int = 1, seed: int = 0
    ) -> list[list[Completion]]:
        """See :class:`~methods.common.language_model.interface.LanguageModel`.

        The seed is sent; whether it is honoured is the server's affair. ``top_k`` is an extension
        that vLLM and llama.cpp know.
        """
        check_texts(prompts)

        def draw(prompt: str) -> list[Completion]:
            return self._drawn(prompt, decoding, count, _seed(seed, prompt))

        return self._each(draw, prompts)

    def next_token(self, prompts: Sequence[str], *, most: int | None = None) -> list[NextToken]:
        """See :class:`~methods.common.language_model.interface.LanguageModel`.

        Raises:
            ProblemError: If more is asked than the server lists.
        """
        check_texts(prompts)
        if most is not None and most > self.server.listed:
            raise ProblemError(
                f"{most} tokens were asked for, and the server lists {self.server.listed}",
                where=self.name,
                fix="Ask for fewer, or raise `listed` if the server can do more.",
            )

        def tell(prompt: str) -> NextToken:
            return self._told(prompt, most or self.server.listed)

        return self._each(tell, prompts)

    def _each(self, ask: Callable[[Any], Answer], questions: Sequence[Any]) -> list[Answer]:
        with ThreadPoolExecutor(max_workers=self.server.parallel) as pool:
            return list(pool.map(ask, questions))

    def _send(self, prompt: str, **parameters: Any) -> Any:
        """One request; its answer is checked to come from the model that was asked.

        Raises:
            ResourceError: If the server cannot be reached, refuses, or answers nonsense.
        """
        import openai

        self._pace.wait()
        asked: Mapping[str, Any] = {"model": self.server.model, **parameters}
        try:
            if self.server.protocol == "chat":
                message: Any = [{"role": "user", "content": prompt}]
                answer: Any = self._client.chat.completions.create(messages=message, **asked)
            else:
                answer = self._client.completions.create(prompt=prompt, **asked)
        except (openai.OpenAIError, ValueError) as error:
            # The client lets a body that is not JSON through as a ValueError.
            raise _failure(error, self.server) from error
        with _understood(self.server):
            self._check(answer, parameters.get("n", 1))
        return answer

    def _check(self, answer: Any, count: int) -> None:
        choices = getattr(answer, "choices", None)
        if not isinstance(choices, list) or len(choices) != count:
            found = len(choices) if isinstance(choices, list) else "no"
            raise ResourceError(
                f"The server gave {found} answers where {count} were asked for",
                where=self.server.address,
                fix="Check that the address ends in /v1 and that the server speaks OpenAI's protocol.",
            )
        named = getattr(answer, "model", None)
        # A dated name ("model-2026-01-01") is the same model; another name is another model.
        if named and not re.fullmatch(rf"{re.escape(self.server.model)}(-\d[\d-]*)?", str(named)):
            raise ResourceError(
                f"{self.server.model!r} was asked and {str(named)[:80]!r} answered",
                where=self.server.address,
                fix="Ask for the name that the server gives its model (GET /v1/models).",
            )
        usage = getattr(answer, "usage", None)
        with self._counting:
            self.usage.prompt_tokens += int(getattr(usage, "prompt_tokens", 0) or 0)
            self.usage.calls += count

    def _drawn(self, prompt: str, decoding: Decoding, count: int, seed: int) -> list[Completion]:
        parameters: dict[str, Any] = {
            "max_tokens": decoding.new_tokens,
            "temperature": decoding.temperature,
            "top_p": decoding.top_p,
            "n": count,
            "seed": seed,
            "logprobs": True if self.server.protocol == "chat" else 1,
        }
        if decoding.stop:
            parameters["stop"] = list(decoding.stop)
        if decoding.top_k:
            parameters["extra_body"] = {"top_k": decoding.top_k}
        answer = self._send(prompt, **parameters)
        with _understood(self.server):
            found = [self._completion(choice) for choice in answer.choices]
        with self._counting:
            self.usage.completion_tokens += sum(one.tokens for one in found)
            self.usage.unfinished += sum(not one.finished for one in found)
        return found

    def _completion(self, choice: Any) -> Completion:
        text = choice.message.content if self.server.protocol == "chat" else choice.text
        if not isinstance(text, str | None):
            raise TypeError(f"a text is of type {type(text).__name__}")
        values = _token_values(choice.logprobs)
        # Without token probabilities, words are counted instead; the NaN log-probability marks such counts.
        tokens = len(values) if values else len((text or "").split())
        total = math.fsum(values) if values else math.nan
        return Completion(text or "", tokens, choice.finish_reason == "stop", total)

    def _echoed(self, pair: tuple[str, str]) -> float:
        prompt, option = pair
        answer = self._send(prompt + option, max_tokens=1, temperature=0.0, echo=True, logprobs=1)
        told = answer.choices[0].logprobs
        offsets = getattr(told, "text_offset", None)
        if not offsets:
            raise ResourceError(
                "The server does not echo the probabilities of the prompt",
                where=self.server.address,
                fix='Set scoring to "listed", or serve the model with vLLM.',
            )
        start, end = len(prompt), len(prompt) + len(option)
        with _understood(self.server):
            chosen = [
                _log_probability(value)
                for value, at in zip(told.token_logprobs, offsets, strict=True)
                if start <= at < end and value is not None
            ]
        if not chosen:
            raise ProblemError(
                f"The option {option!r} has no token of its own after its prompt",
                where=self.name,
                fix="End the prompt with a line break, or begin the option with a space.",
            )
        return math.fsum(chosen)

    def _told(self, prompt: str, most: int) -> NextToken:
        if self.server.protocol == "chat":
            answer = self._send(prompt, max_tokens=1, temperature=1.0, logprobs=True, top_logprobs=most)
            told = _listed_by_chat
        else:
            answer = self._send(prompt, max_tokens=1, temperature=1.0, logprobs=most)
            told = _listed_by_completions
        with _understood(self.server):
            pairs = [(str(token), _log_probability(value)) for token, value in told(answer)]
        if not pairs:
            raise ResourceError(
                "The server lists no probabilities of the next token",
                where=self.server.address,
                fix="Serve the model with log-probabilities switched on.",
            )
        listed = dict(sorted(pairs, key=lambda pair: -pair[1])[:most])
        return NextToken(listed, max(0.0, 1.0 - math.fsum(map(math.exp, listed.values()))))


@contextmanager
def _understood(server: Server) -> Iterator[None]:
    """Read an answer in the body: what the protocol does not have there is the server's fault."""
    try:
        yield
    except (AttributeError, LookupError, TypeError, ValueError, ArithmeticError) as error:
        raise ResourceError(
            f"The server's answer is not of OpenAI's protocol: {error}"[:300],
            where=server.address,
            fix="Check that the address ends in /v1 and that the server speaks OpenAI's protocol.",
        ) from error


def _listed_by_chat(answer: Any) -> list[tuple[Any, Any]]:
    content = getattr(answer.choices[0].logprobs, "content", None) or []
    return [(one.token, one.logprob) for one in content[0].top_logprobs] if content else []


def _listed_by_completions(answer: Any) -> list[tuple[Any, Any]]:
    lists = getattr(answer.choices[0].logprobs, "top_logprobs", None) or [{}]
    return list(lists[0].items())


def _log_probability(value: Any) -> float:
    """A log-probability of an answer; one a little above zero is rounding of the server's.

    Raises:
        ValueError: If it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not value < 1:
        raise ValueError(f"{value!r:.40} is no log-probability")
    return float(value)


def open_endpoint(server: Server, *, name: str = "") -> EndpointModel:
    """Connect to a server; nothing is sent yet.

    Raises:
        ResourceError: If the package ``openai`` is missing.
    """
    try:
        from openai import OpenAI
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
        max_retries=server.retries,
    )
    pace = Pace(server.per_minute)
    return EndpointModel(name or server.model, server.identity, server, client, pace)


def _seed(seed: int, prompt: str) -> int:
    """A seed of 31 bits, which every server takes."""
    digest = hashlib.blake2b(f"{seed}\0{prompt}".encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") >> 1


def _token_values(told: Any) -> list[float]:
    if told is None:
        return []
    content = getattr(told, "content", None)
    if content is not None:
        return [_log_probability(one.logprob) for one in content]
    values = getattr(told, "token_logprobs", None) or []
    return [_log_probability(value) for value in values if value is not None]


def _failure(error: Exception, server: Server) -> ResourceError:
    """What went wrong, and what to do about it; keys never appear in it."""
    import openai

    kinds: list[tuple[type[Exception], str, str]] = [
        (openai.APITimeoutError, f"did not answer within {server.timeout:g} s", "Raise `timeout`."),
        (openai.APIConnectionError, "cannot be reached", "Check the address and that the server runs."),
        (openai.AuthenticationError, "refuses the key", f"Set {server.key_variable}."),
        (openai.RateLimitError, "limits the rate", "Set `per_minute` below its limit."),
        (openai.NotFoundError, "does not know the model or path", "See GET /v1/models for its names."),
        (openai.BadRequestError, "refuses the request", "The prompt may exceed the context."),
        (ValueError, "does not answer in OpenAI's protocol", "Check that the address ends in /v1."),
    ]
    for kind, what, fix in kinds:
        if isinstance(error, kind):
            return ResourceError(f"The server {what} ({type(error).__name__})", where=server.address, fix=fix)
    return ResourceError(
        f"The server failed ({type(error).__name__})", where=server.address, fix="See the server's log."
    )
