"""Temperatures and maps from held-out data."""

from __future__ import annotations

import numpy as np
import pytest

from methods.metric_aware import calibration, losses, rules

GRID = [1.0, 2.0, 3.0, 4.0, 5.0]


def world(temperature: float, count: int = 3000) -> tuple[np.ndarray, np.ndarray]:
    """Labels from known laws, and scores of a model that is over-confident by ``temperature``."""
    rng = np.random.default_rng(0)
    law = rng.dirichlet(np.full(5, 0.7), size=count)
    truth = np.array([rng.choice(GRID, p=row) for row in law])
    return np.log(law) * temperature, truth


def test_the_likeliest_temperature_undoes_overconfidence() -> None:
    scores, truth = world(2.0)
    assert calibration.likeliest_temperature(GRID, scores, truth) == pytest.approx(2.0, rel=0.25)


def test_squared_error_over_temperatures_is_a_valley() -> None:
    scores, truth = world(2.0)
    found = calibration.scan_temperatures(GRID, scores, truth, rules.mean, losses.squared)
    best = int(found.argmin())
    assert found[0] > found[best] < found[-1]
    assert calibration.best_temperature(GRID, scores, truth, rules.mean, losses.squared) == pytest.approx(
        2.0, rel=0.3
    )


def test_the_mode_does_not_depend_on_temperature() -> None:
    scores, truth = world(2.0, 200)
    assert calibration.best_temperature(GRID, scores, truth, rules.mode, losses.squared) == pytest.approx(1.0)


def test_a_line_is_found() -> None:
    decisions = np.linspace(0, 1, 20)
    assert calibration.linear_map(decisions, 3 * decisions + 1) == pytest.approx((3.0, 1.0))
    assert calibration.linear_map(np.ones(4), np.array([1.0, 2, 3, 4])) == (0.0, 2.5)


def test_cuts_raise_kappa() -> None:
    rng = np.random.default_rng(1)
    grades = np.array(GRID)
    truth = rng.choice(grades, 400)
    decisions = 0.4 * truth + 1.5 + rng.normal(0, 0.2, 400)
    cuts = calibration.kappa_thresholds(decisions, truth, grades)
    assert np.all(np.diff(cuts) >= 0)
    cut = losses.quadratic_weighted_kappa(truth, grades[np.searchsorted(cuts, decisions, side="right")])
    rounded = losses.quadratic_weighted_kappa(truth, np.clip(decisions.round(), 1, 5))
    assert cut > rounded + 0.2
