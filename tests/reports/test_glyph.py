from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reports.document import Glyph, Handle, Number
from reports.glyph import places

finite = st.floats(-1e6, 1e6)


def glyph(low: float, value: float, high: float, *marks: float) -> Glyph:
    return Glyph(Number(value, Handle("claim", "x"), low=low, high=high), marks)


@example([0.0, 0.0, 2.2250738585072014e-308], [])
@given(st.lists(finite, min_size=3, max_size=3), st.lists(finite, max_size=2))
def test_everything_lies_inside_and_in_order(values: list[float], marks: list[float]) -> None:
    low, value, high = sorted(values)
    found = places(glyph(low, value, high, *marks), 112, 6)
    assert 0 <= found.low <= found.at <= found.high <= 112
    assert all(0 <= mark <= 112 for mark in found.marks)
    if found.zero is not None and low > 0:
        assert found.zero <= found.low


def test_zero_is_left_out_only_where_it_is_far_off() -> None:
    assert places(glyph(0.87, 0.88, 0.89, 0.9), 112, 6).zero is None
    assert places(glyph(0.02, 0.03, 0.04, 0.05), 112, 6).zero is not None
    assert places(glyph(-0.01, 0.0, 0.01, 0.9), 112, 6).zero is not None


def test_the_scale_is_linear() -> None:
    found = places(glyph(0.0, 1.0, 4.0), 112, 6)
    assert found.at - found.low == pytest.approx((found.high - found.low) / 4)


def test_without_an_interval_there_is_a_point() -> None:
    found = places(Glyph(Number(2.0, Handle("claim", "x")), (1.0,)), 112, 6)
    assert found.low == found.at == found.high
