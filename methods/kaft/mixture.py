"""Training sets as mixtures of four kinds of context (card, section 3.3).

A mixture is a vector of weights over the kinds. Relevant-only, noisy and counterfactual-only
finetuning are the vectors (1, 0, 0, 0), (1/2, 1/2, 0, 0) with gold targets and (1/2, 0, 0, 1/2),
over (relevant, irrelevant, empty, counterfactual).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import numpy as np

from harness.method import ProblemError
from methods.kaft.questions import Question
from methods.kaft.substitution import substitute
from methods.kaft.words import EMPTY, FROM_CONTEXT, IRRELEVANT


class Kind(StrEnum):
    """What a context is to its question."""

    RELEVANT = "relevant"
    IRRELEVANT = "irrelevant"
    EMPTY = "empty"
    COUNTERFACTUAL = "counterfactual"


@dataclass(frozen=True)
class Mixture:
    """How much of each kind, and with which targets.

    Attributes:
        relevant: Weight of true contexts; their target is the gold answer.
        irrelevant: Weight of contexts that answer nothing.
        empty: Weight of questions without a context.
        counterfactual: Weight of contexts that contradict memory; their target is the fake.
        targets: For irrelevant and empty contexts: what the pretrained model answers without a
            context, or the gold answer.
        tags: Whether targets end in a provenance tag.
        hardness: Which irrelevant contexts are used: easy ones only, both in turn, or hard ones and an
            easy one where a question has no hard one.
        noise: Share of the relevant and counterfactual items whose context does not support the
            answer. Both, since a counterfactual context is made of a relevant one.
    """

    relevant: float = 0.25
    irrelevant: float = 0.25
    empty: float = 0.25
    counterfactual: float = 0.25
    targets: Literal["model", "gold"] = "model"
    tags: bool = True
    hardness: Literal["hard", "easy", "both"] = "hard"
    noise: float = 0.0

    @property
    def weights(self) -> dict[Kind, float]:
        """The vector, by kind."""
        return {
            Kind.RELEVANT: self.relevant,
            Kind.IRRELEVANT: self.irrelevant,
            Kind.EMPTY: self.empty,
            Kind.COUNTERFACTUAL: self.counterfactual,
        }


KAFT = Mixture()
"""Equal parts of all four kinds."""


@dataclass(frozen=True)
class Item:
    """One training example as text.

    Attributes:
        id: Of the question, with the kind: ``q1/relevant``.
        kind: Of its context.
        question: The question.
        context: The context; empty if there is none.
        target: What is to be answered, with its tag.
    """

    id: str
    kind: Kind
    question: str
    context: str
    target: str


def build(
    questions: Sequence[Question], mixture: Mixture, beliefs: Mapping[str, str], rng: np.random.Generator
) -> list[Item]:
    """Draw the items of a mixture.

    The kind with the largest weight is used whole where the others have enough items; of these, as many
    are drawn as the weights ask for. The order in which a kind is drawn does not depend on other weights.

    Args:
        questions: To be trained on.
        mixture: The recipe.
        beliefs: M(q): what the pretrained model answers without a context, by the text of the question.
        rng: Chooses which items are kept.

    Raises:
        ProblemError: If the weights are no mixture, a kind that is wanted has no items, or irrelevant
            contexts are wanted and a question has none.
    """
    largest = _check(mixture)
    if mixture.irrelevant:
        _check_irrelevant(questions)
    items: list[Item] = []
    # One stream a kind, so that changing one weight leaves the items of other kinds as they are.
    streams = dict(zip(Kind, rng.spawn(len(Kind)), strict=True))
    sizes = {kind: len(_available(questions, kind, mixture)) for kind in Kind if mixture.weights[kind]}
    unit = min(size * largest / mixture.weights[kind] for kind, size in sizes.items())
    for kind, weight in mixture.weights.items():
        if weight:
            found = _available(questions, kind, mixture)
            if not found:
                raise ProblemError(
                    f"No question has a context of the kind '{kind}'",
                    where="training set",
                    fix="Set its weight to 0, or build such contexts.",
                )
            wanted = round(unit * weight / largest)
            items += _items(found, kind, mixture, beliefs, streams[kind], wanted=wanted)
    return items


def _check(mixture: Mixture) -> float:
    weights = list(mixture.weights.values())
    if min(weights) < 0 or not max(weights) > 0 or not 0 <= mixture.noise <= 1:
        raise ProblemError(
            f"The weights {weights} with noise {mixture.noise} are no mixture",
            where="mixture",
            fix="Give weights of at least 0, one of them positive, and noise between 0 and 1.",
        )
    return max(weights)


def _check_irrelevant(questions: Sequence[Question]) -> None:
    """Every question has an irrelevant context: without one it would be trained on an empty one."""
    bare = [question.id for question in questions if not (question.hard or question.easy)]
    if bare:
        named = ", ".join(bare[:5]) + (f" and {len(bare) - 5} more" if len(bare) > 5 else "")
        raise ProblemError(
            f"{len(bare)} of {len(questions)} questions have no irrelevant context: {named}",
            where="training set",
            fix="Give each a hard or an easy one, leave the question out, or set their weight to 0.",
        )


def _available(questions: Sequence[Question], kind: Kind, mixture: Mixture) -> list[Question]:
    has: dict[Kind, Callable[[Question], bool]] = {
        Kind.RELEVANT: lambda q: bool(q.relevant),
        Kind.IRRELEVANT: lambda q: bool(_irrelevant(q, mixture.hardness, 0)),
        Kind.EMPTY: lambda q: True,
        Kind.COUNTERFACTUAL: lambda q: bool(q.counterfactual),
    }
    return [question for question in questions if has[kind](question)]


def _items(
    questions: Sequence[Question],
    kind: Kind,
    mixture: Mixture,
    beliefs: Mapping[str, str],
    rng: np.random.Generator,
    *,
    wanted: int,
) -> list[Item]:
    chosen = sorted(rng.permutation(len(questions))[:wanted].tolist())
    kept = [questions[index] for index in chosen]
    noisy = _noisy(kept, kind, mixture.noise, rng)
    return [
        Item(
            id=f"{question.id}/{kind}",
            kind=kind,
            question=question.text,
            context=noisy.get(question.id, _context(question, kind, mixture, place)),
            target=target(question, kind, mixture, beliefs),
        )
        for place, question in enumerate(kept)
    ]


def target(question: Question, kind: Kind, mixture: Mixture, beliefs: Mapping[str, str]) -> str:
    """What an item of a kind is to be answered with; a function of the question alone."""
    if kind is Kind.COUNTERFACTUAL:
        return _tagged(question.fake, FROM_CONTEXT, mixture)
    if kind is Kind.RELEVANT:
        return _tagged(question.answer, FROM_CONTEXT, mixture)
    if mixture.targets == "model" and question.text not in beliefs:
        raise ProblemError(
            "It is not known what the pretrained model answers without a context",
            where=f"question {question.id}",
            fix="Ask the model all training questions first, or train with gold targets.",
        )
    text = beliefs[question.text] if mixture.targets == "model" else question.answer
    return _tagged(text, IRRELEVANT if kind is Kind.IRRELEVANT else EMPTY, mixture)


def _tagged(text: str, tag: str, mixture: Mixture) -> str:
    return f"{text} {tag}" if mixture.tags else text


def _context(question: Question, kind: Kind, mixture: Mixture, place: int) -> str:
    if kind is Kind.RELEVANT:
        return question.relevant
    if kind is Kind.COUNTERFACTUAL:
        return question.counterfactual
    return "" if kind is Kind.EMPTY else _irrelevant(question, mixture.hardness, place)


def _irrelevant(question: Question, hardness: str, place: int) -> str:
    """A hard or an easy context; with "both" they take turns. Only "easy" leaves questions without one."""
    if hardness == "easy":
        return question.easy
    turned = hardness == "both" and place % 2 == 1
    return (question.easy or question.hard) if turned else (question.hard or question.easy)


def _unsupporting(question: Question, answer: str) -> str:
    """A passage that mentions an answer without supporting it, as distant supervision finds them.

    It gives the answer to another subject, in the hard irrelevant context's place for a plausible
    wrong answer; where that place is not known, it is an irrelevant context as it is.
    """
    if question.hard and question.distractor:
        return substitute(question.hard, (question.distractor,), answer)[0]
    return question.hard or question.easy


def _noisy(kept: Sequence[Question], kind: Kind, noise: float, rng: np.random.Generator) -> dict[str, str]:
    """For a share of the questions, an unsupporting context in place of the supporting one."""
    if kind not in (Kind.RELEVANT, Kind.COUNTERFACTUAL):
        return {}
    able = [question for question in kept if question.hard or question.easy]
    count = min(round(noise * len(kept)), len(able))
    return {
        question.id: _unsupporting(question, question.answer if kind is Kind.RELEVANT else question.fake)
        for question in (able[index] for index in rng.permutation(len(able))[:count])
    }
