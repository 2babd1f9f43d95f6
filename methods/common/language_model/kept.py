"""Calls that a killed trial has made are not made again.

Calls of local models are written by time, as other checkpoints are, since they can be had again. Answers of
servers are paid for: each is written as it comes.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from harness.method import Checkpoints
from methods.common.language_model import calls
from methods.common.language_model.answers import Answers
from methods.common.language_model.calls import Question
from methods.common.language_model.interface import Completion, Decoding, LanguageModel, NextToken
from methods.common.language_model.served import EndpointModel

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

    @property
    def tells_probabilities(self) -> bool:
        """As the inner model."""
        return self.inner.tells_probabilities

    def described(self) -> dict[str, Any]:
        """As the inner model."""
        return self.inner.described()

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


def kept(inner: LanguageModel, where: Checkpoints | Path) -> LanguageModel:
    """A model whose calls are kept; name, identity and kind stay.

    Args:
        inner: The model. One behind a server keeps its answers itself, one by one.
        where: A trial's checkpoints, or a folder. A folder keeps answers of servers only, and may be
            shared by trials and processes.

    Returns:
        ``inner`` itself where it keeps its answers, or nothing is kept.
    """
    if isinstance(where, Path):
        if isinstance(inner, EndpointModel):
            inner.answers = Answers(where)
        return inner
    place = where.place(f"calls of {inner.name}")
    if place is None or inner.surrogate:
        return inner
    if isinstance(inner, EndpointModel):
        # A folder that is shared holds more than a trial's own would.
        if inner.answers is None:
            inner.answers = Answers(place, give_up=where.give_up, on_kept=_noting(where))
        return inner
    path = place / "calls.jsonl"
    return KeptModel(inner.name, inner.identity, inner, where, path, usage=inner.usage)


def _noting(checkpoints: Checkpoints) -> Callable[[], None]:
    """Tells the trial that there is something to take up, with the first answer and whenever it is time.

    What a trial's folder holds is taken up only with its note of the files that were read.
    """
    first = True

    def note() -> None:
        nonlocal first
        if first or checkpoints.due:
            first = False
            checkpoints.written(0.0, 0)

    return note


def _key(questions: Sequence[Question]) -> str:
    return calls.question_key("call", "", "", "".join(question.key for question in questions))
