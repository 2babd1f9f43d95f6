"""Public multi-hop questions, and passages to search for their answers, for the paper's own scale."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.method import HubSource, MirrorSource, ProblemError, Resource
from methods.common.data_set import json_rows
from methods.rest_react.world import AnswerKey, Question

if TYPE_CHECKING:
    from methods.rest_react.retrieval import SearchTool

BAMBOOGLE = Resource(
    name="bamboogle",
    kind="dataset",
    licence="MIT",
    version="125 questions",
    sources=(
        MirrorSource("bamboogle"),
        HubSource(
            "chiayewken/bamboogle",
            revision="5787baaae24a33baee4cf57a4cc743e8a02cd548",
            repo_type="dataset",
        ),
    ),
    loader="methods.rest_react.public_questions:load_questions",
    size_mb=1,
)
"""Two hops each (Press et al., 2022); the paper's validation set."""
BAMTWOOGLE = Resource(
    name="bamtwoogle",
    kind="dataset",
    licence="CC BY 4.0",
    version="100 questions",
    sources=(MirrorSource("bamtwoogle"),),
    loader="methods.rest_react.public_questions:load_questions",
    size_mb=1,
)
"""The paper's test set; published on GitHub as a table, so bind the folder of ``bamtwoogle.csv``."""
PASSAGES = Resource(
    name="search-passages",
    kind="dataset",
    licence="CC BY-SA 4.0",
    version="abstracts of Wikipedia articles, 2017",
    sources=(
        MirrorSource("search_passages"),
        HubSource("BeIR/hotpotqa", repo_type="dataset", config="corpus"),
    ),
    loader="methods.rest_react.public_questions:load_passages",
    size_mb=2000,
)
"""What the tool searches in place of the paper's internal search service: five million abstracts."""
_LONGEST = 60
"""Words of a passage that become a snippet."""


@dataclass(frozen=True)
class FreeQuestion(Question):
    """A question in free wording, whose chain of facts is unknown."""

    wording: str = ""

    @property
    def text(self) -> str:
        """As it was written, in one line."""
        return " ".join(self.wording.split())


@dataclass(frozen=True)
class QuestionSet:
    """Questions, with their answers apart."""

    questions: tuple[FreeQuestion, ...]
    key: AnswerKey


def load_questions(folder: Path) -> QuestionSet:
    """Questions from tables (CSV) or JSON lines with the columns ``question`` and ``answer``.

    Of several answers to a question the first counts, as the judge is shown one.

    Raises:
        ProblemError: If there are none, or a row lacks one of the two.
    """
    questions, answers = [], {}
    for number, row in enumerate(_rows(folder)):
        fields = {name.strip().lower(): value for name, value in row.items() if name}
        answer = fields.get("answer", fields.get("golden_answers", ""))
        first = str(answer[0] if isinstance(answer, list) and answer else answer or "").strip()
        wording = str(fields.get("question") or "").strip()
        if not wording or not first:
            raise ProblemError(
                f"Row {number} lacks a question or its answer (it has: {', '.join(fields) or 'nothing'})",
                where=str(folder),
                fix="Name the columns 'question' and 'answer', and fill both.",
            )
        question = FreeQuestion(f"q{number:03}", "", (), wording)
        questions.append(question)
        answers[question.id] = first
    if not questions:
        raise _empty(folder, "questions")
    return QuestionSet(tuple(questions), AnswerKey(answers))


def load_passages(folder: Path) -> SearchTool:
    """A tool that searches passages: rows with ``text`` and maybe ``title``, or text files.

    Raises:
        ProblemError: If there are none.
    """
    from methods.rest_react.retrieval import SearchTool

    documents = [_snippet(row) for row in _rows(folder)]
    for path in sorted(folder.rglob("*.txt")):
        documents += path.read_text(encoding="utf-8").split("\n\n")
    documents = [text for text in map(_short, documents) if text]
    if not documents:
        raise _empty(folder, "passages")
    return SearchTool(documents)


def _snippet(row: dict[str, Any]) -> str:
    title, text = str(row.get("title") or ""), str(row.get("text") or "")
    return f"{title}: {text}" if title and text else text


def _short(text: str) -> str:
    """The beginning of a text, in one line, as a state can hold it."""
    return " ".join(text.split()[:_LONGEST])


def _rows(folder: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.rglob("*.csv")):
        with path.open(encoding="utf-8-sig", newline="") as lines:
            yield from csv.DictReader(lines)
    for path in [*sorted(folder.rglob("*.jsonl")), *sorted(folder.rglob("*.jsonl.gz"))]:
        yield from json_rows(path)


def _empty(folder: Path, what: str) -> ProblemError:
    return ProblemError(
        f"There are no {what} in the folder", where=str(folder), fix="Give CSV, JSON lines or their gzip."
    )
