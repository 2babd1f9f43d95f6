"""Which facts a real model knows, and how they are split and put into words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from harness.method import Context, Reference
from methods.common.countries import read_countries
from methods.kaft.facts import PARAPHRASES, WORDINGS, Fact, collect, fact_questions
from methods.kaft.mixture import Item, Kind
from methods.kaft.models import Reader
from methods.kaft.prompts import Asked, Template
from methods.kaft.questions import Question
from methods.kaft.reading import Limits, read
from methods.kaft.scoring import is_complete
from methods.kaft.substitution import mentions_any
from methods.kaft.words import gives_any

_SHOT_SEED = 0
"""Solved examples, and which facts are asked, are the same for every model and seed."""


def ask_facts(
    reader: Reader,
    facts: Sequence[Fact],
    template: Template,
    limits: Limits,
    *,
    shots: int,
    device: str,
) -> dict[str, dict[str, str]]:
    """Ask a model all questions without a context, in two wordings with different examples.

    Returns:
        ``beliefs``: M(q) by the text of the question; ``known``: the answer of each question
        that was answered right in the *other* wording, after other examples.
    """
    model = reader.model(device, "float32" if device == "cpu" else "bfloat16")
    order = np.random.default_rng(_SHOT_SEED).permutation(len(facts)).tolist()
    examples = [[facts[i] for i in order[start : start + shots]] for start in (0, shots)]
    wordings = [{key: text for key, (_, text) in WORDINGS.items()}, PARAPHRASES]
    answers: list[dict[str, str]] = []
    for texts, solved in zip(wordings, examples, strict=True):
        head = template.shots([_item(fact, texts) for fact in solved])
        asked = {_key(fact): Asked(_ask(fact, texts), "") for fact in facts}
        found, _ = read(model, reader, template, asked, limits, shots=head)
        answers.append(found)
    shown = {fact.entity for solved in examples for fact in solved}
    return {
        "beliefs": {_ask(fact, wordings[0]): answers[0][_key(fact)] for fact in facts},
        "known": {
            _ask(fact, wordings[0]): fact.aliases[0]
            for fact in facts
            if fact.entity not in shown and gives_any(answers[1][_key(fact)], fact.aliases)
        },
    }


def recalled_questions(data: Any, most: int) -> tuple[Question, ...]:
    """The first questions of a closed-book set, for measuring what finetuning forgets.

    Args:
        data: A :class:`methods.common.datasets.DataSet` of questions.
        most: How many.
    """
    split = "validation" if "validation" in data.splits else data.splits[0]
    return tuple(
        Question(
            f"closed:{row.id}", f"closed:{row.id}", row.question, "", _asked(row.question), tuple(row.answers)
        )
        for row in data.first(split, most)
    )


def ask_plainly(
    reader: Reader, questions: Sequence[Question], template: Template, limits: Limits, device: str
) -> dict[str, str]:
    """M(q) of questions without a context and without solved examples, as after finetuning."""
    model = reader.model(device, "float32" if device == "cpu" else "bfloat16")
    asked = {question.text: Asked(question.text, "") for question in questions}
    answers, _ = read(model, reader, template, asked, limits)
    return answers


def _asked(text: str) -> str:
    """With the capital and the question mark that a prompt expects."""
    return text[:1].upper() + text[1:].rstrip("?") + "?"


def read_facts(ctx: Context, countries: Sequence[Reference], elements: Reference) -> list[Fact]:
    """All facts that can be asked, from the tables of countries and elements."""
    return collect(read_countries(*map(ctx.load, countries)), ctx.load(elements))


def of_some_entities(facts: Sequence[Fact], share: float) -> list[Fact]:
    """All facts about a drawn share of the countries and elements."""
    entities = sorted({fact.entity for fact in facts})
    order = np.random.default_rng(_SHOT_SEED).permutation(len(entities)).tolist()
    kept = {entities[index] for index in order[: round(share * len(entities))]}
    return [fact for fact in facts if fact.entity in kept]


def believed(facts: Sequence[Fact], beliefs: Mapping[str, str]) -> list[Fact]:
    """Those that the model was asked."""
    wording = {key: question for key, (_, question) in WORDINGS.items()}
    return [fact for fact in facts if _ask(fact, wording) in beliefs]


def split_facts(
    facts: Sequence[Fact], shares: tuple[float, float], ctx: Context, *, draws: int = 1
) -> dict[str, tuple[Question, ...]]:
    """Train, validation and test questions; no entity is in two of them.

    Args:
        facts: To be split.
        shares: Of the entities, for training and for validation; the rest is for the test.
        ctx: Its streams draw the split and the contexts.
        draws: Sets of contexts of a question that is not trained on.
    """
    entities = sorted({fact.entity for fact in facts})
    order = [entities[index] for index in ctx.rng("split").permutation(len(entities))]
    first, second = round(shares[0] * len(order)), round(sum(shares) * len(order))
    parts = {"train": order[:first], "validation": order[first:second], "test": order[second:]}
    return {
        name: tuple(
            fact_questions(
                [fact for fact in facts if fact.entity in set(members)],
                ctx.rng(f"{name} contexts"),
                draws=1 if name == "train" else draws,
            )[0]
        )
        for name, members in parts.items()
    }


def chosen(
    questions: Sequence[Question],
    known: Mapping[str, str],
    most: int,
    unknown: int,
    rng: np.random.Generator,
) -> tuple[Question, ...]:
    """Known questions with contexts of every kind, and some unknown ones."""
    first = [q for q in questions if not q.first and is_complete(q)]
    held = [q for q in first if q.text in known]
    rest = [q for q in first if q.text not in known]
    return (*_drawn(held, most or len(held), rng), *_drawn(rest, unknown, rng))


def solved(questions: Sequence[Question], count: int) -> list[Item]:
    """Examples for a prompt: in turn with a context and without one.

    Each is of another kind of fact and about something that no context before it mentions: otherwise an
    example without a context could be answered from the context of another, and the prompt would teach to
    copy where nothing is to be copied from.

    Args:
        questions: Of the training set.
        count: How many, at most.
    """
    rows: list[Question] = []
    for question in filter(is_complete, questions):
        if len(rows) < count and all(_apart(question, row) for row in rows):
            rows.append(question)
    return [
        Item(q.id, Kind.RELEVANT, q.text, q.relevant, q.answer)
        if place % 2 == 0
        else Item(q.id, Kind.EMPTY, q.text, "", q.answer)
        for place, q in enumerate(rows)
    ]


def _apart(question: Question, earlier: Question) -> bool:
    """Whether an example is of another kind and entity than an earlier one, whose context is silent on it."""
    if question.relation == earlier.relation or question.entity == earlier.entity:
        return False
    return not mentions_any(earlier.relevant, [question.entity, question.subject, *question.aliases])


def _drawn(questions: Sequence[Question], count: int, rng: np.random.Generator) -> list[Question]:
    return [questions[index] for index in sorted(rng.permutation(len(questions))[:count].tolist())]


def _key(fact: Fact) -> str:
    return f"{fact.relation}:{fact.subject}"


def _ask(fact: Fact, texts: Mapping[str, str]) -> str:
    return texts[fact.relation].format(subject=fact.subject)


def _item(fact: Fact, texts: Mapping[str, str]) -> Item:
    kind: Any = Kind.EMPTY
    return Item(_key(fact), kind, _ask(fact, texts), "", fact.aliases[0])
