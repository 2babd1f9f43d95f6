"""The paper's templates, and data sets in them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from harness.method import ResourceError
from methods.common import datasets
from methods.promot import paper_data, text
from methods.promot.texts import Style, TextSource


def test_templates_of_the_paper() -> None:
    assert text.entailment("It rains.", "It is wet.") == (
        "It rains. question: It is wet. Is it true or false? answer:"
    )
    assert text.entailment("A.", "B.", neither=True).endswith("Is it true or false or neither? answer:")
    assert text.word_sense("A bank.", "The bank.", "bank") == (
        "A bank. The bank. question: The word bank is used in the same way in the two sentences. "
        "Is it true or False? answer:"
    )
    assert text.multiple_choice("Why?", ["x", "y"]) == "Q: Why? A) x B) y A:"
    assert text.open_question("Who?") == "Q: Who? A:"
    assert text.translation("A cat.", "English", "French") == "Translate English to French: A cat."
    assert text.summary("Long.") == "Article: Long. One sentence summary:"
    assert text.demonstrated([("Q: 1? A:", "2")], "Q: 3? A:") == "Q: 1? A: 2\nQ: 3? A:"


def folder(path: Path, rows: list[dict[str, Any]]) -> Path:
    with gzip.open(path / "train.jsonl.gz", "wt", encoding="utf-8") as lines:
        lines.writelines(json.dumps(row) + "\n" for row in rows)
    return path


SICK = [
    {"sentence_A": "A", "sentence_B": "B", "relatedness_score": 4, "entailment_judgment": label}
    for label in ("ENTAILMENT", "NEUTRAL", "CONTRADICTION")
]
SICK = [{**row, "sentence_B": f"B{i}"} for i, row in enumerate(SICK)]


@pytest.mark.parametrize(
    ("style", "loader", "rows", "answers"),
    [
        ("entailment", datasets.load_inferences, SICK, ["True", "False"]),
        ("entailment or neither", datasets.load_inferences, SICK, ["True", "Neither", "False"]),
        (
            "multiple choice",
            datasets.load_choices,
            [{"question": "q", "choices": {"label": ["1", "2"], "text": ["a", "b"]}, "answerKey": "2"}],
            ["B"],
        ),
        ("yes or no", datasets.load_yes_no, [{"question": "is it", "answer": False}], ["no"]),
        ("open question", datasets.load_questions, [{"question": "who", "answer": ["x", "y"]}], ["x"]),
        ("number", datasets.load_sums, [{"question": "1 + 1", "answer": "2.0"}], ["2"]),
        ("to french", datasets.load_translations, [{"en": "cat", "fr": "chat"}], ["chat"]),
        ("to english", datasets.load_translations, [{"en": "cat", "fr": "chat"}], ["cat"]),
        ("to german", datasets.load_translations, [{"en": "cat", "de": "Katze"}], ["Katze"]),
        ("to romanian", datasets.load_translations, [{"en": "cat", "ro": "pisica"}], ["pisica"]),
        ("summary", datasets.load_summaries, [{"document": "long", "summary": "short"}], ["short"]),
        ("summary", paper_data.load_wikilingua, [{"source": "long", "target": "short"}], ["short"]),
        (
            "entailment",
            paper_data.load_rte,
            [{"sentence1": "a", "sentence2": "b", "label": 1, "idx": 5}],
            ["False"],
        ),
        (
            "entailment or neither",
            paper_data.load_cb,
            [{"premise": "a", "hypothesis": "b", "label": 2}],
            ["Neither"],
        ),
        (
            "word sense",
            paper_data.load_word_senses,
            [{"sentence1": "a", "sentence2": "b", "word": "c", "label": 1}],
            ["True"],
        ),
    ],
)
def test_rows_become_inputs(
    style: Style, loader: Any, rows: list[dict[str, Any]], answers: list[str], tmp_path: Path
) -> None:
    source = TextSource("task", "data", style)  # type: ignore[arg-type]
    items = source.items(loader(folder(tmp_path, rows)), "train")
    assert [item.answers[0] for item in items] == answers
    assert all(item.prompt for item in items)


def test_repeated_inputs_are_kept_once(tmp_path: Path) -> None:
    data = datasets.load_translations(folder(tmp_path, [{"en": "cat", "fr": "chat"}] * 3))
    assert len(TextSource("t", "data", "to french").items(data, "train")) == 1  # type: ignore[arg-type]


def test_a_split_without_fitting_rows_is_refused(tmp_path: Path) -> None:
    data = datasets.load_inferences(folder(tmp_path, SICK[1:2]))
    with pytest.raises(ResourceError, match="entailment"):
        TextSource("t", "data", "entailment").items(data, "train")  # type: ignore[arg-type]
