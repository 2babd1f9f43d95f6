from __future__ import annotations

import math
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.text import plural
from reports.document import Code, Handle, Number, Text
from reports.text import anchor, clean, decimals, docstring_paragraphs, prose, sentence, show
from tests.reports import demo

HANDLE = Handle("declared", "x")


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (Number(0.8123, HANDLE), "0.812"),
        (Number(-0.0004, HANDLE), "-0.00040"),
        (Number(0.0, HANDLE), "0.000"),
        (Number(1.5, HANDLE, low=1.0, high=2.0, digits=1, unit="s"), "1.5 s [1.0, 2.0]"),
        (Number(0.0002, HANDLE, form="p"), "< 0.001"),
        (Number(0.04, HANDLE, form="p"), "0.040"),
        (Number(12345, HANDLE, form="count"), "12,345"),
        (Number(3.2e-9, HANDLE, digits=2, form="significant"), "3.2e-09"),
        (Number(1234.5, HANDLE, digits=3, form="significant"), "1,234"),
        (Number(math.nan, HANDLE), "nan"),
        (Number(-math.inf, HANDLE), "-inf"),
    ],
)
def test_a_number_is_printed_in_its_format(number: Number, text: str) -> None:
    assert show(number).plain == text


def test_a_value_that_would_round_to_zero_keeps_two_digits() -> None:
    assert float(show(Number(3e-7, HANDLE, digits=3)).value) == pytest.approx(3e-7)


@given(st.text())
def test_cleaned_text_can_be_encoded_and_has_no_control_characters(text: str) -> None:
    done = clean(text)
    done.encode("utf-8")
    assert not any(unicodedata.category(char) in ("Cc", "Cs") for char in done)
    assert not set(done) & set("\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u2069\n\t\x00")


@given(st.text())
def test_prose_loses_nothing_but_its_back_quotes(text: str) -> None:
    spans = prose(text.replace(":", ""))
    joined = "".join(span.text for span in spans if isinstance(span, Text | Code))
    assert joined.replace("`", "") == text.replace(":", "").replace("`", "")


def test_a_docstring_gives_its_prose_without_the_attributes() -> None:
    paragraphs = docstring_paragraphs(demo.Proposed)
    assert len(paragraphs) == 2
    assert Code("rate") in paragraphs[0]
    assert "Not part" not in "".join(getattr(span, "text", "") for part in paragraphs for span in part)


def test_a_generated_docstring_describes_nothing() -> None:
    assert docstring_paragraphs(demo.Problem) == ()


@given(st.text(min_size=1), st.text(min_size=1))
def test_anchors_are_plain_and_tell_names_apart(first: str, second: str) -> None:
    assert anchor(first).replace("-", "").isalnum()
    assert anchor(first).isascii()
    if anchor(first) == anchor(second):
        # Only separators may be told apart by nothing.
        assert sorted(c for c in first if c.isalnum()) == sorted(c for c in second if c.isalnum())


def test_small_words() -> None:
    assert plural(1, "seed") == "1 seed"
    assert plural(2, "seed") == "2 seeds"
    assert plural(2, "query") == "2 queries"
    assert plural(2, "day") == "2 days"
    assert plural(2, "quantity", "quantities") == "2 quantities"
    assert [decimals(value) for value in (2.0, 0.5, 0.02, 1 / 3)] == [0, 1, 2, 6]
    assert [sentence(text) for text in ("a", "a.", "", "a?")] == ["a.", "a.", "", "a?"]
