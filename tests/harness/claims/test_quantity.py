"""Formulas of cells: the contrast that is meant, term by term."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.claims import Cell, Contrast, Formula, alone, combine, difference, log, mean, slope, total
from harness.errors import SuiteError
from harness.method import mean_of

SCORE = mean_of("score", better="higher")
A, B, C = (Cell("main", name, SCORE) for name in "abc")
VALUES = {A: 0.7, B: 0.2, C: 3.0}


def value(quantity: Formula) -> float:
    """θ as the definition says, by hand."""
    theta = quantity.as_contrast()
    cells = ((weight, math.log(VALUES[c]) if theta.log else VALUES[c]) for weight, c in theta.terms)
    return sum(weight * cell for weight, cell in cells) - theta.constant


def test_a_formula_is_the_contrast_that_one_would_declare() -> None:
    assert A - B == Contrast(((1.0, A), (-1.0, B))) == difference(A, B)
    assert Contrast(((1.0, A), (-1.15, B))) == A - 1.15 * B
    assert log(A) - log(B) == Contrast(((1.0, A), (-1.0, B)), log=True)
    assert Contrast(((2.0, A), (-1.0, B), (-1.0, C))) == 2 * A - B - C
    assert mean([A, B, C]) == Contrast(tuple((1 / 3, cell) for cell in (A, B, C)))
    assert total([A, B]) == A + B == Contrast(((1.0, A), (1.0, B)))
    assert alone(A) == Contrast(((1.0, A),))


def test_numbers_become_the_constant_that_theta_subtracts() -> None:
    assert Contrast(((1.0, A),), constant=0.5) == A - 0.5
    assert Contrast(((-1.0, A),), constant=-1.0) == 1 - A
    assert 1 + A == A + 1 == Contrast(((1.0, A),), constant=-1.0)
    assert Contrast(((-1.0, A),), constant=-0.5) == -(A - 0.5)
    assert Contrast(((0.5, A),), constant=0.25) == (A - 0.5) / 2


def test_cells_that_occur_twice_are_added_and_one_that_cancels_is_left_out() -> None:
    assert Contrast(((2.0, A), (-1.0, B), (-1.0, C))) == (A - B) + (A - C)
    assert (A - C) - (B - C) == A - B
    assert (A - A).terms == ()


def test_no_constant_is_a_negative_zero() -> None:
    """A record would tell it from zero, and the hash of the claims with it."""
    for theta in (A - B, -A.as_contrast(), A * -1, 0 - A, A - 0.0, mean([A, B]) * -2):
        assert math.copysign(1.0, theta.constant) == 1.0


@given(st.lists(st.tuples(st.sampled_from([A, B, C]), st.floats(-4, 4)), min_size=1, max_size=6))
def test_arithmetic_gives_the_value_of_the_formula(terms: list[tuple[Cell, float]]) -> None:
    theta = total([weight * cell for cell, weight in terms])
    assert value(theta) == pytest.approx(sum(weight * VALUES[cell] for cell, weight in terms), abs=1e-9)


def test_a_slope_is_that_of_least_squares() -> None:
    xs = (1.0, 2.0, 4.0)
    points = list(zip(xs, (A, B, C), strict=True))
    center = sum(xs) / 3
    by_hand = sum((x - center) * VALUES[cell] for x, cell in points) / sum((x - center) ** 2 for x in xs)
    assert value(slope(points)) == pytest.approx(by_hand)
    assert value(slope([(x, 1 - cell) for x, cell in points])) == pytest.approx(-by_hand)


def test_logarithms_and_plain_numbers_are_not_added() -> None:
    with pytest.raises(SuiteError, match="Logarithmic and plain"):
        _ = log(A) - B
    assert value(log(A) - log(B) - math.log(1.15)) == pytest.approx(math.log(0.7 / (1.15 * 0.2)))


@pytest.mark.parametrize("quantity", [A - B, 2 * A, A + 1, log(A)])
def test_only_a_single_cell_has_a_logarithm(quantity: Formula) -> None:
    with pytest.raises(SuiteError, match="Only a single cell has a logarithm"):
        log(quantity)


def test_a_quantity_of_nothing_is_refused() -> None:
    for make in (mean, total, combine):
        with pytest.raises(SuiteError, match="no cells"):
            make([])
