"""Accuracy and its two spreads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import pearsonr

from methods.rest_react import measures


def rows(right: np.ndarray) -> dict[str, Any]:
    """Rows of a table of questions × runs."""
    questions, runs = right.shape
    return {
        "unit_id": np.repeat([f"q{number}" for number in range(questions)], runs),
        "run": np.tile(np.arange(runs), questions),
        "final_right": right.ravel(),
    }


def test_the_expected_spread_is_that_of_many_runs() -> None:
    rng = np.random.default_rng(0)
    p = rng.beta(0.5, 0.5, size=100)
    draws = rng.random((100, 4000)) < p[:, None]
    many = measures.RUN_SD(rows(draws))
    few = [measures.SPREAD(rows(draws[:, start : start + 5])) for start in range(0, 4000, 5)]
    assert np.sqrt(np.mean(np.square(few))) == pytest.approx(many, rel=0.03)
    assert many == pytest.approx(100 * np.sqrt(np.sum(p * (1 - p))) / 100, rel=0.03)


def test_the_expected_spread_is_steadier_than_the_sample_sd() -> None:
    rng = np.random.default_rng(1)
    p = rng.beta(0.5, 0.5, size=100)
    tables = [rows(rng.random((100, 5)) < p[:, None]) for _ in range(300)]
    spread, sd = ([metric(table) for table in tables] for metric in (measures.SPREAD, measures.RUN_SD))
    assert np.std(spread) < 0.3 * np.std(sd)


def test_a_question_that_is_drawn_twice_counts_twice() -> None:
    right = np.array([[1, 1, 0], [0, 0, 1]])
    twice = {name: np.concatenate([column, column[:3]]) for name, column in rows(right).items()}
    other = rows(np.array([[1, 1, 0], [0, 0, 1], [1, 0, 1]]))
    assert measures.SPREAD(twice) == pytest.approx(measures.SPREAD(other))


def test_coins_spread_as_coins() -> None:
    rng = np.random.default_rng(2)
    coins = rows(rng.random((400, 10)) < 0.3)
    assert measures.RELATIVE_SPREAD(coins) == pytest.approx(1.0, abs=0.05)
    settled = rows(np.repeat(rng.random((400, 1)) < 0.3, 10, axis=1))
    assert measures.RELATIVE_SPREAD(settled) == 0.0
    assert measures.SPREAD(settled) == 0.0


def test_the_interval_over_questions_is_binomial_for_single_runs() -> None:
    rng = np.random.default_rng(3)
    right = rng.random((125, 1)) < 0.7
    p = right.mean()
    assert measures.HALF_WIDTH(rows(right)) == pytest.approx(196 * np.sqrt(p * (1 - p) / 125), rel=0.1)


@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 1000))
def test_all_spreads_are_finite(questions: int, runs: int, seed: int) -> None:
    table = rows(np.random.default_rng(seed).random((questions, runs)) < 0.5)
    for metric in (measures.RUN_SD, measures.SPREAD, measures.RELATIVE_SPREAD, measures.HALF_WIDTH):
        assert np.isfinite(metric(table))
        assert metric(table) >= 0
    order = np.random.default_rng(0).permutation(questions * runs)
    shuffled = {name: column[order] for name, column in table.items()}
    assert measures.SPREAD(shuffled) == pytest.approx(measures.SPREAD(table))
    assert measures.RUN_SD(shuffled) == pytest.approx(measures.RUN_SD(table))


def test_the_gain_is_paired() -> None:
    table = {
        "final_right": np.array([1, 1, 0, 0, 0, 1]),
        "draft_right": np.array([1, 0, 0, 0, 0, 1]),
    }
    assert measures.GAIN(table) == pytest.approx(100 / 6)


def test_correlations_are_over_agents() -> None:
    rng = np.random.default_rng(4)
    known = rng.random(2000) < np.repeat(np.linspace(0.2, 0.9, 10), 200)
    judged = known ^ (rng.random(2000) < 0.1)
    agents = np.repeat([f"agent {number}" for number in range(10)], 200)
    table = {"agent": agents, "judge_right": judged, "final_right": known}
    by_agent = [x.reshape(10, 200).mean(axis=1) for x in (judged, known)]
    assert measures.PEARSON(table) == pytest.approx(pearsonr(*by_agent).statistic)
    assert measures.PEARSON({**table, "judge_right": np.ones(2000)}) == 0.0
    assert measures.SPEARMAN({**table, "judge_right": known}) == pytest.approx(1.0)


def test_a_table_of_agents_correlates_row_by_row() -> None:
    judged, known = np.array([0.2, 0.5, 0.9]), np.array([0.1, 0.6, 0.8])
    table = {"judge_accuracy": judged, "accuracy": known}
    assert measures.AGENT_PEARSON(table) == pytest.approx(pearsonr(judged, known).statistic)
    assert measures.AGENT_PEARSON({**table, "accuracy": np.ones(3)}) == 0.0
