"""Errors that stand for themselves."""

from __future__ import annotations

import pytest

from harness.errors import unknown_name


@pytest.mark.parametrize(("count", "end"), [(20, "n18, n19."), (23, "n18, n19 and 3 more.")])
def test_a_list_of_names_that_goes_on_says_so(count: int, end: str) -> None:
    known = [f"n{index:02d}" for index in range(count)]
    assert unknown_name("claim", "other", known).fix.endswith(end)
