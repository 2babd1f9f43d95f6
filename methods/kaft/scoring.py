"""From answers to unit rows: one row a question, with its outcome under every kind of context."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from methods.kaft.prompts import Asked
from methods.kaft.questions import Question
from methods.kaft.words import avoids, follows, gives_any, is_empty, same, strip_tag

KINDS = ("counterfactual", "hard", "easy", "relevant", "empty")
"""Contexts under which every question of a test is asked."""
RETOLD = ("counterfactual", "hard", "relevant")
"""Of these, what a question is asked under again with other facts beside."""
JUDGED = ("counterfactual", "hard", "empty")
"""Of these, what controllability and robustness are measured under; the others are shown."""


def ask(questions: Sequence[Question], kinds: Sequence[str] = KINDS) -> dict[str, Asked]:
    """The inputs of a test, by ``id/kind``, without any answer."""
    return {
        f"{question.id}/{kind}": Asked(
            question.text, _context(question, kind), question.subject, question.relation
        )
        for question in questions
        for kind in kinds
        if kind == "empty" or _context(question, kind)
    }


def is_complete(question: Question) -> bool:
    """Whether a question has a context of every kind that is scored."""
    return bool(question.counterfactual and question.hard and question.easy and question.relevant)


def score(
    questions: Sequence[Question],
    answers: Mapping[str, str],
    beliefs: Mapping[str, str],
    retold: Sequence[Question] = (),
    kinds: Sequence[str] = KINDS,
) -> dict[str, list[Any]]:
    """Rows of complete questions.

    Args:
        questions: All complete, and known to the pretrained model.
        answers: By ``id/kind``, as the model wrote them.
        beliefs: M(q) by the text of the question.
        retold: The same questions with further contexts, all complete. Each is a row of its question, of
            which it repeats what was answered to the easy context and without one.

        kinds: Contexts that were asked under; of a kind that was not there is no column.

    Returns:
        Columns: ``followed`` (the metric of controllability), ``stubborn`` (the memorised answer
        on a counterfactual context), ``neither``, ``both``; ``robust`` (the metric of robustness,
        on hard irrelevant contexts), ``fallback`` (M(q) there), ``distractor`` (its plausible
        wrong answer), ``hollow`` (no words at all there); ``robust_easy``; ``relevant``; and without a
        context ``retained`` (the right answer), ``agrees`` (M(q)) and ``apart`` (as ``robust``, against
        the hard context, which was not shown: how often an answer avoids its words by chance).
    """
    told = [*questions, *retold]
    rows = [_row(question, answers, beliefs.get(question.text, ""), kinds) for question in told]
    names = list(rows[0]) if rows else ["unit_id"]
    return {name: [row[name] for row in rows] for name in names}


def _row(question: Question, answers: Mapping[str, str], belief: str, kinds: Sequence[str]) -> dict[str, Any]:
    row: dict[str, Any] = {"unit_id": question.unit, "entity": question.entity}
    for kind in kinds:
        row |= _OUTCOMES[kind](question, strip_tag(answers[f"{_told(question, kind)}/{kind}"]), belief)
    return row


def _on_counterfactual(question: Question, said: str, _: str) -> dict[str, float]:
    followed, remembered = follows(said, question.fake), gives_any(said, question.aliases)
    stubborn = remembered and not followed
    return {
        "followed": float(followed),
        "stubborn": float(stubborn),
        "neither": float(not followed and not stubborn),
        "both": float(followed and remembered),
    }


def _on_hard(question: Question, said: str, belief: str) -> dict[str, float]:
    return {
        "robust": float(avoids(said, question.hard)),
        "fallback": float(same(said, belief)),
        "distractor": float(bool(question.distractor) and follows(said, question.distractor)),
        "hollow": float(is_empty(said)),
    }


def _on_empty(question: Question, said: str, belief: str) -> dict[str, float]:
    return {
        "retained": float(gives_any(said, question.aliases)),
        "agrees": float(same(said, belief)),
        "apart": float(avoids(said, question.hard)),
    }


_OUTCOMES: Mapping[str, Callable[[Question, str, str], dict[str, float]]] = {
    "counterfactual": _on_counterfactual,
    "hard": _on_hard,
    "easy": lambda question, said, _: {"robust_easy": float(avoids(said, question.easy))},
    "relevant": lambda question, said, _: {"relevant": float(gives_any(said, question.aliases))},
    "empty": _on_empty,
}
"""Of a question, what was said under a kind of context and M(q): the outcomes."""


def _told(question: Question, kind: str) -> str:
    """Id of the question as it was asked under a kind of context."""
    return question.id if kind in RETOLD else question.unit


def recall_rows(
    questions: Sequence[Question], answers: Mapping[str, str], beliefs: Mapping[str, str]
) -> dict[str, list[Any]]:
    """Agreement with M(q) without a context, on known and unknown questions."""
    said = [answers[f"{question.id}/empty"] for question in questions]
    held = [beliefs.get(question.text, "") for question in questions]
    return {
        "unit_id": [question.id for question in questions],
        "agrees": [float(same(left, right)) for left, right in zip(said, held, strict=True)],
        "known": [gives_any(belief, q.aliases) for q, belief in zip(questions, held, strict=True)],
    }


def aside_rows(
    questions: Sequence[Question], kind: str, answers: Mapping[str, str], beliefs: Mapping[str, str]
) -> dict[str, list[Any]]:
    """Questions that are asked under one kind of context only.

    Columns: ``robust`` (against the context asked under), ``correct`` and ``agrees`` (with M(q)).
    """
    said = [strip_tag(answers[f"{question.id}/{kind}"]) for question in questions]
    pairs = list(zip(questions, said, strict=True))
    return {
        "unit_id": [question.unit for question in questions],
        "robust": [float(avoids(text, _context(question, kind))) for question, text in pairs],
        "correct": [float(gives_any(text, question.aliases)) for question, text in pairs],
        "agrees": [float(same(text, beliefs.get(question.text, ""))) for question, text in pairs],
    }


def example_rows(
    questions: Sequence[Question], answers: Mapping[str, str], before: Mapping[str, str]
) -> dict[str, list[Any]]:
    """Counterfactual passages with the pretrained model's answer and the method's, side by side.

    A witness is a passage that the method follows where the pretrained model stuck to what it
    remembers. It is confirmed if the passage states the answer given and not the remembered one.
    """
    rows: dict[str, list[Any]] = {"unit_id": [], "case": [], "witness": [], "confirmed": []}
    for question in questions:
        key = f"{question.id}/counterfactual"
        said, first = strip_tag(answers[key]), strip_tag(before[key])
        witness = follows(said, question.fake) and gives_any(first, question.aliases)
        rows["unit_id"].append(question.id)
        rows["case"].append(
            f"{question.counterfactual} | {question.text} | pretrained: {first} | here: {answers[key]}"
        )
        rows["witness"].append(witness)
        rows["confirmed"].append(
            witness and not avoids(said, question.counterfactual) and not gives_any(said, question.aliases)
        )
    return rows


def _context(question: Question, kind: str) -> str:
    text: str = "" if kind == "empty" else getattr(question, kind)
    return text
