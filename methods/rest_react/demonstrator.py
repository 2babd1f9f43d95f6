"""A scripted agent that errs at known rates: it stands in for the prompted model (card §9)."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from harness.method import ProblemError
from methods.common.language_model import Completion, Decoding, LanguageModel, NextToken
from methods.rest_react.reading import UNKNOWN, read_state, right_action, supporting
from methods.rest_react.steps import Action, Answer, Kind, Search, State, Stop, Summary, Verdict, write


@dataclass
class Demonstrator(LanguageModel):
    """Does what is right at a state, or a mistake of the step's kind.

    Attributes:
        error: ε, probability of a mistake at each step.
        hasty: Probability that a draft names the entity of the first hop where the searches made a
            detour (more of them than hops). Above ½ it is the rule there, and sampling more does not
            correct it: the systematic error that the checks can see, and without which self-critique has
            nothing to find (card §9, lesson 4).
        skims: Probability of citing the first result where the right one comes second, third …: the
            bias for early places that language models have. Sampling more corrects random mistakes
            (card §8, sharpening); this one needs better targets.
    """

    surrogate: bool = field(default=True, kw_only=True)
    error: float = field(default=0.35, kw_only=True)
    hasty: float = field(default=0.0, kw_only=True)
    skims: tuple[float, ...] = field(default=(), kw_only=True)

    def sample(
        self, prompts: Sequence[str], decoding: Decoding, *, count: int = 1, seed: int = 0
    ) -> list[list[Completion]]:
        """Actions as text; the temperature does not matter."""
        return [[self._completion(prompt, seed, draw) for draw in range(count)] for prompt in prompts]

    def score(self, prompts: Sequence[str], options: Sequence[Sequence[str]]) -> list[list[float]]:
        """Refuse: a script has no probabilities.

        Raises:
            ProblemError: Always.
        """
        raise ProblemError("A demonstrator only acts", where=self.name, fix="Train a model on its steps.")

    def next_token(self, prompts: Sequence[str], *, most: int | None = None) -> list[NextToken]:
        """Refuse, as :meth:`score`."""
        raise ProblemError("A demonstrator only acts", where=self.name, fix="Train a model on its steps.")

    def _completion(self, prompt: str, seed: int, draw: int) -> Completion:
        content = f"{self.identity}\0{seed}\0{draw}\0{prompt}".encode()
        digest = hashlib.blake2b(content, digest_size=8).digest()
        rng = np.random.default_rng(int.from_bytes(digest, "big"))
        text = write(self._act(State.parse(prompt), rng))
        self.usage.calls += 1
        return Completion(text, len(text.split()) + 1, finished=True, log_probability=math.nan)

    def _act(self, state: State, rng: np.random.Generator) -> Action:
        if state.kind is Kind.ANSWER and rng.random() < self.hasty:
            reading = read_state(state)
            if len(state.rounds) > len(reading.relations):
                return Answer(reading.reached[min(1, len(reading.reached) - 1)], ())
        if state.kind is Kind.SUMMARY and rng.random() < self._skimmed(state):
            first = state.results[0]
            return Summary((first.link,), first.text)
        if rng.random() < self.error:
            return _mistake(state, rng)
        return right_action(state)

    def _skimmed(self, state: State) -> float:
        """Probability that the first result is taken for the right one."""
        right = supporting(state)
        place = state.results.index(right) if right else 0
        return self.skims[min(place, len(self.skims)) - 1] if place and self.skims else 0.0


def _mistake(state: State, rng: np.random.Generator) -> Action:
    """A mistake of the step's kind; it may be right by accident."""
    reading = read_state(state)
    match state.kind:
        case Kind.DECISION:
            relation = reading.relations[int(rng.integers(len(reading.relations)))]
            place = reading.reached[int(rng.integers(len(reading.reached)))]
            return Stop() if rng.random() < 1 / 3 else Search(f"{relation} of {place}")
        case Kind.SUMMARY:
            if not state.results:
                return Summary((), "")
            snippet = state.results[int(rng.integers(len(state.results)))]
            return Summary((snippet.link,), snippet.text)
        case Kind.ANSWER:
            return Answer([*reading.reached, UNKNOWN][int(rng.integers(len(reading.reached) + 1))], ())
        case Kind.RELEVANCE | Kind.GROUNDING:
            others = [name for name in reading.reached if name != state.draft]
            if not others or rng.random() < 1 / 2:
                return Verdict()
            return Verdict(others[int(rng.integers(len(others)))])
