"""Public questions and passages, as users bring them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from harness.method import ProblemError
from methods.rest_react.public_questions import FreeQuestion, load_passages, load_questions

ROWS = [("Who wrote the opera that opened\nthe hall?", "Ada Lovel"), ('What is "x, y"?', "42")]


def test_a_table_of_questions(tmp_path: Path) -> None:
    lines = [
        "question,answer",
        '"Who wrote the opera that opened\nthe hall?",Ada Lovel',
        '"What is ""x, y""?",42',
    ]
    (tmp_path / "set.csv").write_text("\ufeff" + "\n".join(lines), encoding="utf-8")
    found = load_questions(tmp_path)
    assert [question.text for question in found.questions] == [text.replace("\n", " ") for text, _ in ROWS]
    assert [found.key[question] for question in found.questions] == ["Ada Lovel", "42"]


@pytest.mark.parametrize("names", [("Question", "Answer"), ("question", "golden_answers")])
def test_json_lines_under_the_names_that_copies_use(tmp_path: Path, names: tuple[str, str]) -> None:
    rows = [
        {names[0]: text, names[1]: [answer, "alias"] if "golden" in names[1] else answer}
        for text, answer in ROWS
    ]
    with gzip.open(tmp_path / "test.jsonl.gz", "wt", encoding="utf-8") as out:
        out.writelines(json.dumps(row) + "\n" for row in rows)
    found = load_questions(tmp_path)
    assert [found.key[question] for question in found.questions] == ["Ada Lovel", "42"]
    assert len({question.id for question in found.questions}) == 2


@pytest.mark.parametrize(
    "row", [{"question": "Who?"}, {"question": " ", "answer": "x"}, {"q": "Who?", "a": "I"}]
)
def test_a_row_without_question_or_answer_is_refused(tmp_path: Path, row: dict[str, str]) -> None:
    (tmp_path / "rows.jsonl").write_text(json.dumps(row))
    with pytest.raises(ProblemError, match="Row 0"):
        load_questions(tmp_path)


def test_empty_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ProblemError, match="no questions"):
        load_questions(tmp_path)
    with pytest.raises(ProblemError, match="no passages"):
        load_passages(tmp_path)


def test_passages_are_searched_by_title_and_text(tmp_path: Path) -> None:
    rows = [
        {"_id": "1", "title": "Lyon", "text": "A city on the\nRhône. " + "Long words. " * 100},
        {"_id": "2", "title": "Turin", "text": "A city on the Po."},
    ]
    (tmp_path / "corpus.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    (tmp_path / "more.txt").write_text("Geneva lies on the Rhône, too.\n\nBasel lies on the Rhine.\n")
    tool = load_passages(tmp_path)
    assert {tool.documents[place].split()[0] for place in tool.search("Rhône")} == {"Lyon:", "Geneva"}
    assert all("\n" not in text and len(text.split()) <= 60 for text in tool.documents)


def test_free_questions_keep_their_wording() -> None:
    assert FreeQuestion("q", "", (), "Who\n was  it?").text == "Who was it?"
