"""Calls that a killed trial has made are not made again."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TypeVar

from harness.method import Checkpoints
from methods.common.language_model import calls
from methods.common.language_model.calls import Question
from methods.common.language_model.interface import Completion, Decoding, LanguageModel, NextToken

Answer = TypeVar("Answer", list[float], list[Completion], NextToken)

_Call = tuple[list[str], dict[str, int]]
"""The answers as JSON, and how much each count of the usage grew."""


@dataclass
class KeptModel(LanguageModel):
    """A model whose calls are written to a trial's checkpoints, and taken from what it left there.

    A call is kept whole, with all its prompts: where what is read together matters to the last
    digits, it stays together. Nothing of this process's own calls is ever taken, so that a trial
    that was not killed asks exactly what it would ask without. What a call has used counts again when
    it is taken: a trial that was killed reports what one that was not does.

    Attributes:
        inner: The model.
        checkpoints: Of the trial.
        path: The file of calls, one a line.
    """

    inner: LanguageModel
    checkpoints: Checkpoints
    path: Path
    _left: dict[str, _Call] = field(default_factory=dict, init=False, repr=False)
    _new: dict[str, _Call] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        """Read what a killed process has left; a line that it did not finish is passed over."""
        if not self.path.is_file():
            return
        for line in self.path.read_bytes().split(b"\n"):
            try:
                key, (answers, used) = json.loads(line)
            except ValueError:
                continue
            self._left[key] = (answers, used)
        if self._left:
            print(f"{self.name}: {len(self._left)} calls were made before.")  # noqa: T201 - the log

    @property
    def together(self) -> int:
        """As the inner model."""
        return self.inner.together

    def score(self, prompts: Sequence[str], options: Sequence[Sequence[str]]) -> list[list[float]]:
        """See :class:`~methods.common.language_model.interface.LanguageModel`."""
        asked = [calls.scoring(self.identity, *pair) for pair in zip(prompts, options, strict=True)]
        return self._answers(asked, lambda: self.inner.score(prompts, options), calls.read_scores)

    def sample(
        self, prompts: Sequence[str], decoding: Decoding, *, count: int = 1, seed: int = 0
    ) -> list[list[Completion]]:
        """See :class:`~methods.common.language_model.interface.LanguageModel`."""
        asked = [calls.sampling(self.identity, prompt, decoding, count, seed) for prompt in prompts]

        def compute() -> list[list[Completion]]:
            return self.inner.sample(prompts, decoding, count=count, seed=seed)

        return self._answers(asked, compute, calls.read_completions)

    def next_token(self, prompts: Sequence[str], *, most: int | None = None) -> list[NextToken]:
        """See :class:`~methods.common.language_model.interface.LanguageModel`.

        Whole distributions are asked for each time: they are too large to keep.
        """
        if most is None:
            return self.inner.next_token(prompts)
        asked = [calls.listing(self.identity, prompt, most) for prompt in prompts]
        return self._answers(asked, lambda: self.inner.next_token(prompts, most=most), calls.read_next_token)

    def _answers(
        self,
        asked: Sequence[Question],
        compute: Callable[[], list[Answer]],
        read: Callable[[str], Answer],
    ) -> list[Answer]:
        key = _key(asked)
        if key in self._left:
            texts, used = self._left[key]
            self._count(used)
            return [read(text) for text in texts]
        before = asdict(self.usage)
        answers = compute()
        used = {name: number - before[name] for name, number in asdict(self.usage).items()}
        self._new[key] = ([calls.answer_text(answer) for answer in answers], used)
        if self.checkpoints.due:
            self._write()
        return answers

    def _count(self, used: dict[str, int]) -> None:
        for name, number in used.items():
            setattr(self.usage, name, getattr(self.usage, name) + number)

    def _write(self) -> None:
        start = time.monotonic()
        lines = b"".join(json.dumps(item).encode() + b"\n" for item in self._new.items())
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab") as file:
                # What a killed process did not finish ends here.
                file.write(b"\n" + lines)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            self.checkpoints.give_up(str(error))
            return
        self._new = {}
        self.checkpoints.written(time.monotonic() - start, len(lines))


def kept(inner: LanguageModel, checkpoints: Checkpoints) -> LanguageModel:
    """Wrap ``inner``, unless nothing is kept; name, identity and kind stay."""
    place = checkpoints.place(f"calls of {inner.name}")
    if place is None or inner.surrogate:
        return inner
    path = place / "calls.jsonl"
    return KeptModel(inner.name, inner.identity, inner, checkpoints, path, usage=inner.usage)


def _key(questions: Sequence[Question]) -> str:
    return calls.question_key("call", "", "", "".join(question.key for question in questions))
