"""Calls as plain values: what caches and records keep of questions and answers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from methods.common.language_model.interface import Completion, Decoding, NextToken

Kind = Literal["score", "sample", "next_token"]


@dataclass(frozen=True)
class Question:
    """One prompt with everything that its answer depends on.

    Attributes:
        kind: What is asked.
        model: Identity of the model.
        prompt: The text.
        parameters: JSON: the options, or the decoding with count and seed, or the tokens to list; and
            of answers that depend on what else was asked, the call and the rows that were read together.
    """

    kind: Kind
    model: str
    prompt: str
    parameters: str

    @property
    def prompt_hash(self) -> str:
        """Of the prompt alone, 32 hexadecimal digits."""
        return hashlib.blake2b(self.prompt.encode(), digest_size=16).hexdigest()

    @property
    def key(self) -> str:
        """Of the whole question; the prompt enters by its hash, so that records can be searched."""
        return question_key(self.kind, self.model, self.prompt_hash, self.parameters)


def question_key(kind: str, model: str, prompt_hash: str, parameters: str) -> str:
    """See :attr:`Question.key`."""
    content = json.dumps([kind, model, prompt_hash, parameters])
    return hashlib.blake2b(content.encode(), digest_size=16).hexdigest()


def scoring(model: str, prompt: str, options: Sequence[str]) -> Question:
    """The question behind ``LanguageModel.score``."""
    return Question("score", model, prompt, _json({"options": list(options)}))


def sampling(model: str, prompt: str, decoding: Decoding, count: int, seed: int) -> Question:
    """The question behind ``LanguageModel.sample``; greedy text does not depend on the seed."""
    parameters = asdict(decoding) | {"count": count, "seed": seed if decoding.temperature else 0}
    return Question("sample", model, prompt, _json(parameters))


def listing(model: str, prompt: str, most: int) -> Question:
    """The question behind ``LanguageModel.next_token``."""
    return Question("next_token", model, prompt, _json({"most": most}))


def of_one_call(questions: Sequence[Question], rows: int) -> list[Question]:
    """Questions whose answers depend on all of them, since ``rows`` are read together."""
    keys = "".join(question.key for question in questions)
    call = {"call": hashlib.blake2b(keys.encode(), digest_size=16).hexdigest(), "rows": rows}
    return [replace(one, parameters=_json(json.loads(one.parameters) | call)) for one in questions]


def rows_together(parameters: str) -> int:
    """What :func:`of_one_call` noted; 0 for answers of their own."""
    return int(json.loads(parameters).get("rows", 0))


def answer_text(answer: list[float] | list[Completion] | NextToken) -> str:
    """An answer as JSON."""
    if isinstance(answer, NextToken):
        return _json({"log_probabilities": dict(answer.log_probabilities), "rest": answer.rest})
    return _json([_told(one) if isinstance(one, Completion) else one for one in answer])


def _told(one: Completion) -> dict[str, Any]:
    """A completion without what it does not have, so that records of most models stay as short as ever."""
    return {name: value for name, value in asdict(one).items() if value or name not in ("thought", "refusal")}


def read_scores(text: str) -> list[float]:
    """The inverse of :func:`answer_text` for scores."""
    return [float(value) for value in json.loads(text)]


def read_completions(text: str) -> list[Completion]:
    """The inverse of :func:`answer_text` for completions."""
    return [Completion(**one) for one in json.loads(text)]


def read_next_token(text: str) -> NextToken:
    """The inverse of :func:`answer_text` for a distribution."""
    content = json.loads(text)
    return NextToken(content["log_probabilities"], float(content["rest"]))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
