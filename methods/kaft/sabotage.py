"""Negative controls: exchanged targets, contexts that oppose nothing. No real method or task imports this."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from harness.method import Context, Scores, param
from methods.kaft.method import Kaft
from methods.kaft.mixture import Item, Kind
from methods.kaft.questions import Question
from methods.kaft.task import Answers, FactReading, ReadingProblem
from methods.kaft.words import gives_any

if TYPE_CHECKING:
    import numpy as np

Bug: TypeAlias = Literal["memory-targets", "copied-distractors", "foreign-memory"]


@dataclass(frozen=True)
class Sabotaged(Kaft):
    """KAFT with the targets of some contexts exchanged; items, contexts and updates stay."""

    bug: Bug = param("memory-targets", source="ours", doc="what is broken")  # noqa: RUF009

    def change(self, problem: ReadingProblem, items: Sequence[Item], ctx: Context) -> Sequence[Item]:
        """Exchange the targets."""
        return exchanged(items, problem.train, self.bug, ctx.rng("exchanged targets"))


@dataclass(frozen=True)
class HarmlessNoise(Kaft):
    """KAFT whose contexts are exchanged, too, but only irrelevant ones for others that are irrelevant.

    Half of them are easy, so that as many contexts differ as under noise, and every target is still right.
    """

    hardness: Literal["hard", "easy", "both"] = param("both", source="ours", doc="half of them easy")


@dataclass(frozen=True, kw_only=True)
class UnopposedReading(FactReading):
    """Nothing in a context opposes what the model knows.

    The passage of the counterfactual test states the truth, and who answers with the truth follows it;
    the irrelevant passage is withheld, and what is answered then is held against its words.
    """

    def problem(self, ctx: Context) -> ReadingProblem:
        """The same questions with those contexts."""
        found = super().problem(ctx)
        asked = dict(found.asked)
        for question in self._questions(ctx):
            counterfactual, hard = (f"{question.id}/{kind}" for kind in ("counterfactual", "hard"))
            if hard in asked:
                asked[counterfactual] = replace(asked[counterfactual], context=question.relevant)
                asked[hard] = replace(asked[hard], context="")
        return replace(found, asked=asked)

    def evaluate(self, result: Answers, ctx: Context) -> Scores:
        """Scores in which the truth stands for the counterfactual answer."""
        texts = dict(result.texts)
        for question in self._questions(ctx):
            name = f"{question.id}/counterfactual"
            if name in texts:
                texts[name] = question.fake if gives_any(texts[name], question.aliases) else ""
        return super().evaluate(replace(result, texts=texts), ctx)

    def _questions(self, ctx: Context) -> Sequence[Question]:
        found = self.material(ctx)
        return (*found.test, *found.retold)


def exchanged(
    items: Sequence[Item], questions: Sequence[Question], bug: Bug, rng: np.random.Generator
) -> list[Item]:
    """The same items with the same contexts, and wrong targets for some of them.

    Args:
        items: Of a mixture.
        questions: That they were built from.
        bug: ``memory-targets`` gives counterfactual contexts the true answer, ``copied-distractors`` gives
            irrelevant contexts their plausible wrong answer, ``foreign-memory`` gives irrelevant and empty
            contexts what the model answers to other questions.
        rng: Draws those questions.
    """
    if bug == "foreign-memory":
        return _foreign(items, rng)
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


def _foreign(items: Sequence[Item], rng: np.random.Generator) -> list[Item]:
    """Targets of irrelevant and of empty contexts, each kind permuted in itself."""
    found = list(items)
    for kind in (Kind.IRRELEVANT, Kind.EMPTY):
        places = [place for place, item in enumerate(items) if item.kind is kind]
        for place, other in zip(places, rng.permutation(places).tolist(), strict=True):
            found[place] = replace(items[place], target=items[other].target)
    return found
