"""Judging free answers of a diverse set of agents: does a judge rank agents as the oracle does?

Agents are scripted, with error rates from none to most steps, and word their answers differently:
plainly, as a sentence, with the way to the answer, hedged between two names, or denying one.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from harness.method import Context, Method, Reference, Scores, Task, param
from methods.common.gemma import SafeWeights

if TYPE_CHECKING:
    import numpy as np

    from methods.rest_react.world import Question

AKSITOV = "Aksitov et al. (2023), arXiv:2312.10003"


@dataclass(frozen=True)
class Judgement:
    """An answer to be judged against a reference.

    Attributes:
        id: Unique.
        question: What was asked.
        answer: What an agent said.
        reference: What is right.
    """

    id: str
    question: str
    answer: str
    reference: str


@dataclass(frozen=True)
class JudgingProblem:
    """Answers to be judged; a judge sees the reference, but not whether the oracle agrees.

    Attributes:
        items: In the order in which verdicts are given.
        names: All names that an answer could mean.
    """

    items: tuple[Judgement, ...]
    names: frozenset[str]


@dataclass(frozen=True)
class Judging(Task[JudgingProblem, tuple[bool, ...]]):
    """Judge answers of agents that differ in their error rates and in how they word answers."""

    errors: tuple[float, ...] = param(
        (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6),
        source="ours",
        doc="ε of each agent; eleven, as many as the paper's correlation stands on",
    )
    questions: int = param(100, source="ours", doc="questions; the paper's set has 125")
    entities: int = param(40, source="ours", doc="entities of the world")
    relations: int = param(6, source="ours", doc="relations of the world")
    vague: float = param(0.2, source="ours", doc="share of answers that hedge or deny")

    def problem(self, ctx: Context) -> JudgingProblem:
        """The answers of all agents, in a fresh world for each seed."""
        return self._made(ctx)[0]

    def evaluate(self, result: tuple[bool, ...], ctx: Context) -> Scores:
        """Verdicts and the truth, which is known because the wording was generated from it."""
        problem, agents, truth = self._made(ctx)
        return Scores(
            {
                "main": {
                    "unit_id": [item.id for item in problem.items],
                    "agent": agents,
                    "judge_right": list(result),
                    "final_right": truth,
                }
            }
        )

    def _made(self, ctx: Context) -> tuple[JudgingProblem, list[str], list[bool]]:
        from methods.rest_react.agent import Settings, roll_out
        from methods.rest_react.demonstrator import Demonstrator
        from methods.rest_react.retrieval import SearchTool
        from methods.rest_react.world import all_questions, choose, make_world

        rng = ctx.rng("judging")
        world = make_world(self.entities, self.relations, rng)
        every, key = all_questions(world, 2)
        asked, tool = choose(every, self.questions, rng), SearchTool(world.documents)
        items, agents, truth = [], [], []
        for error in self.errors:
            model = Demonstrator("script", "script", error=error)
            for walk in roll_out(asked, model, tool, Settings(samples=1), seed=ctx.seed):
                gold = key[walk.question]
                answer, right = word(
                    walk.question, walk.final, gold, names=world.entities, vague=self.vague, rng=rng
                )
                items.append(Judgement(f"{error:g}:{walk.question.id}", walk.question.text, answer, gold))
                agents.append(f"{error:g}")
                truth.append(right)
        return JudgingProblem(tuple(items), frozenset(world.entities)), agents, truth


def word(
    question: Question,
    named: str,
    gold: str,
    *,
    names: Sequence[str],
    vague: float,
    rng: np.random.Generator,
) -> tuple[str, bool]:
    """An answer in words, and whether it commits to the right name.

    Args:
        question: What was asked.
        named: The name that the agent ended with, or "unknown".
        gold: The right name.
        names: All names there are.
        vague: Probability of an answer that hedges (never right) or denies.
        rng: Draws the wording.
    """
    if named not in names:
        return f"I could not find out who that is: {named}.", False
    others = [name for name in names if name not in (named, gold)]
    other = others[int(rng.integers(len(others)))]
    last = question.relations[-1]
    if rng.random() < vague:
        if rng.random() < 0.5:
            return f"It is either {named} or {other}.", False
        if named == gold:
            return f"It is {gold} rather than {other}.", True
        return f"It is {named} rather than {gold}.", False
    wordings = (
        named,
        f"The {last} in question is {named}.",
        f"Starting from {question.subject}, the search went by {other} to the {last}: {named}.",
    )
    return wordings[int(rng.integers(len(wordings)))], named == gold


@dataclass(frozen=True)
class Judge(Method[JudgingProblem, tuple[bool, ...]]):
    """Judges one answer after the other."""

    problem_type: ClassVar[type] = JudgingProblem

    def run(self, problem: JudgingProblem, ctx: Context) -> tuple[bool, ...]:
        """A verdict for each answer."""
        return tuple(self.judge(problem.items, problem.names))

    @abstractmethod
    def judge(self, items: Sequence[Judgement], names: frozenset[str]) -> list[bool]:
        """Whether each answer implies its reference."""


@dataclass(frozen=True)
class RuleJudge(Judge):
    """Reads whether an answer commits to the reference; stands for the paper's language model."""

    cites: ClassVar[str] = AKSITOV

    def judge(self, items: Sequence[Judgement], names: frozenset[str]) -> list[bool]:
        """See :func:`methods.rest_react.judge.implies`."""
        from methods.rest_react.judge import implies

        return [implies(item.answer, item.reference, names) for item in items]


@dataclass(frozen=True)
class LanguageJudge(Method[JudgingProblem, tuple[bool, ...]]):
    """Asks a language model, after five solved examples and with a reason before the verdict."""

    problem_type: ClassVar[type] = JudgingProblem
    cites: ClassVar[str] = AKSITOV

    model: Reference = field(default_factory=SafeWeights)
    rows: int = param(64, source="ours", doc="answers read at once")

    def run(self, problem: JudgingProblem, ctx: Context) -> tuple[bool, ...]:
        """See :class:`methods.rest_react.language.ModelJudge`."""
        from methods.common.servers import open_named
        from methods.rest_react.language import ModelJudge

        loaded = ctx.load(self.model)
        folder = loaded if isinstance(loaded, Path) else loaded.folder
        judge = ModelJudge(open_named(folder, ctx, rows=self.rows))
        items = problem.items
        return tuple(
            judge(
                [item.question for item in items],
                [item.answer for item in items],
                [item.reference for item in items],
            )
        )


@dataclass(frozen=True)
class MentionJudge(Judge):
    """Right wherever the reference is mentioned: hedges and denials pass."""

    def judge(self, items: Sequence[Judgement], names: frozenset[str]) -> list[bool]:
        """Look for the words."""
        from methods.rest_react.judge import mentioned

        return [bool(mentioned(item.answer, {item.reference})) for item in items]


@dataclass(frozen=True)
class StringJudge(Judge):
    """Right only where the answer is the reference and nothing else."""

    def judge(self, items: Sequence[Judgement], names: frozenset[str]) -> list[bool]:
        """Compare the words."""
        from methods.rest_react.judge import exactly_right

        return [exactly_right(item.answer, item.reference) for item in items]
