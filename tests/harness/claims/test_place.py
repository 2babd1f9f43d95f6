"""Places give cells, and rules are given to profiles."""

from __future__ import annotations

import pytest

from harness.claims import EVERY, MEASURED, SCALED, Cell, NotRun, Place, Profile, at, by_profile
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
