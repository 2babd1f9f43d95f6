"""What an answer says: texts, their probabilities, and the most probable next tokens.

Log-probabilities come in two forms, a list of lists (OpenAI's completions, vLLM) and a list of tokens
(OpenAI's chat, and llama.cpp in both protocols); either is read wherever it stands.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from methods.common.language_model.faults import Garbled
from methods.common.language_model.interface import Completion, NextToken

_BEGIN, _END = "<think>", "</think>"


@contextmanager
def understood() -> Iterator[None]:
    """Read an answer in the body: what the protocol does not have there is the server's fault.

    Raises:
        Garbled: If so.
    """
    try:
        yield
    except (AttributeError, LookupError, TypeError, ValueError, ArithmeticError) as error:
        raise Garbled(f"The server's answer is not of OpenAI's protocol: {error}"[:300]) from error


def read_completion(answer: Any, choice: Any, *, stop: Sequence[str] = ()) -> Completion:
    """One sampled text.

    Args:
        answer: The whole answer, for its count of tokens.
        choice: One of its choices.
        stop: Texts that end it. Servers that leave them in the text (``transformers serve``) or know none
            are helped: it is cut here.
    """
    message = _get(choice, "message")
    raw = _get(choice, "text") if message is None else _get(message, "content")
    if message is None and raw is None:
        raise TypeError("a choice has neither a message nor a text")
    if not isinstance(raw, str | None):
        raise TypeError(f"a text is of type {type(raw).__name__}")
    reason = _get(choice, "finish_reason")
    apart = _get(message, "reasoning_content") or _get(message, "reasoning") or ""
    thought, text, closed = _without_thought(raw or "", chat=message is not None)
    cut = min((text.find(one) for one in stop if one in text), default=-1)
    values = token_values(choice)
    tokens = _tokens(answer, values, raw or "", thought_apart=str(apart))
    # Where tokens are told that have no probability here (a thought), the sum would be of another text.
    total = math.fsum(values) if values and len(values) == tokens else math.nan
    refusal = _get(message, "refusal") or ("content filter" if reason == "content_filter" else "")
    return Completion(
        text=text[:cut] if cut >= 0 else text,
        tokens=tokens,
        finished=closed and (reason == "stop" or cut >= 0),
        log_probability=total,
        thought=str(apart) + thought,
        refusal=str(refusal),
    )


def _without_thought(text: str, *, chat: bool) -> tuple[str, str, bool]:
    """Thought, answer, and whether the thought came to an end."""
    begins = text.lstrip().startswith(_BEGIN)
    # Some templates end with the opening mark, so that only the closing one is in the answer.
    if not begins and not (chat and _END in text):
        return "", text, True
    inner = text.lstrip().removeprefix(_BEGIN) if begins else text
    thought, mark, answer = inner.partition(_END)
    return thought.strip(), answer.lstrip(), bool(mark)


def _tokens(answer: Any, values: Sequence[float], text: str, *, thought_apart: str) -> int:
    """Tokens generated: the server's count where it is of one text, else those with a probability.

    Without either, words are counted; a NaN log-probability marks such counts.
    """
    choices = getattr(answer, "choices", ())
    told = _get(getattr(answer, "usage", None), "completion_tokens")
    if values and not thought_apart:
        return len(values)
    if len(choices) == 1 and isinstance(told, int) and told > 0:
        return told
    return len(values) or len(f"{thought_apart} {text}".split())


def prompt_tokens(answer: Any) -> int:
    """Tokens read, by the server's count; 0 where it does not tell."""
    told = _get(getattr(answer, "usage", None), "prompt_tokens")
    return told if isinstance(told, int) and told > 0 else 0


def token_values(choice: Any) -> list[float]:
    """Log-probabilities of the tokens of a text; none where the server does not tell."""
    told = _get(choice, "logprobs")
    content = _get(told, "content")
    if content is not None:
        return [log_probability(_get(one, "logprob")) for one in content]
    values = _get(told, "token_logprobs") or []
    return [log_probability(value) for value in values if value is not None]


def read_next(choice: Any, most: int) -> NextToken | None:
    """The most probable first tokens of a text; None where the server does not list them."""
    told = _get(choice, "logprobs")
    content, lists = _get(told, "content"), _get(told, "top_logprobs")
    pairs: list[tuple[Any, Any]] = []
    if content:
        pairs = [(_get(one, "token"), _get(one, "logprob")) for one in _get(content[0], "top_logprobs") or ()]
    elif lists and lists[0]:
        pairs = list(lists[0].items())
    if not pairs:
        return None
    # Tokens that differ in their bytes may be spelled alike: their probabilities add up.
    found: dict[str, float] = {}
    for token, value in pairs:
        read, name = log_probability(value), str(token)
        found[name] = _log_sum(found[name], read) if name in found else read
    listed = dict(sorted(found.items(), key=lambda pair: -pair[1])[:most])
    return NextToken(listed, max(0.0, 1.0 - math.fsum(map(math.exp, listed.values()))))


def read_echo(choice: Any, start: int, end: int) -> float | None:
    """Log-probability of the characters from ``start`` to ``end`` of an echoed text.

    Returns:
        None where the server does not echo; NaN where no token begins there.
    """
    told, text = _get(choice, "logprobs"), str(_get(choice, "text") or "")
    offsets, values = _get(told, "text_offset"), _get(told, "token_logprobs")
    if not offsets or not values or len(text) < end:
        return None
    # vLLM counts the spelling of a mark at the beginning ("<bos>") that is not in the text.
    tokens = _get(told, "tokens") or [""]
    mark = len(str(tokens[0]))
    if not text.startswith(str(tokens[0])) and len(offsets) > 1 and offsets[1] == mark:
        start, end = start + mark, end + mark
    chosen = [
        log_probability(value)
        for value, at in zip(values, offsets, strict=True)
        if start <= at < end and value is not None
    ]
    return math.fsum(chosen) if chosen else math.nan


def mass_of(law: NextToken, option: str, *, loose: bool) -> float:
    """Log-probability of the listed tokens that spell an option; −∞ if none does.

    Args:
        law: What is listed.
        option: As a continuation of the prompt, so with its leading space.
        loose: Whether the space may be missing.
    """
    names = {option, option.lstrip(" ")} if loose else {option}
    found = [value for token, value in law.log_probabilities.items() if _spelled(token) in names]
    return math.log(math.fsum(map(math.exp, found))) if found else -math.inf


def log_probability(value: Any) -> float:
    """A log-probability of an answer; one a little above zero is rounding of the server's.

    Raises:
        ValueError: If it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not value < 1:
        raise ValueError(f"{value!r:.40} is no log-probability")
    return float(value)


def _log_sum(one: float, other: float) -> float:
    high = max(one, other)
    return high if high == -math.inf else high + math.log(math.exp(one - high) + math.exp(other - high))


def _get(value: Any, name: str) -> Any:
    """A field of an object or of a mapping: the client makes objects of what OpenAI has, and no others."""
    return value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)


def _spelled(token: str) -> str:
    """A token as text: some servers spell it as in the vocabulary, where marks stand for spaces."""
    return token.replace("▁", " ").replace("Ġ", " ").replace("Ċ", "\n")
