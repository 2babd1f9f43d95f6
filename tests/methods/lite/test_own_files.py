"""Files of documents, queries, runs and training rows: what is read, and what is told by line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.method import ProblemError
from methods.lite.own_files import Example, read_candidates, read_examples, read_named
from methods.lite.own_training import collect


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_documents_come_from_tables_and_json_lines(tmp_path: Path) -> None:
    table = read_named(written(tmp_path, "a.csv", "id,text\n1,red hat\n2,\n"))
    assert (table.ids, table.texts, table.lines, table.empty) == (("1", "2"), ("red hat", ""), (2, 3), [1])
    beir = '{"_id": "x", "title": "A", "text": "b"}\n\n{"_id": 7, "title": "", "text": "c"}\n'
    lines = read_named(written(tmp_path, "a.jsonl", beir))
    assert (lines.ids, lines.texts, lines.lines) == (("x", "7"), ("A b", "c"), (1, 3))
    assert lines.told([0, 1]) == "2 of 2 (a.jsonl, line 1, 3)"


@pytest.mark.parametrize(
    ("reader", "name", "text", "told", "where"),
    [
        (read_named, "a.csv", "text\nred\n", "no id; it has 'text'", "line 2"),
        (read_named, "a.tsv", "0\tThe first\n1\tThe next\n", "no id; it has '0', 'The first'", "line 2"),
        (read_named, "a.json", '[{"id": 1, "text": "x"}]', "an object a line", "a.json"),
        (read_named, "a.txt", "red hat\nblue hat\n", "no id", "line 2"),
        (read_named, "a.csv", "id,text\n,red\n", "no id", "line 2"),
        (read_named, "a.csv", "id,text\n1 2,red\n", "white space", "line 2"),
        (read_named, "a.csv", "id,text\n1,red\n1,blue\n", "that of line 2", "line 3"),
        (read_named, "a.csv", "id,body\n1,red\n", "under 'text'; it has 'id', 'body'", "line 2"),
        (read_named, "a.jsonl", '{"id": 1, "text": 3}', "no text under 'text', but 3", "line 1"),
        (read_named, "a.jsonl", '{"id": 1, "text": "x"}\n{', "no JSON", "line 2"),
        (read_named, "a.jsonl", "[1]", "no JSON object", "line 1"),
        (read_named, "a.jsonl", "\n", "no row", "a.jsonl"),
        (read_named, "a.csv", "id,text\n", "no rows", "a.csv"),
        (read_named, "a.csv", "id,text\n1,a,b\n", "3 cells", "line 2"),
        (read_candidates, "r.txt", "q Q0 d 1 2.0 x\nq Q0 d", "3 columns", "line 2"),
        (read_candidates, "r.txt", "q Q0 d 1 2.0 x\nq Q0 d 2 1.0 x", "twice", "line 2"),
        (read_examples, "t.csv", "query,positive\na,b\n", "no negative", "line 2"),
        (read_examples, "t.csv", "query,positive,negative\na,,c\n", "'positive' is empty", "line 2"),
        (read_examples, "t.csv", "query,positive,negative\na,b,b\n", "among the negatives", "line 2"),
        (read_examples, "t.csv", "positive,negative\na,b\n", "no text under 'query'", "line 2"),
        (
            read_examples,
            "t.csv",
            "query,positive,negative,positive_score,negative_score\na,b,c,1,x\n",
            "'x' is no teacher score",
            "line 2",
        ),
        (
            read_examples,
            "t.csv",
            "query,positive,negative,positive_score,negative_score\na,b,c,1,\n",
            "1 teacher scores for 2 documents",
            "line 2",
        ),
        (
            read_examples,
            "t.csv",
            "query,positive,negative,label\na,b,c,1\nd,e,f,\n",
            "others have",
            "line 3",
        ),
        (
            read_examples,
            "t.jsonl",
            '{"query": "a", "positive": "b", "negative": "c", "label": [1, 2, 3]}',
            "3 teacher scores for 2",
            "line 1",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_line(  # noqa: PLR0917
    tmp_path: Path, reader: Callable[[Path], Any], name: str, text: str, told: str, where: str
) -> None:
    with pytest.raises(ProblemError, match=told) as caught:
        reader(written(tmp_path, name, text))
    assert where in caught.value.where


def test_training_rows_in_the_forms_that_libraries_have(tmp_path: Path) -> None:
    text = "anchor,positive,negative_1,negative_2,label\na,b,c,,4\n"
    assert read_examples(written(tmp_path, "a.csv", text)) == [Example("a", ("b", "c"), (4.0, 0.0), 2)]
    text = '{"query": "a", "positive": "b", "negative_10": "d", "negative_2": "c", "label": [3, 2, 1]}'
    assert read_examples(written(tmp_path, "b.jsonl", text)) == [Example("a", ("b", "c", "d"), (3, 2, 1), 1)]
    text = "query,positive,negative,negative_score,positive_score\na,b,c,1,2\n"
    assert read_examples(written(tmp_path, "c.csv", text)) == [Example("a", ("b", "c"), (2.0, 1.0), 2)]


def test_rows_of_one_query_become_one_list(tmp_path: Path) -> None:
    rows = [
        Example("a", ("b", "c"), (2, 1), 1),
        Example("a", ("b", "d"), (2, 0), 2),
        Example("e", ("c", "b"), (5, 4), 3),
    ]
    data = collect(rows, tmp_path)
    assert (data.queries, data.documents) == (("a", "e"), ("b", "c", "d"))
    assert data.lists.lists.candidates.tolist() == [[0, 1, 2], [1, 0, 0]]
    assert data.lists.lists.real.tolist() == [[True, True, True], [True, True, False]]
    assert data.lists.relevant.tolist() == [[True, False, False], [True, False, False]]
    assert data.lists.teacher[:, :2].tolist() == [[2, 1], [5, 4]]
    part = data.part([1])
    assert part.lists.queries.tolist() == [1]
    assert part.teacher[0, :2].tolist() == [5, 4]


@pytest.mark.parametrize(
    ("second", "told"),
    [
        (Example("a", ("c", "b"), (), 2), "positive and negative"),
        (Example("a", ("b", "d"), (1, 0), 2), "two teacher"),
    ],
)
def test_rows_that_contradict_each_other_are_told_with_both_lines(second: Example, told: str) -> None:
    scores = (2.0, 1.0) if second.scores else ()
    with pytest.raises(ProblemError, match=told) as caught:
        collect([Example("a", ("b", "c"), scores, 1), second], Path("rows.csv"))
    assert "lines 1 and 2" in caught.value.where
