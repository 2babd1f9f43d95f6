"""Statements of the suites that name a number: each rule holds it, or it is said here why not."""

from __future__ import annotations

import pytest

from harness.claims import Profile
from harness.cli.suites import load_suite, suite_names
from harness.declared.thresholds import says_so, spoken_thresholds

SAID_ELSEWHERE = {
    ("lora-rite", "C9b", 15.0): "of the model of the paper profile; the other profile holds 10 %",
    ("lora-rite", "C9b", 10.0): "of the model of the gpu profile; the other profile holds 15 %",
}
"""Numbers that a rule does not hold, and rightly so."""
TO_BE_MENDED = {
    ("ibws", "C1b", 0.9),
    ("ibws", "C3a", 0.9),
}
"""Thresholds that a rule takes for its δ."""

LEVELS = {
    ("rest-react", "C10a"): "the metric is a difference, after the checks less before them",
}
"""Sums of cells that are rightly tested against zero."""
LEVELS_TO_BE_MENDED = {
    *(("ibws", name) for name in ("C1b", "C3a", "C3b", "C3c", "C5e")),
    *(("kaft", name) for name in ("C1a", "C1b", "C1c", "C2a", "C2b", "C2c")),
}
"""Levels whose threshold is their δ."""


@pytest.mark.parametrize("name", suite_names())
def test_every_number_of_a_statement_is_held(name: str) -> None:
    unheld = {
        (name, claim.id, number)
        for claim in load_suite(name).claims
        for _, number in spoken_thresholds(claim.statement)
        for form in claim.forms.values()
        if not claim.threshold and not says_so(form, number)
    }
    known = {key for key in (*SAID_ELSEWHERE, *TO_BE_MENDED) if key[0] == name}
    assert unheld == known, "take the number off inside θ and declare it as `threshold`, or say why not"


@pytest.mark.parametrize("name", suite_names())
def test_no_level_is_tested_against_zero(name: str) -> None:
    bare = {
        (name, claim.id)
        for claim in load_suite(name).claims
        for profile in Profile
        if (form := claim.forms.get(profile)) and form.tests_bare_level
    }
    assert bare == {key for key in (*LEVELS, *LEVELS_TO_BE_MENDED) if key[0] == name}
