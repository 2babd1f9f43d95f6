"""Decision rules: the card's golden values, brute force over decisions, and equivariance."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy.stats import rankdata, spearmanr
from sklearn.metrics import cohen_kappa_score, roc_auc_score

from harness.method import ProblemError
from methods.metric_aware import losses, rules

Floats = NDArray[np.float64]
GRID = np.arange(1.0, 6.0)
LAW = np.array([[0.05, 0.10, 0.15, 0.30, 0.40]])
RULES = rules.best_rules(np.full(5, 0.2), threshold=4.0)
DECIDING = [rule for rule in RULES if rule.loss is not None]

laws = arrays(np.float64, (3, 5), elements=st.floats(0.0, 1.0)).map(
    lambda a: (a + 1e-3) / (a + 1e-3).sum(1)[:, None]
)


def expected_loss(loss: losses.Loss, law: Floats, decision: float, grid: Floats = GRID) -> float:
    return float(law @ loss(grid, np.full(len(grid), decision)))


@pytest.mark.parametrize(
    ("decide", "value", "squared", "absolute", "zero_one"),
    [
        (rules.mean, 3.9, 1.39, 0.94, 1.0),
        (rules.median, 4.0, 1.40, 0.90, 0.7),
        (rules.mode, 5.0, 2.60, 1.10, 0.6),
    ],
)
def test_golden_table(
    decide: rules.Decide, value: float, squared: float, absolute: float, zero_one: float
) -> None:
    (found,) = decide(GRID, LAW)
    assert found == pytest.approx(value)
    losses_found = [
        expected_loss(loss, LAW[0], found) for loss in (losses.squared, losses.absolute, losses.zero_one)
    ]
    assert losses_found == pytest.approx([squared, absolute, zero_one])


@pytest.mark.parametrize(
    ("decide", "value"),
    [
        (rules.quantile(0.25), 3.0),
        (rules.quantile(0.75), 5.0),
        (rules.relative_mean, 2.412657),
        (rules.relative_median, 4.0),
        (rules.log_mean, 3.720893),
        (rules.above(4.0), 0.7),
    ],
)
def test_other_golden_values(decide: rules.Decide, value: float) -> None:
    assert decide(GRID, LAW)[0] == pytest.approx(value, abs=1e-6)


def test_golden_two_peaks() -> None:
    law = np.array([[0.45, 0, 0, 0, 0.55]])
    assert rules.mean(GRID, law)[0] == pytest.approx(3.2)
    assert rules.median(GRID, law)[0] == rules.mode(GRID, law)[0] == 5.0
    found = [expected_loss(loss, law[0], v) for v in (3.2, 5.0) for loss in (losses.squared, losses.absolute)]
    assert found == pytest.approx([3.96, 1.98, 7.2, 1.8])


@pytest.mark.parametrize("rule", DECIDING, ids=lambda rule: rule.metric)
@given(law=laws)
def test_no_decision_has_a_smaller_expected_loss(rule: rules.Rule, law: Floats) -> None:
    assert rule.loss is not None
    for row, decision in zip(law, rule.decide(GRID, law), strict=True):
        best = min(expected_loss(rule.loss, row, v) for v in np.linspace(0.5, 5.5, 201))
        assert expected_loss(rule.loss, row, decision) <= best + 1e-9


@given(law=laws, cost=arrays(np.float64, (5, 4), elements=st.floats(0, 9)))
def test_the_cheapest_decision_costs_least(law: Floats, cost: Floats) -> None:
    decisions = np.array([10.0, 20.0, 30.0, 40.0])
    found = rules.cheapest(cost, decisions)(GRID, law)
    for row, decision in zip(law, found, strict=True):
        assert row @ cost[:, int(decision / 10) - 1] == pytest.approx((row @ cost).min())


@given(law=laws, slope=st.floats(0.1, 9.0), shift=st.floats(-9.0, 9.0))
def test_mean_and_median_follow_a_change_of_units(law: Floats, slope: float, shift: float) -> None:
    for decide in (rules.mean, rules.median, rules.mode):
        assert decide(slope * GRID + shift, law) == pytest.approx(slope * decide(GRID, law) + shift)


@given(law=laws)
def test_median_and_mode_follow_any_increasing_map(law: Floats) -> None:
    for decide in (rules.median, rules.mode, rules.quantile(0.3)):
        assert np.array_equal(decide(np.exp(GRID), law), np.exp(decide(GRID, law)))


@given(law=laws)
def test_the_gap_of_the_mean_of_a_convex_map_is_not_negative(law: Floats) -> None:
    # Jensen.
    assert np.all(rules.expected_gain(np.square)(GRID, law) >= rules.mean(GRID, law) ** 2 - 1e-12)


@pytest.mark.parametrize("place", range(5))
def test_all_rules_agree_where_the_model_is_sure(place: int) -> None:
    law = np.eye(5)[[place]]
    for rule in DECIDING:
        (found,) = rule.decide(GRID, law)
        assert rule.loss is not None
        assert expected_loss(rule.loss, law[0], found) == pytest.approx(0.0, abs=1e-12)


def test_unnormalised_means_shrink() -> None:
    assert rules.mean(GRID, 0.8 * LAW)[0] == pytest.approx(3.12)
    assert rules.median(GRID, 0.8 * LAW)[0] == 4.0


def test_expected_ranks_are_mid_ranks_of_the_labels() -> None:
    labels = np.array([1.0, 1, 2, 4, 4, 4, 5, 3, 3, 3])
    margin = np.bincount(labels.astype(int), minlength=6)[1:] / len(labels)
    sure = np.eye(5)[labels.astype(int) - 1]
    found = rules.expected_rank(margin)(GRID, sure)
    assert found * len(labels) + 0.5 == pytest.approx(rankdata(labels))


def test_the_best_ranking_for_grades_beats_the_others() -> None:
    rng = np.random.default_rng(0)
    law = rng.dirichlet(np.full(5, 0.7), size=4000)
    truth = np.array([rng.choice(GRID, p=row) for row in law])
    by = {
        "mean": rules.mean(GRID, law),
        "median": rules.median(GRID, law),
        "high": rules.above(3.0)(GRID, law),
        "mode": rules.mode(GRID, law),
        "rank": rules.expected_rank(law.mean(axis=0))(GRID, law),
    }
    auc = {name: losses.multipartite_auc(truth, score) for name, score in by.items()}
    # The card's values, from other draws.
    assert auc["mean"] == pytest.approx(0.691, abs=0.02)
    assert auc["median"] == pytest.approx(0.660, abs=0.02)
    assert auc["high"] == pytest.approx(0.672, abs=0.02)
    assert auc["mode"] == pytest.approx(0.655, abs=0.02)
    costs = {name: losses.multipartite_auc(truth, score, weighted=True) for name, score in by.items()}
    assert costs["mean"] == pytest.approx(0.730, abs=0.02)
    assert max(costs, key=lambda name: costs[name]) in {"mean", "rank"}
    assert spearmanr(by["rank"], truth).statistic > spearmanr(by["mode"], truth).statistic


def test_two_grades_give_the_usual_auc() -> None:
    rng = np.random.default_rng(1)
    truth, score = rng.integers(0, 2, 60).astype(float), rng.integers(0, 8, 60).astype(float)
    assert losses.multipartite_auc(truth, score) == pytest.approx(roc_auc_score(truth, score))


def test_kappa_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(2)
    truth, decision = rng.integers(1, 6, 50), rng.integers(1, 6, 50)
    expected = cohen_kappa_score(truth, decision, weights="quadratic")
    assert losses.quadratic_weighted_kappa(truth.astype(float), decision.astype(float)) == pytest.approx(
        expected
    )


@pytest.mark.parametrize("decide", [rules.relative_mean, rules.relative_median])
def test_relative_rules_refuse_a_zero(decide: rules.Decide) -> None:
    with pytest.raises(ProblemError, match="divides"):
        decide(np.array([0.0, 1.0]), np.array([[0.5, 0.5]]))


def test_logarithms_refuse_minus_one() -> None:
    with pytest.raises(ProblemError, match="log"):
        rules.log_mean(np.array([-1.0, 1.0]), np.array([[0.5, 0.5]]))


def test_a_cost_matrix_of_another_shape_is_refused() -> None:
    with pytest.raises(ProblemError, match="cost matrix"):
        rules.cheapest(np.zeros((4, 2)), np.zeros(2))(GRID, LAW)


def test_losses_refuse_meaningless_parameters() -> None:
    for make, value in ((losses.pinball, 1.0), (losses.huber, 0.0), (losses.miss, -1.0)):
        with pytest.raises(ProblemError):
            make(value)
    with pytest.raises(ProblemError, match="equal"):
        losses.multipartite_auc(np.ones(3), np.arange(3.0))
