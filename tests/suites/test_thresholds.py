"""Statements of the suites that name a number: each rule holds it, or it is said here why not."""

from __future__ import annotations

import pytest

from harness.claims import Profile
from harness.cli.suites import load_suite, suite_names
from harness.declared.thresholds import says_so, spoken_thresholds

SAID_ELSEWHERE = {
    ("lora-rite", "C9b", 15.0): "of the model of the paper profile; the other profile holds 10 %",
    ("sparsity", "C6a", 0.05): "the quantity is the fifth percentile of the rates",
    ("sparsity", "C6d", 0.9): "the quantity is the tenth percentile of the rates",
    ("lora-rite", "C9b", 10.0): "of the model of the gpu profile; the other profile holds 15 %",
}
"""Numbers that a rule does not hold, and rightly so."""
LEVELS = {
    ("rest-react", "C10a"): "the metric is a difference, after the checks less before them",
    ("sparsity", "C6a"): "the fifth percentile of the rates, which is zero if more than 5 % never fire",
}
"""Sums of cells that are rightly tested against zero."""


@pytest.mark.parametrize("name", suite_names())
def test_every_number_of_a_statement_is_held(name: str) -> None:
    unheld = {
        (name, claim.id, number)
        for claim in load_suite(name).claims
        for _, number in spoken_thresholds(claim.statement)
        for form in claim.forms.values()
        if not claim.threshold and not says_so(form, number)
    }
    known = {key for key in SAID_ELSEWHERE if key[0] == name}
    assert unheld == known, "take the number off inside θ and declare it as `threshold`, or say why not"


@pytest.mark.parametrize("name", suite_names())
def test_no_level_is_tested_against_zero(name: str) -> None:
    bare = {
        (name, claim.id)
        for claim in load_suite(name).claims
        for profile in Profile
        if (form := claim.forms.get(profile)) and form.tests_bare_level
    }
    assert bare == {key for key in LEVELS if key[0] == name}
