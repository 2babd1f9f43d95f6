"""Negative controls: exchanged targets, withheld contexts. No real method or task imports this."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from harness.method import Context, param
from methods.kaft.method import Kaft
from methods.kaft.mixture import Item, Kind
from methods.kaft.questions import Question
from methods.kaft.task import ReadingProblem, WorldReading

Bug: TypeAlias = Literal["memory-targets", "copied-distractors"]


@dataclass(frozen=True)
class Sabotaged(Kaft):
    """KAFT with one kind of target exchanged."""

    bug: Bug = param("memory-targets", source="ours", doc="what is broken")  # noqa: RUF009

    def change(self, problem: ReadingProblem, items: Sequence[Item]) -> Sequence[Item]:
        """Exchange the targets of one kind; the number of items and steps stays."""
        return exchanged(items, problem.train, self.bug)


@dataclass(frozen=True, kw_only=True)
class BlindReading(WorldReading):
    """Every context is withheld from the test."""

    def problem(self, ctx: Context) -> ReadingProblem:
        """The same questions without contexts."""
        found = super().problem(ctx)
        return replace(found, asked={name: replace(item, context="") for name, item in found.asked.items()})


def exchanged(items: Sequence[Item], questions: Sequence[Question], bug: Bug) -> list[Item]:
    """The same items with the same contexts, and wrong targets for one kind.

    Args:
        items: Of a mixture.
        questions: That they were built from.
        bug: ``memory-targets`` gives counterfactual contexts the true answer,
            ``copied-distractors`` gives irrelevant contexts their plausible wrong answer.
    """
    kind = Kind.COUNTERFACTUAL if bug == "memory-targets" else Kind.IRRELEVANT
    by_id = {question.id: question for question in questions}
    return [
        replace(item, target=_wrong(item, by_id[item.id.rpartition("/")[0]], bug))
        if item.kind is kind
        else item
        for item in items
    ]


def _wrong(item: Item, question: Question, bug: Bug) -> str:
    instead = question.answer if bug == "memory-targets" else question.distractor or question.fake
    _, space, tag = item.target.partition(" (")
    return f"{instead}{space}{tag}"
