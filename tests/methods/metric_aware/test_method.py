"""Read-outs of given distributions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness.method import ProblemError
from methods.metric_aware import rules
from methods.metric_aware.method import (
    Constant,
    Enumerated,
    Greedy,
    Sampled,
    SelfConsistency,
)
from methods.metric_aware.problem import Asked, Decisions, Predictions, draw, from_law
from methods.metric_aware.sabotage import Blind, Misplaced, NearTemperature
from methods.metric_aware.scoring import decision_rows, law_rows
from tests.methods.context import FakeContext

GRID = (1.0, 2.0, 3.0, 4.0, 5.0)
LAW = np.array([[0.05, 0.10, 0.15, 0.30, 0.40], [0.4, 0.3, 0.15, 0.1, 0.05], [0.2, 0.2, 0.2, 0.2, 0.2]])
CTX = FakeContext()


def problem(law: np.ndarray = LAW, **changes: object) -> Predictions:
    rng = np.random.default_rng(0)
    test = from_law([f"{i:03d}" for i in range(len(law))], GRID, np.log(law), rng)
    held_law = rng.dirichlet(np.full(5, 0.5), 300)
    truth = np.array([rng.choice(GRID, p=row) for row in held_law])
    held = from_law([f"h{i}" for i in range(300)], GRID, np.log(held_law), rng)
    return replace(Predictions(GRID, test, held, truth, 4.0, {"call": [0]}), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("mean", 3.9),
        ("median", 4.0),
        ("mode", 5.0),
        ("probability", 0.7),
        ("quartile", 3.0),
        ("log-mean", 3.720893),
    ],
)
def test_golden_decisions(rule: str, expected: float) -> None:
    assert Enumerated(rule=rule).run(problem(), CTX).values[0] == pytest.approx(expected, abs=1e-6)


def test_every_rule_decides_and_others_are_refused() -> None:
    for rule in ("rank", "relative-median", "relative-mean", "huber", "window"):
        assert np.isfinite(Enumerated(rule=rule).run(problem(), CTX).values).all()
    with pytest.raises(ProblemError, match="no rule"):
        Enumerated(rule="average").run(problem(), CTX)


def test_unnormalised_means_shrink() -> None:
    less = problem(test=replace(problem().test, scores=np.log(0.8 * LAW)))
    assert Enumerated().run(less, CTX).values[0] == pytest.approx(3.9)
    assert Enumerated(normalise=False).run(less, CTX).values[0] == pytest.approx(3.12)
    assert Enumerated().run(less, CTX).mass == pytest.approx(0.8)


def test_a_temperature_is_fitted_on_held_out_items() -> None:
    given = problem()
    # Scores that are three times too sharp are calibrated at T = 3.
    sharp = replace(given, held=replace(given.held, scores=3 * given.held.scores))
    for fit in ("likelihood", "squared-error"):
        fitted = Enumerated(fit=fit).run(sharp, CTX).fitted["temperature"]
        assert 2.0 < fitted < 4.5
    assert 0.7 < Enumerated(fit="likelihood").run(given, CTX).fitted["temperature"] < 1.5


def test_a_line_is_fitted_on_held_out_items() -> None:
    given = problem()
    values = rules.mean(np.array(GRID), np.exp(given.held.scores))
    found = Enumerated(fit="line").run(replace(given, held_truth=2 * values - 1), CTX)
    assert found.fitted == pytest.approx({"slope": 2.0, "offset": -1.0})
    assert found.values == pytest.approx(2 * Enumerated().run(given, CTX).values - 1)


def test_calls_are_kept_where_they_are_wanted() -> None:
    assert Enumerated(record=True).run(problem(), CTX).calls == {"call": [0]}
    assert not Enumerated().run(problem(), CTX).calls


def test_samples_decide_as_their_numbers() -> None:
    asked = replace(
        problem().test, samples=(("5", "4/5", "no", "1"), ("no", "none", "?", ""), ("2", "2", "3", "9"))
    )
    given = problem(test=asked)
    middle = given.held_truth.mean()
    found = Sampled(count=4).run(given, CTX)
    assert found.values == pytest.approx([10 / 3, middle, 7 / 3])
    assert found.fallback.tolist() == [False, True, False]
    assert Sampled(count=4, unparsable="zero").run(given, CTX).values[0] == pytest.approx(10 / 4)
    assert SelfConsistency(count=4).run(given, CTX).values[2] == 2.0
    assert Sampled(count=1).run(given, CTX).values[0] == 5.0


def test_greedy_answers_are_read_or_fall_back() -> None:
    given = problem(test=replace(problem().test, greedy=("4 stars", "great", "3-4")))
    found = Greedy().run(given, CTX)
    middle = np.median(given.held_truth)
    assert found.values.tolist() == [4.0, middle, middle]
    assert found.fallback.tolist() == [False, True, True]


@pytest.mark.parametrize("rule", ["mean", "median", "mode"])
def test_constants_come_from_held_out_labels(rule: str) -> None:
    given = problem()
    (number,) = set(Constant(rule=rule).run(given, CTX).values.tolist())  # type: ignore[arg-type]
    labels, counts = np.unique(given.held_truth, return_counts=True)
    expected = {"mean": given.held_truth.mean(), "median": np.median(given.held_truth)}
    assert number == pytest.approx(expected.get(rule, labels[counts.argmax()]))


def test_sabotages_lose_what_belongs_to_the_item() -> None:
    law = np.random.default_rng(1).dirichlet(np.ones(5), 50)
    given = problem(law)
    right = Enumerated().run(given, CTX).values
    other = Misplaced().run(given, CTX).values
    assert sorted(other) == pytest.approx(sorted(right))
    assert not np.allclose(other, right)
    (blind,) = set(np.round(Blind().run(given, CTX).values, 9).tolist())
    assert blind == pytest.approx(right.mean())


def test_a_near_temperature_is_fitted_and_not_by_likelihood() -> None:
    given = problem()
    near = NearTemperature().run(given, CTX)
    assert near.fitted == Enumerated(fit="squared-error").run(given, CTX).fitted
    assert set(near.fitted) == {"temperature"}


def test_silent_answers_are_marked() -> None:
    flat = problem(test=replace(problem().test, scores=np.log(np.vstack([LAW[0], np.full((2, 5), 1e-13)]))))
    assert Enumerated().run(flat, CTX).fallback.tolist() == [False, True, True]


@pytest.mark.parametrize("scores", [np.full((1, 5), -np.inf), np.array([[0.0, np.nan, 0, 0, 0]])])
def test_scores_that_say_nothing_are_refused(scores: np.ndarray) -> None:
    with pytest.raises(ProblemError, match="no probability"):
        Asked(("a",), scores, ("1",), (("1",),))


def test_items_need_all_their_parts() -> None:
    for ids, rows in (((), 0), (("a",), 2)):
        with pytest.raises(ProblemError, match="items came"):
            Asked(ids, np.zeros((rows, 5)), ("1",) * len(ids), (("1",),) * len(ids))


def test_draws_follow_their_law() -> None:
    places = draw(np.log(0.5 * LAW), 4000, np.random.default_rng(3))
    for row, law in zip(places, LAW, strict=True):
        assert np.bincount(row, minlength=5) / 4000 == pytest.approx(law, abs=0.03)
    assert not (draw(np.array([[-np.inf, 0.0, -np.inf]]), 100, np.random.default_rng(0)) != 1).any()


def test_rows_hold_what_metrics_need() -> None:
    none = np.zeros(3, dtype=bool)
    found = Decisions(np.array([2.0, 3.0, 4.4]), none, exact=np.array([2.5, 3.0, 4.0]))
    rows = decision_rows(["a", "b", "c"], np.array([2.2, 4.0, 4.4]), found, GRID, 4.0)
    assert rows["hit"].tolist() == [True, False, False]
    assert rows["positive"].tolist() == [False, True, True]
    assert rows["excess"] == pytest.approx([0.25, 0.0, 0.16])


@pytest.mark.parametrize("values", [np.array([1.0, np.nan]), np.array([1.0])])
def test_decisions_that_are_missing_or_no_numbers_are_refused(values: np.ndarray) -> None:
    with pytest.raises(ProblemError, match="finite decisions"):
        decision_rows(["a", "b"], np.ones(2), Decisions(values, np.zeros(2, dtype=bool)), GRID, 4.0)


def test_distances_between_distributions() -> None:
    law = np.array([[1.0, 0, 0, 0, 0], [0.25, 0.25, 0, 0, 0]])
    human = np.array([[0, 0, 0, 0, 1.0], [0.5, 0.5, 0, 0, 0]])
    rows = law_rows(["a", "b"], law, human, GRID)
    assert rows["distance"] == pytest.approx([4.0, 0.0])
    assert rows["entropy"] == pytest.approx([0.0, np.log(2)])
    assert rows["spread"] == pytest.approx([0.0, 0.5])
