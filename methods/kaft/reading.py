"""Asking a model: from questions with contexts to answers as text."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.method import Checkpoints
from methods.common.answering import generate
from methods.common.checkpoints import mapped
from methods.common.examples import Cut, pad_token, prompt_tokens, special_tokens
from methods.common.forward import is_encoder_decoder
from methods.kaft.decoding import decode
from methods.kaft.fact_reader import FactReader, answer_words

if TYPE_CHECKING:
    from methods.kaft.models import Reader
    from methods.kaft.prompts import Asked, Template

PART = 2048
"""Prompts whose answers are kept together."""


@dataclass(frozen=True)
class Limits:
    """How long things may be.

    Attributes:
        prompt: Tokens of a prompt, at most; longer ones lose their beginning, and are counted.
        answer: New tokens of an answer, at most.
        batch: Prompts at once.
    """

    prompt: int = 512
    answer: int = 8
    batch: int = 64


def read(
    model: Any,
    reader: Reader,
    template: Template,
    asked: Mapping[str, Asked],
    limits: Limits,
    *,
    shots: str = "",
    alpha: float = 0.0,
    checkpoints: Checkpoints | None = None,
) -> tuple[dict[str, str], int]:
    """What a model answers.

    Args:
        model: Of ``transformers``.
        reader: Has its tokenizer.
        template: How it is asked.
        asked: Questions with contexts, by name.
        limits: Lengths.
        shots: Solved examples before every question; causal models read them once.
        alpha: Weight of context-aware decoding; 0 decodes greedily.
        checkpoints: Where answers are kept, if a killed trial is to go on.

    Returns:
        The first line of each answer by name, and how many prompts were cut.
    """
    tokenizer, cut = reader.tokenizer, Cut(keep="end")
    whole = is_encoder_decoder(model)
    prefix = shots if whole else ""

    def tokens(name: str, context: str) -> tuple[int, ...]:
        text = prefix + template.prompt(asked[name].question, context)
        return prompt_tokens(tokenizer, text, limits.prompt, cut, where=name)

    prompts = {
        name: (tokens(name, item.context), tokens(name, "") if alpha else ()) for name, item in asked.items()
    }
    # A prompt that stands under several names, as where contexts are withheld, is read once.
    different = list(dict.fromkeys(prompts.values()))
    settings: dict[str, Any] = {"stop": reader.stops(), "pad": pad_token(tokenizer), "batch": limits.batch}
    if isinstance(model, FactReader):
        asking = [prompt for prompt, _ in different]
        rows = answer_words(model, asking, against=[bare for _, bare in different], alpha=alpha, **settings)
    elif whole or not (shots or alpha):
        asking = [prompt for prompt, _ in different]
        parts = [asking[start : start + PART] for start in range(0, len(asking), PART)]
        settings["new_tokens"] = limits.answer
        found = mapped(checkpoints, "answers", parts, lambda part: generate(model, part, **settings))
        rows = list(itertools.chain.from_iterable(found))
    else:
        head = special_tokens(tokenizer)[0]
        shared = (*head, *tokenizer(shots, add_special_tokens=False)["input_ids"]) if shots else ()
        strip = len(head) if shared else 0
        settings |= {"new_tokens": limits.answer, "shared": shared, "alpha": alpha}
        bare, against = ([pair[side][strip:] for pair in different] for side in (0, 1))
        rows = decode(model, bare, against=against, **settings)
    answers = {prompt: first_line(tokenizer.decode(row)) for prompt, row in zip(different, rows, strict=True)}
    return {name: answers[prompt] for name, prompt in prompts.items()}, cut.cut


def first_line(text: str) -> str:
    """The answer without what a model writes after it."""
    return text.strip().partition("\n")[0].strip()
