"""The latent toy: the card's figures, and what it is made of."""

from __future__ import annotations

import numpy as np
import pytest

from harness.method import ProblemError
from methods.metric_aware import rules
from methods.metric_aware.latent import GRADES, LatentGrades, softmax_regression
from methods.metric_aware.problem import draw

VALUES = np.array(GRADES)


@pytest.mark.parametrize(
    ("noise", "sample", "mode", "median", "mean"),
    # The card's table, from a generator that it describes in words only.
    [(0.3, 0.618, 0.530, 0.530, 0.453), (0.8, 1.138, 0.933, 0.877, 0.817), (1.5, 1.814, 1.699, 1.402, 1.324)],
)
def test_errors_are_near_those_of_the_card(
    noise: float, sample: float, mode: float, median: float, mean: float
) -> None:
    rng = np.random.default_rng(1)
    features, truth = LatentGrades.drawn(rng, features=8, noise=noise, kind="linear").draw(rng, 21_000)
    scores = softmax_regression(features[:1000], truth[:1000], VALUES, features[1000:], strength=100.0)
    law, truth = np.exp(scores), truth[1000:]
    drawn = VALUES[draw(scores, 1, rng)[:, 0]]
    decided = (drawn, rules.mode(VALUES, law), rules.median(VALUES, law), rules.mean(VALUES, law))
    found = [float(np.sqrt(np.square(truth - one).mean())) for one in decided]
    assert found == pytest.approx([sample, mode, median, mean], rel=0.15)
    assert found[3] < found[2] <= found[1] < found[0]


def test_a_bent_quality_does_not_follow_its_direction() -> None:
    rng = np.random.default_rng(0)
    features = rng.standard_normal((20_000, 5))
    for kind, low, high in (("linear", 0.999, 1.001), ("bent", 0.5, 0.7)):
        world = LatentGrades.drawn(rng, features=5, noise=0.0, kind=kind)  # type: ignore[arg-type]
        quality = world.quality(features)
        assert quality.std() == pytest.approx(1.0, abs=0.05)
        assert low < np.corrcoef(quality, features @ world.weights)[0, 1] < high


def test_grades_without_noise_round_the_quality() -> None:
    world = LatentGrades(np.array([1.0, 0.0]), 0.0)
    features, grades = world.draw(np.random.default_rng(0), 100)
    assert np.array_equal(grades, np.clip(np.round(3 + features[:, 0]), 1, 5))


def test_values_that_were_never_seen_have_no_probability() -> None:
    features = np.random.default_rng(0).standard_normal((40, 2))
    labels = np.where(features[:, 0] > 0, 4.0, 2.0)
    scores = softmax_regression(features, labels, VALUES, features, strength=1.0)
    assert np.isneginf(scores[:, [0, 2, 4]]).all()
    assert np.exp(scores).sum(axis=1) == pytest.approx(1.0)


@pytest.mark.parametrize(("features", "noise"), [(1, 0.5), (4, -1.0)])
def test_worlds_that_cannot_be_are_refused(features: int, noise: float) -> None:
    with pytest.raises(ProblemError, match="no world"):
        LatentGrades.drawn(np.random.default_rng(0), features=features, noise=noise, kind="linear")
