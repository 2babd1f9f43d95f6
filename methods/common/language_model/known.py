"""Models that first look up what is already known, and ask another model for the rest."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from methods.common.language_model import calls
from methods.common.language_model.calls import Question
from methods.common.language_model.interface import (
    Completion,
    Decoding,
    LanguageModel,
    NextToken,
    check_texts,
)

Answer = TypeVar("Answer", list[float], list[Completion], NextToken)


@dataclass
class LookupModel(LanguageModel):
    """Answers from somewhere, by question; equal questions of a call are asked once.

    Only what is not known is asked. Where answers depend on what else is asked in a call, they are
    known for whole calls, and a call is asked as a whole.

    Subclasses say where answers are and what happens to questions without one.
    """

    @abstractmethod
    def find(self, questions: Sequence[Question]) -> dict[str, str]:
        """Known answers as JSON, by key of the question."""

    @abstractmethod
    def ask(self) -> LanguageModel:
        """The model for the rest.

        Raises:
            ProblemError: If there is none.
        """

    @abstractmethod
    def keep(self, answers: Sequence[tuple[Question, str]]) -> None:
        """Take note of the answers to all questions of a call, new ones and known ones."""

    def score(self, prompts: Sequence[str], options: Sequence[Sequence[str]]) -> list[list[float]]:
        """See :class:`~methods.common.language_model.interface.LanguageModel`."""
        check_texts(prompts, options)
        asked = [
            calls.scoring(self.identity, prompt, one) for prompt, one in zip(prompts, options, strict=True)
        ]

        def compute(places: list[int]) -> list[list[float]]:
            return self.ask().score([prompts[i] for i in places], [options[i] for i in places])

        return self._answer(asked, compute, calls.read_scores)

    def sample(
        self, prompts: Sequence[str], decoding: Decoding, *, count: int = 1, seed: int = 0
    ) -> list[list[Completion]]:
        """See :class:`~methods.common.language_model.interface.LanguageModel`."""
        check_texts(prompts)
        asked = [calls.sampling(self.identity, prompt, decoding, count, seed) for prompt in prompts]

        def compute(places: list[int]) -> list[list[Completion]]:
            return self.ask().sample([prompts[i] for i in places], decoding, count=count, seed=seed)

        return self._answer(asked, compute, calls.read_completions)

    def next_token(self, prompts: Sequence[str], *, most: int | None = None) -> list[NextToken]:
        """See :class:`~methods.common.language_model.interface.LanguageModel`.

        Whole distributions are asked for each time: they are too large to keep.
        """
        check_texts(prompts)
        if most is None:
            return self.ask().next_token(prompts)
        asked = [calls.listing(self.identity, prompt, most) for prompt in prompts]

        def compute(places: list[int]) -> list[NextToken]:
            return self.ask().next_token([prompts[i] for i in places], most=most)

        return self._answer(asked, compute, calls.read_next_token)

    def _answer(
        self,
        asked: list[Question],
        compute: Callable[[list[int]], list[Answer]],
        read: Callable[[str], Answer],
    ) -> list[Answer]:
        if self.together:
            asked = calls.of_one_call(asked, self.together)
        keys: list[str] = [question.key for question in asked]
        known = self.find(asked)
        if self.together and len(known) < len({*keys}):
            known = {}
        missing = {key: place for place, key in reversed(list(enumerate(keys))) if key not in known}
        places = sorted(missing.values())
        self.usage.cached += len(asked) - len(places)
        if places:
            found = compute(places)
            known |= {keys[i]: calls.answer_text(one) for i, one in zip(places, found, strict=True)}
        self.keep([(question, known[question.key]) for question in asked])
        return [read(known[key]) for key in keys]
