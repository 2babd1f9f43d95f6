"""A scripted agent that errs at known rates: it stands for the prompted model (card §9)."""

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
from methods.rest_react.world import RELATIONS

_PLACES = 3
"""Of a situation: the right result is the first, it is a later one, or a draft is due."""


@dataclass
class Demonstrator(LanguageModel):
    """Does what is right at a state, or a mistake of the step's kind.

    Attributes:
        error: ε, probability of a mistake at each step.
        habit: Habits are mistakes that belong to situations: to sum up another result than the right
            one, and, once a search has led nowhere, to answer with the entity of the first hop, which
            the checks can see. Each relation, and in summaries each place of the right result, has a
            probability of its own; they are evenly spaced between 0 and this, in an order that the
            script's identity draws.

    Where a habit has more than even odds it is the rule, and drawing more samples does not mend it;
    somebody has to prefer the better ones among the samples. Slips at random are mended by drawing alone
    (card §8, sharpening; §9, lessons 3 and 4).
    """

    surrogate: bool = field(default=True, kw_only=True)
    error: float = field(default=0.35, kw_only=True)
    habit: float = field(default=0.0, kw_only=True)
    _order: dict[tuple[str, int], int] = field(default_factory=dict, repr=False, kw_only=True)

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
        habit = _habit(state)
        if habit is not None and rng.random() < self.habit * self._hardness(habit[0]):
            return habit[1]
        if rng.random() < self.error:
            return _mistake(state, rng)
        return right_action(state)

    def _hardness(self, situation: tuple[str, int]) -> float:
        """Between 0 and 1, always the same for a situation."""
        if not self._order:
            digest = hashlib.blake2b(self.identity.encode(), digest_size=8).digest()
            rng = np.random.default_rng(int.from_bytes(digest, "big"))
            situations = [(relation, place) for relation in RELATIONS for place in range(_PLACES)]
            drawn = [situations[i] for i in rng.permutation(len(situations))]
            self._order.update({one: rank for rank, one in enumerate(drawn)})
        return (self._order.get(situation, 0) + 0.5) / len(self._order)


def _habit(state: State) -> tuple[tuple[str, int], Action] | None:
    """The situation of a state, and the mistake that belongs to it, if any does."""
    reading = read_state(state)
    right = supporting(state)
    if state.kind is Kind.SUMMARY and right is not None and len(state.results) > 1:
        wrong = next(one for one in state.results if one != right)
        relation = state.query.partition(" of ")[0]
        return (relation, min(state.results.index(right), 1)), Summary((wrong.link,), wrong.text)
    # More searches than hops are known: one of them led nowhere.
    if state.kind is Kind.ANSWER and len(state.rounds) > len(reading.reached) - 1:
        named = reading.reached[min(1, len(reading.reached) - 1)]
        return (reading.relations[-1], _PLACES - 1), Answer(named, ())
    return None


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
