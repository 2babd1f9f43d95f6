from __future__ import annotations

import csv
import io
import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.store.records import VerdictsRecord
from reports import csvs, html, junit, markdown
from reports.document import Document
from tests.reports import demo


def test_markdown_tables_have_as_many_entries_as_columns(document: Document) -> None:
    for table in document.tables():
        lines = [line for line in markdown.table(table).splitlines() if line.startswith("|")]
        widths = {len(line.replace("\\|", "").split("|")) - 2 for line in lines}
        assert widths == {len(table.columns)}


def test_markdown_leaves_no_markup_in_labels(document: Document) -> None:
    # Between back quotes everything is literal.
    text = re.sub(r"`[^`\n]*`", "", markdown.render(document))
    assert "<script" not in text
    assert "[x](javascript" not in text


@given(st.text())
def test_markdown_escapes_whatever_a_label_contains(text: str) -> None:
    done = markdown.escape(text)
    assert "\n" not in done
    assert "<" not in done
    for at, char in enumerate(done):
        if char in "|*_`[]":
            assert done[at - 1] == "\\"


@given(st.text())
def test_markdown_code_cannot_be_left(text: str) -> None:
    done = markdown.code(text)
    fence = done[: len(done) - len(done.lstrip("`"))]
    assert done.endswith(fence)
    assert fence not in done[len(fence) : -len(fence)].strip("`") or not text


def test_the_summary_is_the_headline_only(document: Document) -> None:
    summary = markdown.summary(document)
    assert "Verdict on each claim" in summary
    assert len(summary) < len(markdown.render(document)) / 3


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_all_numbers_are_listed_at_full_precision(document: Document) -> None:
    rows = read(csvs.numbers(document))
    assert len(rows) == len(document.numbers())
    by_name = {row["name"]: row for row in rows}
    effect = by_name["C1a/test 1/effect"]
    assert float(effect["value"]) == 0.115
    assert (float(effect["low"]), float(effect["high"])) == (0.062, 0.168)
    assert len(effect["trials"].split()) == 10
    assert by_name["paper/gain"]["standing"] == "unverified"


def test_verdicts_are_listed_with_their_reasons(document: Document) -> None:
    rows = {row["claim"]: row for row in read(csvs.verdicts(document))}
    assert list(rows) == ["C1", "C1a", "C1b", "C2", "C3", "C4"]
    assert rows["C1"]["parts"] == "1 of 2"
    assert rows["C2"]["reason"] == f"A counterexample: {demo.WRITE18}."
    assert rows["C4"]["exploratory"] == "true"
    assert [row["primary"] for row in rows.values()] == ["false"] * 5 + ["true"]


def test_primary_claims_are_marked_and_explained(document: Document) -> None:
    for text in (html.render(document), markdown.render(document)):
        assert "Half of the error rate is theirs" in text
        assert "of the abstract or a headline table" in text


def test_a_table_splits_measured_numbers_into_value_and_ends(document: Document) -> None:
    files = csvs.render(document)
    rows = read(files["main-1.csv"])
    assert [row["row"] for row in rows] == [demo.SCRIPT, demo.WRITE18, demo.EMOJI, demo.ARABIC]
    assert rows[0]["group"] == demo.HEBREW
    assert float(rows[0]["ours_low"]) < float(rows[0]["ours"]) < float(rows[0]["ours_high"])
    assert rows[2]["ours"].startswith("not measured")


def test_junit_counts_failures_and_skips(verdicts: VerdictsRecord) -> None:
    root = ET.fromstring(junit.render(verdicts))  # noqa: S314 - our own file
    assert (root.get("tests"), root.get("failures"), root.get("skipped")) == ("5", "1", "3")
    failed = [case.get("name") for case in root if case.find("failure") is not None]
    assert failed == ["C2"]


@pytest.mark.parametrize("label", demo.NASTY)
def test_junit_carries_any_reason(verdicts: VerdictsRecord, label: str) -> None:
    nasty = [verdict.model_copy(update={"reason": label}) for verdict in verdicts.verdicts]
    text = junit.render(verdicts.model_copy(update={"verdicts": nasty}))
    root = ET.fromstring(text)  # noqa: S314 - our own file
    assert root.get("tests") == str(len(nasty))
