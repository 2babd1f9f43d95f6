"""Distributions from scores and samples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.method import ProblemError
from methods.metric_aware import rules
from methods.metric_aware.distributions import (
    Predictive,
    Samples,
    from_distinct_samples,
    from_samples,
    from_scores,
    read_number,
    read_samples,
)

GRID = [1.0, 2.0, 3.0, 4.0, 5.0]
LAW = np.array([0.05, 0.10, 0.15, 0.30, 0.40])


@pytest.mark.parametrize(
    ("temperature", "mean", "squared"),
    [
        (0.25, 4.724954, 2.070550),
        (0.5, 4.385965, 1.626162),
        (1, 3.9, 1.39),
        (2, 3.497882, 1.551699),
        (4, 3.257616, 1.802657),
    ],
)
def test_golden_temperatures(temperature: float, mean: float, squared: float) -> None:
    predictive = from_scores(GRID, np.log(LAW)[None], temperature=temperature)
    (found,) = rules.mean(predictive.values, predictive.law)
    assert found == pytest.approx(mean, abs=1e-6)
    assert LAW @ (predictive.values - found) ** 2 == pytest.approx(squared, abs=1e-6)


def test_extreme_temperatures_give_the_mode_and_the_middle() -> None:
    cold = from_scores(GRID, np.log(LAW)[None], temperature=1e-3)
    hot = from_scores(GRID, np.log(LAW)[None], temperature=1e6)
    assert rules.mean(cold.values, cold.law)[0] == pytest.approx(5.0)
    assert rules.mean(hot.values, hot.law)[0] == pytest.approx(3.0, abs=1e-4)


def test_the_mass_of_the_grid_is_told() -> None:
    scores = np.log(0.8 * LAW)[None]
    renormalised, raw = from_scores(GRID, scores), from_scores(GRID, scores, normalise=False)
    assert renormalised.mass == raw.mass == pytest.approx(0.8)
    assert rules.mean(raw.values, raw.law)[0] == pytest.approx(3.12)
    assert raw.renormalised.law == pytest.approx(renormalised.law)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("4", 4.0),
        (" 4 stars", 4.0),
        ("4/5", 4.0),
        ("4 out of 5", 4.0),
        ("4.5", 4.5),
        (".5", None),
        ("-3", None),
        ("3-4", None),
        ("between 3 and 4", None),
        ("four", None),
        ("", None),
        ("5e0", 5.0),
        ("1e1", None),
        ("1e1.0", None),
        ("2e2.0 stars", None),
        ("0.4e1", 4.0),
        ("1,250", None),
        ("9", None),
        ("4, yes 4", 4.0),
    ],
)
def test_numbers_in_answers(text: str, number: float | None) -> None:
    assert read_number(text, 1.0, 5.0) == number


@given(st.floats(1, 5).map(lambda value: round(value, 3)))
def test_a_written_number_is_read_back(value: float) -> None:
    assert read_number(f" {value:.3f}\n", 1.0, 5.0) == pytest.approx(value)


def test_unparsable_answers_are_dropped_and_counted_or_zero() -> None:
    texts = [["4", "good"], ["no", "never"]]
    dropped, zeroed = (
        read_samples(texts, low=1, high=5),
        read_samples(texts, low=1, high=5, unparsable="zero"),
    )
    assert [numbers.tolist() for numbers in dropped.numbers] == [[4.0], []]
    assert [numbers.tolist() for numbers in zeroed.numbers] == [[4.0, 0.0], [0.0, 0.0]]
    assert dropped.parse_rate == 0.25


def test_frequencies_of_samples() -> None:
    samples = read_samples([["4", "4", "5", "x"], ["x"] * 4], low=1, high=5)
    predictive = from_samples(GRID, samples, fallback=3.0)
    assert predictive.law.tolist() == [[0, 0, 0, pytest.approx(2 / 3), pytest.approx(1 / 3)], [0, 0, 1, 0, 0]]
    assert predictive.mass.tolist() == [0.75, 0.0]


def test_samples_converge_to_enumeration() -> None:
    rng = np.random.default_rng(0)
    texts = [[f"{value:g}" for value in rng.choice(GRID, size=4000, p=LAW)]]
    predictive = from_samples(GRID, read_samples(texts, low=1, high=5), fallback=3.0)
    assert predictive.law[0] == pytest.approx(LAW, abs=0.03)


@pytest.mark.parametrize("count", [2, 4, 8, 16])
def test_golden_error_of_the_mean_of_samples(count: int) -> None:
    # The read-out from K samples costs Var · (1 + 1/K).
    rng = np.random.default_rng(count)
    drawn = rng.choice(GRID, size=(20000, count), p=LAW)
    predictive = from_samples(GRID, Samples(tuple(drawn), count), fallback=3.0)
    truth = rng.choice(GRID, size=len(drawn), p=LAW)
    errors = rules.mean(predictive.values, predictive.law) - truth
    assert np.mean(errors**2) == pytest.approx(1.39 * (1 + 1 / count), rel=0.03)


def test_distinct_samples_are_weighted_by_their_probability() -> None:
    drawn = np.array([[False, True, False, True, True]])
    predictive = from_distinct_samples(GRID, np.log(LAW)[None], drawn)
    assert predictive.law[0] == pytest.approx(np.array([0, 0.1, 0, 0.3, 0.4]) / 0.8)
    with pytest.raises(ProblemError, match="Nothing"):
        from_distinct_samples(GRID, np.log(LAW)[None], np.zeros((1, 5), dtype=bool))


def test_bad_distributions_are_refused() -> None:
    with pytest.raises(ProblemError, match="ascending"):
        Predictive(np.array([2.0, 1.0]), np.ones((1, 2)), np.ones(1))
    with pytest.raises(ProblemError, match="input 1"):
        Predictive(np.array([1.0, 2.0]), np.array([[0.5, 0.5], [np.nan, 1.0]]), np.ones(2))
    with pytest.raises(ProblemError, match="temperature"):
        from_scores(GRID, np.log(LAW)[None], temperature=0.0)
