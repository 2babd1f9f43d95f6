from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.evidence.compare import Comparison, FieldDifference, PairedEffect, Skipped, compare_runs
from harness.store.memory import MemoryRun
from harness.store.records import Interval, RatioRecord, VerdictsRecord
from reports import write_comparison
from reports.comparison import Side
from tests.reports import demo

SCRIPT = demo.SCRIPT


def side(view: MemoryRun, verdicts: VerdictsRecord) -> Side:
    return Side(demo.SUITE, demo.SCALE, view, verdicts)


def changed(verdicts: VerdictsRecord) -> VerdictsRecord:
    """The same, but that C1a was not reproduced."""
    made = [
        one.model_copy(update={"verdict": "not reproduced", "cause": "reversed"})
        if one.claim == "C1a"
        else one
        for one in verdicts.verdicts
    ]
    return verdicts.model_copy(update={"verdicts": made})


def effect(
    label: str, low: float, high: float, *, identical: bool = False, log: bool = False
) -> PairedEffect:
    return PairedEffect(
        label=label,
        claim="C1a",
        left=Interval(value=0.5, low=0.4, high=0.6),
        right=Interval(value=0.7, low=0.6, high=0.8),
        difference=Interval(value=(low + high) / 2, low=low, high=high),
        seeds=5,
        identical=identical,
        test="paired t (4 df)",
        log=log,
        ratio=RatioRecord(label=f"ratio of {label}") if log else None,
    )


def comparison(*effects: PairedEffect) -> Comparison:
    fields = (
        FieldDifference("parameter new.label", SCRIPT, "plain", "warning"),
        FieldDifference("package numpy", "2.0", "", "note"),
    )
    skipped = (Skipped(f"seconds {SCRIPT}", "C4", "nothing shared"),)
    return Comparison("comparable with warnings", f"differing in {SCRIPT}", fields, effects, skipped)


@pytest.fixture
def page(tmp_path: Path, view: MemoryRun, verdicts: VerdictsRecord) -> str:
    effects = (
        effect(f"same {SCRIPT}", 0.0, 0.0, identical=True),
        effect("unclear", -0.1, 0.2),
        effect("clear", 0.1, 0.3),
        effect("speed", 0.6, 0.8, log=True),
    )
    one, other = side(view, verdicts), side(view, changed(verdicts))
    path = write_comparison(one, other, comparison(*effects), tmp_path / "page.html")
    return path.read_text(encoding="utf-8")


def test_verdicts_that_changed_stand_first_and_the_others_after_them(page: str) -> None:
    assert "Verdicts that changed: 1 of 6." in page
    assert "Verdicts that are the same: 5." in page
    assert page.index('id="table-changed"') < page.index('id="table-unchanged"')
    first = page[page.index('id="table-changed"') : page.index('id="table-unchanged"')]
    assert "reproduced" in first
    assert "not reproduced" in first
    assert "reversed" in first
    assert first.count("0.115") == 4  # In both columns, once printed and once as the value of its element.


def test_what_differs_clearly_stands_before_what_does_not(page: str) -> None:
    body = page[page.index('id="table-differences"') :]
    places = [body.index(f">{label}<") for label in ("clear", "ratio of speed", "unclear")]
    assert places == sorted(places)
    assert "2 with a 95 % interval of the difference that leaves out 0, 1 with equal rows" in page
    assert f"value='{math.exp(0.7)!r}'>2.01" in body
    assert "the unit rows are equal" in body


def test_what_was_not_compared_and_what_may_explain_differences_is_there(page: str) -> None:
    assert "nothing shared" in page
    assert "may change numbers" in page
    assert "changes no number" in page
    assert "wall time spent in this run" in page


def test_everything_is_escaped_and_nothing_is_loaded(page: str) -> None:
    assert SCRIPT not in page
    assert "<script" not in page
    assert "default-src 'none'" in page
    assert "http://" not in page.replace("http://www.w3.org", "")


def test_runs_that_are_not_comparable_say_so_and_compare_nothing(
    tmp_path: Path, view: MemoryRun, verdicts: VerdictsRecord
) -> None:
    found = replace(comparison(), answer="not comparable", because="profile: small against gpu")
    one = side(view, verdicts)
    page = write_comparison(one, one, found, tmp_path / "page.html").read_text(encoding="utf-8")
    assert "profile: small against gpu" in page
    assert "Nothing is compared" in page
    assert "None of the 6 verdicts changed." in page


def test_two_equal_runs_are_compared_from_their_records(
    tmp_path: Path, view: MemoryRun, verdicts: VerdictsRecord
) -> None:
    found = compare_runs(demo.SUITE, demo.SCALE, view, view)
    one = side(view, verdicts)
    page = write_comparison(one, one, found, tmp_path / "page.html").read_text(encoding="utf-8")
    assert "Code, packages, machine and parameters are recorded as the same." in page
    assert page.count("the unit rows are equal") == len(found.effects) > 0


def test_a_file_that_no_report_has_written_is_left_alone(
    tmp_path: Path, view: MemoryRun, verdicts: VerdictsRecord
) -> None:
    path = tmp_path / "thesis.html"
    path.write_text("mine", encoding="utf-8")
    one = side(view, verdicts)
    with pytest.raises(UsageError, match="left as it is"):
        write_comparison(one, one, comparison(), path)
    assert path.read_text(encoding="utf-8") == "mine"
