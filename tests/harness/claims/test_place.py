"""Places give cells, and rules are given to profiles."""

from __future__ import annotations

import pytest

from harness.claims import (
    EVERY,
    MEASURED,
    SCALED,
    Cell,
    Direction,
    Existence,
    Form,
    NotRun,
    Place,
    Precondition,
    Profile,
    Replication,
    alone,
    at,
    by_place,
    by_profile,
    keeps,
    kills,
)
from harness.errors import SuiteError
from harness.method import mean_of

SCORE, COST = mean_of("score", better="higher"), mean_of("cost", better="lower")
HERE = Place("quality", "amazon", metric=SCORE)


def test_a_place_called_with_a_method_is_its_cell_there() -> None:
    assert HERE("a") == Cell("quality", "a", SCORE, "amazon")
    assert HERE("a", COST, task="nyt") == Cell("quality", "a", COST, "nyt")
    probe = HERE("a", part="probe", step=3, kind="x")
    assert probe == Cell("quality", "a", SCORE, "amazon", "probe", (("step", 3), ("kind", "x")))


def test_a_place_can_be_moved() -> None:
    there = HERE.on("nyt", part="test", metric=COST)
    assert there("a") == Cell("quality", "a", COST, "nyt", "test")
    assert HERE.on("")("a").task == ""
    assert HERE.on() == HERE


def test_a_cell_without_a_metric_is_refused() -> None:
    with pytest.raises(SuiteError, match=r"A cell of 'quality' needs a metric.*method a"):
        Place("quality")("a")


def test_rules_by_profile() -> None:
    rule, none = NotRun("one"), NotRun("none")
    assert at(Profile.PAPER, rule) == {Profile.PAPER: rule}
    assert at(SCALED, rule) | at(Profile.PAPER, none) == {
        Profile.SMALL: rule,
        Profile.GPU: rule,
        Profile.PAPER: none,
    }
    sizes = {Profile.SMALL: 1, Profile.GPU: 2}
    assert by_profile(sizes, lambda size: NotRun(str(size))) == {
        Profile.SMALL: NotRun("1"),
        Profile.GPU: NotRun("2"),
    }
    assert set(SCALED) < set(MEASURED) < set(EVERY) == set(Profile)


def test_a_rule_is_replicated_as_its_place_is() -> None:
    def rule(where: Place) -> Form:
        able = Precondition("able", alone(where("b")), above=0.1, reason="why")
        return Direction(where("a") - where("b"), delta=0.1, delta_reason="why", preconditions=(able,))

    crossed = Place("quality", "amazon", replication=Replication.CROSSED, metric=SCORE)
    rules = by_place({Profile.SMALL: HERE, Profile.GPU: crossed}, rule)
    assert rules[Profile.SMALL] == rule(HERE)
    judged = rules[Profile.GPU]
    assert isinstance(judged, Direction)
    assert [judged.replication, judged.preconditions[0].replication] == [Replication.CROSSED] * 2
    assert judged.theta == crossed("a") - crossed("b")


def test_a_form_without_replicates_has_no_place_to_take_them_from() -> None:
    witness = Existence(HERE("a"), oracle="why")
    with pytest.raises(SuiteError, match=r"(?s)Existence has no replicates.*place quality.*by_profile"):
        HERE.replicated(witness)


def test_what_a_control_does_to_claims() -> None:
    assert kills("C1", "C2") | keeps("C3") == {"C1": "kill", "C2": "kill", "C3": "keep"}
