"""Numbers are read and written exactly."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from methods.common.numbers import find_numbers, read_number, same_number, write_number

MILLION = Fraction(1_250_000)


@pytest.mark.parametrize(
    "text",
    [
        "1250000", "1,250,000", "1_250_000", "1\u202f250\u00a0000", "1.25e6", "1.25E+06", "125e4",
        "1250000.00",
        "1.25 × 10^6", "1.25x10**6", "1.25·10⁶", "1.25 * 10^{6}", "$1,250,000", "US$ 1250000", "€1250000.0",
        "1,250,000 €", " 1,250,000. ", "+1250000", "1250000%", "1,250,000 percent", "2500000/2",
    ],
)  # fmt: skip
def test_one_number_has_many_forms(text: str) -> None:
    assert read_number(text) == MILLION
    assert write_number(text) == "1250000"
    assert same_number(text, "1250000")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-3", -3), ("−3", -3), ("-$3.50", Fraction(-7, 2)), ("$-3.50", Fraction(-7, 2)),
        (".5", Fraction(1, 2)), ("5.", 5), ("007", 7), ("3/4", Fraction(3, 4)), ("-1 3/4", Fraction(-7, 4)),
        ("2.5e-3", Fraction(1, 400)), ("1e-300", Fraction(1, 10**300)), ("-0", 0),
    ],
)  # fmt: skip
def test_signs_and_parts(text: str, value: int | Fraction) -> None:
    assert read_number(text) == value


@pytest.mark.parametrize(
    "text",
    ["", "twelve", "12 apples", "1,25", "12,34,567", "1,2345", "1.2.3", "1 2", "3/0", "e5", "1e5.5", "--1",
     "nan", "inf", "1e9999", "$", "0x10", "1.250.000"],
)  # fmt: skip
def test_what_is_no_number(text: str) -> None:
    assert read_number(text) is None
    assert not same_number(text, "1")
    with pytest.raises(ValueError, match="no number"):
        write_number(text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1_250_000.0, "1250000"), (1e22, "1" + "0" * 22), (0.1 + 0.2, "0.3"), (8.399999999999999, "8.4"),
        (2.0**53, "9007199254740992"), (-0.0, "0"), (1e-7, "0.0000001"), (Fraction(1, 3), "1/3"),
        (Fraction(-5, 4), "-1.25"), (Decimal("10.50"), "10.5"), (Decimal("1E+3"), "1000"), (7, "7"),
        (1236666.67, "1236666.67"),
    ],
)  # fmt: skip
def test_numbers_in_digits(value: Fraction | Decimal | float, text: str) -> None:
    assert write_number(value) == text


def test_infinite_numbers_are_refused() -> None:
    for value in (float("nan"), float("inf"), Decimal("-inf"), Decimal("nan")):
        with pytest.raises(ValueError, match="no finite number"):
            write_number(value)


@given(st.fractions())
def test_every_ratio_returns(value: Fraction) -> None:
    assert read_number(write_number(value)) == value


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**40), max_value=10**40))
def test_every_decimal_returns_in_each_notation(value: Decimal) -> None:
    plain = write_number(value)
    assert "e" not in plain.lower()
    assert not (("." in plain) and plain.endswith("0"))
    if abs(value.adjusted()) < 999:
        assert read_number(f"{value:E}") == read_number(f"{value:f}") == read_number(plain) == Fraction(value)


@given(st.integers(-(10**30), 10**30))
def test_every_integer_returns_with_separators(value: int) -> None:
    for text in (f"{value:,}", f"{value:_}", f"{value}.00", f"{value}", f"${value:,}".replace("$-", "-$")):
        assert read_number(text) == value
    assert write_number(value) == str(value)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_keep_fifteen_digits(value: float) -> None:
    read = read_number(write_number(value))
    assert read is not None
    assert abs(read - Fraction(value)) <= abs(Fraction(value)) / 10**14
    assert write_number(read) == write_number(value)


@given(st.text(alphabet="0123456789.,eE+-−/%$ x×^*_", max_size=14))
def test_texts_that_are_read_are_found_too(text: str) -> None:
    value = read_number(text)
    found = [one.value for one in find_numbers(text)]
    if value is not None and "/" not in text:
        assert abs(value) in map(abs, found)


def test_numbers_in_a_sentence() -> None:
    text = "Of 1,250 people 3-4 paid $2.50e1, or 5/8."
    assert [one.value for one in find_numbers(text)] == [1250, 3, -4, 25, 5, 8]
    assert [one.value for one in find_numbers("It is 1e5.")] == [100_000]
    assert [one.value for one in find_numbers("1e1, 1e1.0, 12e1234, 3e0.5 or 7")] == [10, 7]
    assert [text[one.start : one.end] for one in find_numbers(text)][:2] == ["1,250", "3"]


def test_a_quotient_is_met_by_four_digits_and_nothing_else_is_rounded() -> None:
    gold = "0.8333333333333334"
    assert all(same_number(text, gold) for text in (gold, "0.8333", "5/6", "0.833333"))
    assert not any(same_number(text, gold) for text in ("0.83", "0.834", "0.8"))
    assert not same_number("1236667", "1236666.67")
    assert not same_number("0.6667", "2/3")


def test_endless_digits_are_no_number() -> None:
    endless = "7" * 5000
    assert read_number(endless) is None
    assert not same_number(endless, "7")
    assert [one.value for one in find_numbers(f"It is 3, or {endless}.")] == [3]
