"""From trajectories to training examples, step by step (card §3.3, §3.4).

Nothing here takes an answer: examples come from all trajectories, right or wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from methods.rest_react.agent import Candidate, Step, Trajectory
from methods.rest_react.steps import State


@dataclass(frozen=True)
class StepExample:
    """A state and the action to learn for it, both as text."""

    state: str
    target: str


class Ranker(Protocol):
    """Orders candidates for a step, seeing nothing but the state and the candidates."""

    def best(self, state: State, candidates: Sequence[Candidate], rng: np.random.Generator) -> int:
        """The place of the best candidate."""


@dataclass(frozen=True)
class Retargeted:
    """Training examples, and what the ranker did.

    Attributes:
        examples: One for each step.
        changed: Steps whose target is not what the trajectory went on with.
        asked: Steps for which the ranker had a choice.
    """

    examples: tuple[StepExample, ...]
    changed: int
    asked: int


def retarget(
    trajectories: Iterable[Trajectory], ranker: Ranker | None, rng: np.random.Generator
) -> Retargeted:
    """Every step with the best-ranked of its candidates as target.

    States stay as they are, though another action led to the next one: data are off-policy. Without
    a ranker the targets are the actions of least perplexity, as in the pilot.

    Args:
        trajectories: Of one generation.
        ranker: Chooses targets.
        rng: Shuffles candidates, so that their order carries no information; passed to the ranker, too.
    """
    examples, changed, asked = [], 0, 0
    for trajectory in trajectories:
        for step in trajectory.steps:
            choices = _distinct(step)
            target = step.text
            if ranker is not None and len(choices) > 1:
                asked += 1
                shuffled = [choices[place] for place in rng.permutation(len(choices))]
                target = shuffled[ranker.best(step.state, shuffled, rng)].text
            changed += target != step.text
            examples.append(StepExample(step.state.prompt, target))
    return Retargeted(tuple(examples), changed, asked)


def _distinct(step: Step) -> list[Candidate]:
    """Readable candidates, equal ones once."""
    return list({one.text: one for one in step.candidates if one.action is not None}.values())
