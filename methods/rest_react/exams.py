"""Evaluating agents: what is asked of them, and what they answered. Nothing here knows an answer."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from methods.common.language_model import LanguageModel
from methods.rest_react.agent import Settings, Trajectory, roll_out
from methods.rest_react.delexical import Lexicon
from methods.rest_react.retrieval import SearchTool
from methods.rest_react.steps import Answer
from methods.rest_react.world import Question

Speaker = Callable[[Lexicon], LanguageModel]
"""A trained agent: given a world, it returns the language model that answers about it."""


@dataclass(frozen=True)
class Exam:
    """Questions for agents, without answers.

    Attributes:
        name: Of the set.
        questions: What is asked.
        tool: What may be searched.
        lexicon: Names of the world.
        seeds: One for each evaluation run, the same for all agents.
    """

    name: str
    questions: tuple[Question, ...]
    tool: SearchTool
    lexicon: Lexicon
    seeds: tuple[int, ...]


@dataclass(frozen=True)
class Outcome:
    """How one trajectory ended.

    Attributes:
        question: Id of its question.
        run: Number of the evaluation run, from 0.
        draft: The answer before the checks.
        final: The answer after them.
        long_form: The final answer with the snippets that the draft cites, which is what a judge reads.
        searches: Searches made.
        steps: Steps made.
        failed: Steps in which no candidate could be read.
        unread: Share of all candidates that could not be read.
    """

    question: str
    run: int
    draft: str
    final: str
    long_form: str
    searches: int
    steps: int
    failed: int
    unread: float

    @classmethod
    def of(cls, trajectory: Trajectory, run: int) -> Outcome:
        """The outcome of a trajectory."""
        candidates = [one for step in trajectory.steps for one in step.candidates]
        unread = sum(one.action is None for one in candidates) / max(1, len(candidates))
        return cls(
            question=trajectory.question.id,
            run=run,
            draft=trajectory.draft,
            final=trajectory.final,
            long_form=long_form(trajectory),
            searches=trajectory.searches,
            steps=len(trajectory.steps),
            failed=sum(step.failed for step in trajectory.steps),
            unread=unread,
        )


@dataclass(frozen=True)
class AgentResult:
    """What one agent did.

    Attributes:
        name: ``"gen2-XS"``: its generation and its size.
        parameters: Trained numbers; 0 where nothing is trained.
        outcomes: By exam.
        shown: Trajectories of the first run of the first exam, to be read.
        updates: Of its training; NaN where it is not known.
        fall: How much its loss still fell at the end; see :class:`~methods.rest_react.students.Student`.
    """

    name: str
    parameters: int
    outcomes: Mapping[str, tuple[Outcome, ...]]
    shown: tuple[Trajectory, ...] = ()
    updates: float = math.nan
    fall: float = math.nan


@dataclass(frozen=True)
class DataSet:
    """What a training set is made of.

    Attributes:
        name: ``"gen2-4x"``.
        trajectories: Behind it.
        examples: Steps.
        asked: Steps in which the ranker had a choice.
        changed: Steps whose target is not what was done.
        searches: Mean number of searches of a trajectory.
    """

    name: str
    trajectories: int
    examples: int
    asked: int = 0
    changed: int = 0
    searches: float = 0.0


@dataclass(frozen=True)
class Agents:
    """What a method returns: agents, of which one is its own, and the data that they learnt from.

    Attributes:
        agents: All that were evaluated.
        main: Name of the one that the method stands for.
        data: Training sets.
    """

    agents: tuple[AgentResult, ...]
    main: str
    data: tuple[DataSet, ...] = field(default=())


def sit(
    name: str,
    speaker: Speaker,
    exams: Sequence[Exam],
    settings: Settings,
    *,
    parameters: int = 0,
    show: bool = False,
) -> AgentResult:
    """Let an agent take exams, each as often as it has seeds.

    Args:
        name: Of the agent.
        speaker: The agent.
        exams: To take.
        settings: How it acts.
        parameters: Of the agent.
        show: Whether to keep the first run of the first exam.
    """
    outcomes: dict[str, tuple[Outcome, ...]] = {}
    shown: tuple[Trajectory, ...] = ()
    for exam in exams:
        model = speaker(exam.lexicon)
        rows: list[Outcome] = []
        for run, seed in enumerate(exam.seeds):
            found = roll_out(exam.questions, model, exam.tool, settings, seed=seed)
            rows += [Outcome.of(one, run) for one in found]
            if show and not shown:
                shown = tuple(found)
        outcomes[exam.name] = tuple(rows)
    return AgentResult(name, parameters, outcomes, shown)


def long_form(trajectory: Trajectory) -> str:
    """The final answer with what it rests on, as the paper's agent answers.

    Citations belong to the draft; a revised answer keeps them, right or not.
    """
    snippets = {one.link: one.text for step in trajectory.steps for one in step.state.results}
    drafts = [step.action for step in trajectory.steps if isinstance(step.action, Answer)]
    cited = [snippets[link] for draft in drafts for link in draft.links if link in snippets]
    return " ".join([f"{trajectory.final.rstrip('.')}.", *cited])
