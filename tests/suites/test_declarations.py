"""Every suite's declarations agree with each other, under every profile."""

from __future__ import annotations

import pytest

from harness.claims import Profile
from harness.cli.suites import load_suite, suite_names
from harness.declared import check_suite
from harness.suite import Scale

SCALES = [Scale(profile=profile, full=full) for profile in Profile for full in (False, True)]


@pytest.mark.parametrize("scale", SCALES, ids=str)
@pytest.mark.parametrize("name", suite_names())
def test_declarations_agree(name: str, scale: Scale) -> None:
    assert list(check_suite(load_suite(name), scale)) == []
