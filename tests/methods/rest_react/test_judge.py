"""Judging answers: an adversarial set."""

from __future__ import annotations

import pytest

from methods.rest_react.judge import exactly_right, implies, mentioned

NAMES = {"Paris", "Paris Hilton", "Lyon", "Rome"}


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ("Paris", True),
        ("It is Paris.", True),
        ("The capital, according to [1], is Paris and not Lyon.", True),
        ("Paris or Lyon", False),
        ("Perhaps Paris, perhaps Lyon", False),
        ("Paris, Lyon, Rome", False),
        ("Paris and Lyon", False),
        ("It is not Paris", False),
        ("Lyon rather than Paris", False),
        ("I do not know; Paris is mentioned", False),
        ("unknown", False),
        ("Paris Hilton", False),
        ("Lyon", False),
        ("", False),
    ],
)
def test_what_implies_paris(answer: str, right: bool) -> None:  # noqa: FBT001
    assert implies(answer, "Paris", NAMES) == right


def test_the_exact_oracle_takes_the_name_alone() -> None:
    assert exactly_right(" paris. ", "Paris")
    assert not exactly_right("It is Paris", "Paris")


def test_longer_names_are_found_first() -> None:
    assert mentioned("Paris Hilton in Lyon", NAMES) == {"Paris Hilton", "Lyon"}
