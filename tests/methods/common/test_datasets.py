"""Public data sets: every source's spelling of the fields gives the same rows."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest

from harness.method import MirrorSource, Resource, ResourceError
from methods.common import datasets
from methods.common.datasets import Choice, Inference, Question, Sum, Summary, Translation, YesNo

RESOURCES = [value for value in vars(datasets).values() if isinstance(value, Resource)]
CHOICES = {"label": ["A", "B"], "text": ["x", "y"]}
SICK = {"id": "6", "sentence_A": "a", "sentence_B": "b", "relatedness_score": 3.3}


def stored(folder: Path, *rows: dict[str, Any]) -> Path:
    with gzip.open(folder / "test.jsonl.gz", "wt", encoding="utf-8") as out:
        out.writelines(json.dumps(row) + "\n" for row in rows)
    return folder


CASES: list[tuple[Any, dict[str, Any], Any]] = [
    (
        datasets.load_choices,
        {"id": "7", "question": "q", "choices": CHOICES, "answerKey": "B"},
        Choice("7", "q", ("A", "B"), ("x", "y"), 1),
    ),
    (
        datasets.load_choices,
        {"question_stem": "q", "choices": CHOICES, "answerKey": "A"},
        Choice("0", "q", ("A", "B"), ("x", "y"), 0),
    ),
    (
        datasets.load_endings,
        {"ind": 4, "ctx": "c", "endings": ["e", "f"], "label": "1"},
        Choice("4", "c", ("A", "B"), ("e", "f"), 1),
    ),
    (datasets.load_yes_no, {"question": "q", "passage": "p", "answer": True}, YesNo("0", "q", answer=True)),
    (datasets.load_sums, {"question": "q", "answer": "so 3 * 4\n#### 1,200"}, Sum("0", "q", "1200")),
    (datasets.load_sums, {"question": "q", "answer": -1.5}, Sum("0", "q", "-1.5")),
    (datasets.load_sums, {"question": "q", "answer": "#### 1,250,000"}, Sum("0", "q", "1250000")),
    (datasets.load_sums, {"question": "q", "answer": 1450000.0}, Sum("0", "q", "1450000")),
    (datasets.load_sums, {"question": "q", "answer": "1_450_000"}, Sum("0", "q", "1450000")),
    (datasets.load_sums, {"question": "q", "answer": "#### 12,50"}, Sum("0", "q", "1250")),
    (datasets.load_translations, {"en": "hat", "fr": "chapeau"}, Translation("0", "hat", "chapeau")),
    (datasets.load_translations, {"translation": {"fr": "or", "en": "gold"}}, Translation("0", "gold", "or")),
    (
        datasets.load_inferences,
        SICK | {"entailment_judgment": "NEUTRAL"},
        Inference("6", "a", "b", "neutral", 3.3),
    ),
    (datasets.load_inferences, SICK | {"label": 2}, Inference("6", "a", "b", "contradiction", 3.3)),
    (datasets.load_questions, {"question": "q", "answer": ["a", "b"]}, Question("0", "q", ("a", "b"))),
    (datasets.load_questions, {"question": "q", "answers": ["a"]}, Question("0", "q", ("a",))),
    (
        datasets.load_questions,
        {"question_id": "t1", "question": "q", "answer": {"value": "A", "aliases": ["a", "A"]}},
        Question("t1", "q", ("A", "a")),
    ),
    (datasets.load_summaries, {"id": "1", "document": "d", "summary": "s"}, Summary("1", "d", "s")),
]


@pytest.mark.parametrize(("load", "raw", "row"), CASES)
def test_rows_are_plain_whatever_the_source_calls_its_fields(
    load: Any, raw: dict[str, Any], row: Any, tmp_path: Path
) -> None:
    data = load(stored(tmp_path, raw))
    assert data.splits == ["test"]
    assert data["test"] == [row]
    assert data["test"] is data["test"]


def test_rows_without_an_answer_are_left_out(tmp_path: Path) -> None:
    blank = {"ctx": "c", "endings": ["e"], "label": ""}
    assert datasets.load_endings(stored(tmp_path, blank))["test"] == []


def test_what_cannot_be_read_says_where(tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match="no split 'train'") as missing:
        datasets.load_sums(stored(tmp_path, {}))["train"]
    assert missing.value.fix == "It has: test."
    with pytest.raises(ResourceError, match=r"Row 0 of split 'test'.*'question'"):
        datasets.load_sums(tmp_path)["test"]
    odd = SICK | {"entailment_judgment": "MAYBE"}
    with pytest.raises(ResourceError, match="unknown judgment 'MAYBE'"):
        datasets.load_inferences(stored(tmp_path, odd))["test"]
    (tmp_path / "test.jsonl.gz").write_bytes(b"not gzip")
    with pytest.raises(ResourceError, match="cannot be read"):
        datasets.load_sums(tmp_path)["test"]


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.name)
def test_each_set_can_come_from_a_mirror_by_a_loader_that_exists(resource: Resource, tmp_path: Path) -> None:
    assert isinstance(resource.sources[0], MirrorSource)
    assert isinstance(resource.load(tmp_path), datasets.DataSet)


@pytest.mark.slow
@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.name)
def test_the_sets_of_a_mirror_can_be_read(resource: Resource) -> None:
    source = resource.sources[0]
    assert isinstance(source, MirrorSource)
    folder = Path(os.environ.get("CORROBORATE_MIRROR", "")) / source.folder
    if "CORROBORATE_MIRROR" not in os.environ or not folder.is_dir():
        pytest.skip(f"CORROBORATE_MIRROR has no folder '{source.folder}'")
    data = resource.load(folder)
    for split in data.splits:
        assert len({row.id for row in data[split]}) == len(data[split]) > 0
