"""The paper's text formats (its section 5 and appendix) and how generated text is read."""

from __future__ import annotations

import re
from collections.abc import Sequence

PREFIXES = ("Q:", "Translate", "Article:")
"""Beginnings of inputs: a second one in an output starts text that is no answer any more."""

_SENTINEL = re.compile(r"<extra_id_\d+>")


def entailment(premise: str, hypothesis: str, *, neither: bool = False) -> str:
    """RTE; with ``neither``, CB and SNLI."""
    question = "Is it true or false or neither?" if neither else "Is it true or false?"
    return f"{premise} question: {hypothesis} {question} answer:"


def word_sense(first: str, second: str, word: str) -> str:
    """WiC."""
    return (
        f"{first} {second} question: The word {word} is used in the same way in the two sentences. "
        "Is it true or False? answer:"
    )


def multiple_choice(question: str, options: Sequence[str]) -> str:
    """OpenBookQA: the answer is a letter."""
    listing = " ".join(f"{letter}) {option}" for letter, option in zip("ABCDEFGH", options, strict=False))
    return f"Q: {question} {listing} A:"


def open_question(question: str) -> str:
    """TriviaQA and WebQuestions."""
    return f"Q: {question} A:"


def translation(sentence: str, source: str, target: str) -> str:
    """WMT."""
    return f"Translate {source} to {target}: {sentence}"


def summary(article: str) -> str:
    """XSum and WikiLingua."""
    return f"Article: {article} One sentence summary:"


def demonstrated(shown: Sequence[tuple[str, str]], query: str) -> str:
    """Demonstrations (input and answer) before a query, each on a line of its own."""
    return "".join(f"{prompt} {answer}\n" for prompt, answer in shown) + query


def read_answer(text: str) -> str:
    """The answer in a generated text.

    Takes what stands between the first two sentinels (mT5), if there are any, then cuts at the
    next beginning of an input and at the end of the line.
    """
    pieces = _SENTINEL.split(text)
    if len(pieces) > 1:
        text = pieces[1]
    text = text.strip()
    for prefix in PREFIXES:
        place = text.find(prefix, 1)
        if place > 0:
            text = text[:place]
    return text.split("\n")[0].strip()
