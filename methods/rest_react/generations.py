"""Grow and improve (card §3.4): roll-outs over all training questions, and the data made of them.

Nothing here takes an answer, except :func:`rightly_answered`, which needs answers, as the paper does not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from harness.method import ProblemError
from methods.common.language_model import LanguageModel
from methods.rest_react.agent import Candidate, Settings, Trajectory, roll_out
from methods.rest_react.delexical import Lexicon
from methods.rest_react.exams import DataSet
from methods.rest_react.ranker import quality
from methods.rest_react.retrieval import SearchTool, needs_more_than_one_search
from methods.rest_react.steps import State, Summary, read
from methods.rest_react.training_data import Ranker, StepExample, retarget
from methods.rest_react.world import Question, World, choose, unanswered_questions

Passes = tuple[tuple[Trajectory, ...], ...]
"""Roll-outs of all questions: one tuple for each time."""


@dataclass(frozen=True)
class Demonstrations:
    """Steps of the scripted agent.

    Attributes:
        examples: All of them, mistakes included.
        lexicon: Names of their world.
    """

    examples: tuple[StepExample, ...]
    lexicon: Lexicon


def lexicon_of(world: World) -> Lexicon:
    """All names of a world."""
    return Lexicon(frozenset(world.entities), frozenset(world.relations))


def hard_questions(
    world: World, tool: SearchTool, counts: dict[int, int], rng: np.random.Generator
) -> tuple[Question, ...]:
    """Questions that one search does not answer.

    Args:
        world: What they are about.
        tool: Searches its documents.
        counts: Questions by number of hops.
        rng: Draws them.

    Raises:
        ProblemError: If there are not enough.
    """
    found: list[Question] = []
    for hops, count in counts.items():
        everything = unanswered_questions(world, hops)
        # A few more than needed, since some fall out; searching for all of them takes long.
        drawn = choose(everything, min(len(everything), 2 * count + 20), rng)
        hard = [one for one in drawn if needs_more_than_one_search(one, world, tool)][:count]
        if len(hard) < count:
            raise ProblemError(
                f"Of {len(drawn)} questions of {hops} hops only {len(hard)} need more than one search, "
                f"not {count}",
                where="hard_questions",
                fix="Make a larger world.",
            )
        found += hard
    return tuple(found[place] for place in rng.permutation(len(found)))


def grow(
    model: LanguageModel,
    questions: Sequence[Question],
    tool: SearchTool,
    settings: Settings,
    *,
    seeds: Sequence[int],
) -> Passes:
    """Trajectories for all questions, once for each seed; the questions stay the same."""
    return tuple(tuple(roll_out(questions, model, tool, settings, seed=seed)) for seed in seeds)


@dataclass(frozen=True)
class Improved:
    """Training examples, and how they came about."""

    examples: tuple[StepExample, ...]
    about: DataSet


def improve(
    name: str, trajectories: Sequence[Trajectory], ranker: Ranker | None, rng: np.random.Generator
) -> Improved:
    """Every step of the trajectories, with the best-ranked candidate as target.

    Args:
        name: Of the data.
        trajectories: Right or wrong, all count.
        ranker: Chooses the targets; without one they are what was done.
        rng: For the ranker.
    """
    data = retarget(trajectories, ranker, rng)
    about = DataSet(
        name,
        len(trajectories),
        len(data.examples),
        data.asked,
        data.changed,
        float(np.mean([one.searches for one in trajectories])) if trajectories else 0.0,
    )
    return Improved(data.examples, about)


def filtered(
    examples: Sequence[StepExample], share: float, noise: float, rng: np.random.Generator
) -> tuple[StepExample, ...]:
    """The steps that a scripted annotator keeps: those with the best noisy scores.

    The rest is removed step by step, as people did in the pilot; a bad step that is removed stays in
    the states of the later ones.

    Args:
        examples: Of the pilot.
        share: Of steps to remove.
        noise: Standard deviation added to scores from 0 (wrong) to 1 (right).
        rng: Of the noise.
    """
    looks = np.array([_look(example) for example in examples]) + rng.normal(0, noise, len(examples))
    worst = set(np.argsort(looks, kind="stable")[: round(share * len(examples))].tolist())
    return tuple(one for place, one in enumerate(examples) if place not in worst)


def _look(example: StepExample) -> float:
    state = State.parse(example.state)
    action = read(state.kind, example.target)
    try:
        return quality(state, Candidate(example.target, 1.0, action))
    except ProblemError:
        # Questions in free wording cannot be followed; an empty or unreadable step is bad all the same.
        empty = action is None or (isinstance(action, Summary) and not action.text)
        return 0.0 if empty else 0.5


def rightly_answered(
    trajectories: Sequence[Trajectory], is_right: Callable[[Question, str], bool]
) -> tuple[Trajectory, ...]:
    """The trajectories whose final answer is right: what STaR and ReST-EM train on. Needs labels."""
    return tuple(one for one in trajectories if is_right(one.question, one.final))
