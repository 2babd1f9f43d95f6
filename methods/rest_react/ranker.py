"""Rankers of candidate actions: a state-local surrogate, and its controls (card §9)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from methods.rest_react.agent import Candidate
from methods.rest_react.reading import right_action
from methods.rest_react.steps import Answer, State, Summary, write


@dataclass(frozen=True)
class LocalRanker:
    """Prefers what the state shows to be right, by noisy scores.

    It never sees an answer key; that it can read states this well is an assumption, which is why its
    noise is a parameter.

    Attributes:
        noise: Standard deviation added to scores between 0 and 1; .5 orders a right and a wrong
            candidate rightly in 92 % of the cases.
    """

    noise: float = 0.5

    def best(self, state: State, candidates: Sequence[Candidate], rng: np.random.Generator) -> int:
        """See :class:`~methods.rest_react.training_data.Ranker`."""
        scores = np.array([quality(state, one) for one in candidates])
        return int(np.argmax(scores + rng.normal(0, self.noise, len(candidates)) if self.noise else scores))


@dataclass(frozen=True)
class RandomRanker:
    """Prefers nothing: the control that changes as many targets."""

    def best(self, state: State, candidates: Sequence[Candidate], rng: np.random.Generator) -> int:
        """See :class:`~methods.rest_react.training_data.Ranker`."""
        return int(rng.integers(len(candidates)))


def quality(state: State, candidate: Candidate) -> float:
    """1 for the right action, ½ for one that gets its text right and its links wrong, else 0.

    An empty field is always bad.
    """
    if candidate.action is None:
        return 0.0
    right = right_action(state)
    if write(candidate.action) == write(right):
        return 1.0
    if isinstance(right, (Answer, Summary)) and isinstance(candidate.action, (Answer, Summary)):
        return 0.5 if right.text and candidate.action.text == right.text else 0.0
    return 0.0
