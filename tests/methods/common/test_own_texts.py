"""Texts of one's own: lines, fields of JSON lines, and what is told of others."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.method import ProblemError
from methods.common.own_texts import read_texts


def test_lines_and_fields(tmp_path: Path) -> None:
    lines, rows = tmp_path / "texts.txt", tmp_path / "texts.jsonl"
    lines.write_text("\ufeffa day\n\n  \u00fcber \n", encoding="utf-8")
    rows.write_text('{"body": "a day"}\n{"body": "\u00fcber", "n": 1}\n', encoding="utf-8")
    assert read_texts(lines) == read_texts(rows, "body") == ["a day", "\u00fcber"]


@pytest.mark.parametrize(
    ("row", "fix"),
    [('{"body": "a", "n": 1}', "--field): body."), ("[1]", "one object a line"), ("{}", "one object a line")],
)
def test_a_row_without_the_field_names_those_that_it_has(tmp_path: Path, row: str, fix: str) -> None:
    path = tmp_path / "texts.jsonl"
    path.write_text(row + "\n", encoding="utf-8")
    with pytest.raises(ProblemError, match=r"no text under 'text' .*line 1") as error:
        read_texts(path)
    assert fix in str(error.value.fix)
