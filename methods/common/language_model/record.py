"""Every call as a row of the record, and a model that answers from such rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.method import ProblemError
from methods.common.language_model.calls import Question, question_key, rows_together
from methods.common.language_model.interface import LanguageModel
from methods.common.language_model.known import LookupModel

COLUMNS = ("call", "kind", "model", "prompt_hash", "parameters", "answer")
"""Columns of a table of calls."""


@dataclass
class RecordedModel(LookupModel):
    """A model whose calls are all noted down, prompts by their hash."""

    inner: LanguageModel
    calls: list[tuple[Question, str]] = field(default_factory=list, kw_only=True)

    def find(self, questions: Sequence[Question]) -> dict[str, str]:
        """Nothing: each call goes to the inner model."""
        return {}

    @property
    def together(self) -> int:
        """As the inner model."""
        return self.inner.together

    @property
    def tells_probabilities(self) -> bool:
        """As the inner model."""
        return self.inner.tells_probabilities

    def described(self) -> dict[str, Any]:
        """As the inner model."""
        return self.inner.described()

    def ask(self) -> LanguageModel:
        """The inner model."""
        return self.inner

    def keep(self, answers: Sequence[tuple[Question, str]]) -> None:
        """Note the calls."""
        self.calls += answers

    def table(self) -> dict[str, list[Any]]:
        """The calls by column, in order; see :data:`COLUMNS`."""
        rows = [
            (number, one.kind, one.model, one.prompt_hash, one.parameters, answer)
            for number, (one, answer) in enumerate(self.calls)
        ]
        return {name: [row[place] for row in rows] for place, name in enumerate(COLUMNS)}


@dataclass
class ReplayedModel(LookupModel):
    """Answers from the rows of a record, without the model.

    Attributes:
        answers: As JSON, by key of the question.
        rows: What the recorded model read together.
    """

    answers: Mapping[str, str]
    rows: int = field(default=0, kw_only=True)

    @property
    def together(self) -> int:
        """As the recorded model."""
        return self.rows

    def find(self, questions: Sequence[Question]) -> dict[str, str]:
        """The recorded answers."""
        keys = {question.key for question in questions}
        return {key: self.answers[key] for key in keys & self.answers.keys()}

    def ask(self) -> LanguageModel:
        """Refuse.

        Raises:
            ProblemError: Always.
        """
        raise ProblemError(
            "The record does not hold the answer to a question",
            where=self.name,
            fix="Replay with the parameters of the recorded run, or run with the model.",
        )

    def keep(self, answers: Sequence[tuple[Question, str]]) -> None:
        """Nothing to keep."""


def recorded(inner: LanguageModel) -> RecordedModel:
    """Wrap ``inner``; name, identity and kind stay."""
    return RecordedModel(inner.name, inner.identity, inner, surrogate=inner.surrogate, usage=inner.usage)


def replayed(table: Mapping[str, Sequence[Any]], *, name: str) -> ReplayedModel:
    """A model that answers what is in a table of calls of one model.

    Raises:
        ProblemError: If the table lacks a column, is empty or mixes models.
    """
    missing = [column for column in COLUMNS if column not in table]
    models = sorted(set(table.get("model", ())))
    if missing or len(models) != 1:
        raise ProblemError(
            f"A table of calls of one model is needed; columns missing: {', '.join(missing) or 'none'}; "
            f"models: {', '.join(map(str, models)) or 'none'}",
            where=name,
            fix="Give the calls of one model from a run's unit rows.",
        )
    columns = [table[column] for column in COLUMNS[1:]]
    answers = {
        question_key(kind, model, prompt, asked): answer
        for kind, model, prompt, asked, answer in zip(*columns, strict=True)
    }
    rows = max(map(rows_together, table["parameters"]), default=0)
    return ReplayedModel(name, models[0], answers, rows=rows)
