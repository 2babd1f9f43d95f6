"""How often the rules are right, by simulation with fresh data (minutes; run by tests-slow)."""

from __future__ import annotations

import numpy as np
import pytest

from harness.claims import Replication
from harness.evidence import judge
from harness.evidence.crossed import additive, crossed_distribution
from harness.evidence.distributions import student
from tests.harness.evidence.worlds import SMALL, claim, direction, gain, run_of, suite

pytestmark = pytest.mark.slow


def test_a_thousand_suites_without_effects() -> None:
    # δ is far below the noise, so that only the tests stand between noise and "reproduced".
    claims = [claim(direction(theta=gain(f"a{i}", f"b{i}"), delta=1e-6), f"C{i}") for i in range(12)]
    declared = suite(claims)
    rng = np.random.default_rng(100)
    false = 0
    for _ in range(1000):
        scores = {f"{arm}{i}": rng.normal(0, 1, (5, 1)) for i in range(12) for arm in "ab"}
        found = judge(declared, SMALL, run_of(scores)).verdicts
        false += any(verdict.verdict == "reproduced" for verdict in found)
    assert false <= 37
    assert false > 5  # a gate that never lets anything through would pass the line above


@pytest.mark.parametrize("n", [3, 5, 10])
def test_seed_interval_covers(n: int) -> None:
    rng = np.random.default_rng(n)
    distributions = [student(rng.normal(0.3, 1, n)) for _ in range(20_000)]
    bounds = [distribution.interval() for distribution in distributions if distribution]
    covered = np.mean([low <= 0.3 <= high for low, high in bounds])
    assert 0.93 <= covered <= 0.97


@pytest.mark.parametrize("n_seeds", [3, 5, 10])
def test_type_one_error_of_items_crossed_with_seeds(n_seeds: int) -> None:
    rng = np.random.default_rng(n_seeds)
    wrong = 0
    for _ in range(4000):
        item, seed = rng.normal(0, 1, (300, 1)), rng.normal(0, 0.2, (1, n_seeds))
        matrix = item + seed + rng.normal(0, 1, (300, n_seeds))
        low, high = crossed_distribution(float(matrix.mean()), additive([matrix]), n_seeds).interval()
        wrong += not low <= 0 <= high
    assert wrong / 4000 <= 0.08


def test_crossed_claims_without_effect_through_the_whole_way() -> None:
    declared = suite([claim(direction(delta=1e-6, replication=Replication.CROSSED))])
    rng = np.random.default_rng(3)
    false = 0
    for _ in range(1500):
        item, seed = rng.normal(0, 1, (1, 60)), rng.normal(0, 0.2, (5, 1))
        scores = {"a": item + seed + rng.normal(0, 1, (5, 60)), "b": np.zeros((5, 60))}
        false += judge(declared, SMALL, run_of(scores)).verdicts[0].verdict == "reproduced"
    assert false / 1500 <= 0.04
