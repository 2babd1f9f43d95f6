"""Readers without a model: what a perfect copier, rememberer and judge of relevance would answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from harness.method import ProblemError
from methods.kaft.prompts import Asked
from methods.kaft.questions import Relation
from methods.kaft.substitution import mentions


def oracle_answer(
    asked: Asked,
    relations: Mapping[str, Relation],
    beliefs: Mapping[str, str],
    habit: Literal["copy", "closed-book", "gated"],
) -> str:
    """The answer of a perfect reader.

    Args:
        asked: Question and context.
        relations: How facts are worded.
        beliefs: M(q) by the text of the question.
        habit: ``copy`` gives an answer of the right kind from the context, about the subject if
            there is one, else about anything; ``gated`` only one about the subject; both fall
            back to M(q). ``closed-book`` never looks at the context.

    Raises:
        ProblemError: If facts are not worded in a known way.
    """
    belief = beliefs.get(asked.question, "")
    if habit == "closed-book" or not asked.context:
        return belief
    if asked.relation not in relations:
        raise ProblemError(
            f"An oracle cannot read facts of the kind '{asked.relation}'",
            where=asked.question,
            fix="Use it in generated worlds and on facts from templates.",
        )
    stated = _stated(asked, relations[asked.relation])
    if stated or habit == "gated":
        return stated or belief
    return _any_answer(asked, relations[asked.relation]) or belief


def _stated(asked: Asked, relation: Relation) -> str:
    """The answer that the context gives about the subject, or empty."""
    for answer in relation.answers:
        for statement in relation.statements:
            if mentions(asked.context, statement.format(subject=asked.subject, answer=answer)):
                return answer
    return ""


def _any_answer(asked: Asked, relation: Relation) -> str:
    """The first answer of the right kind in the context, or empty."""
    found = [answer for answer in relation.answers if mentions(asked.context, answer)]
    return min(found, key=lambda answer: asked.context.lower().find(answer.lower()), default="")
