"""Training sets with one kind of target exchanged, for controls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from methods.kaft.mixture import Item, Kind
from methods.kaft.questions import Question

Bug = Literal["memory-targets", "copied-distractors"]


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
