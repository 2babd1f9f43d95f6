"""Every suite's declarations agree with each other, under every profile."""

from __future__ import annotations

import pytest

from harness.claims import Profile
from harness.cli.suites import load_suite, suite_names
from harness.evidence import check_suite
from harness.suite import Scale


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("profile", list(Profile))
@pytest.mark.parametrize("name", suite_names())
def test_declarations_agree(name: str, profile: Profile, full: bool) -> None:
    assert list(check_suite(load_suite(name), Scale(profile=profile, full=full))) == []
