"""What a plan would ask of servers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.cli.costs import Costs
from harness.cli.forecast import Forecast
from harness.cli.served_costs import Asked, prices_of, requests_json, requests_lines, requests_of
from harness.engine.run import stored_trials
from harness.errors import UsageError
from harness.method import Asks, Resource
from harness.resources import Resolver
from harness.resources.endpoint import Endpoint
from harness.suite import Suite
from tests.harness.asking import PUPIL, TEACHER, Asking, suite
from tests.harness.asking import Asked as Said
from tests.harness.running import request


def expected(item: Any, method: Any, load: Any) -> Iterator[Asks]:
    """Ten tokens read for each call; of an artifact a single one."""
    assert load(Resource(name="none", kind="dataset", licence="", version="", sources=())) is None
    if isinstance(method, Asking):
        yield Asks(resource=method.model.name, requests=method.calls, prompt_tokens=10, new_tokens=4)  # type: ignore[attr-defined]
    elif isinstance(item, Said):
        yield Asks(resource=TEACHER.name, requests=1, prompt_tokens=3, new_tokens=4)


def rows(asking: Suite, folder: Path) -> list[Asked]:
    asking = replace(asking, served=replace(asking.served, expected=f"{__name__}:expected"))
    server = Endpoint({"address": "http://a/v1", "model": "big"}).write(folder / "home")
    resolver = Resolver(dict.fromkeys((TEACHER.name, PUPIL.name), server), frozenset(), folder / "home", None)
    asked = request(asking, folder, resolver=resolver)
    plan = asked.planner.plan(asking, asked.scale)
    return requests_of(asked, plan, Forecast(asked, plan, stored_trials(asked), Costs({}, {})))


def test_requests_are_summed_over_trials_and_artifacts(tmp_path: Path) -> None:
    found = rows(suite(artifact=True), tmp_path)
    sums = {(row.experiment, row.role): (row.requests, row.read, row.written) for row in found}
    assert sums == {
        ("e", "teacher"): (20, 200, 80),
        ("e", "pupil"): (6, 60, 24),
        ("f", "teacher"): (10, 100, 40),
        ("what a model said", "teacher"): (1, 3, 4),
    }
    text = "\n".join(requests_lines(found, (1e6, 0.0)))
    assert "e, teacher (big at http://a/v1): 20 requests" in text
    assert "together: 37 requests" in text
    assert text.endswith("363.00")
    priced = requests_json(found, (0.0, 1e6))["requests"]
    assert [row["price"] for row in priced] == [80, 24, 40, 4]
    assert list(requests_lines([], None)) == []


@pytest.mark.parametrize("text", ["", "1", "1,2,3", "a,b", "-1,2", "nan,1", "inf,1"])
def test_prices_are_two_numbers(text: str) -> None:
    assert prices_of(None) is None
    assert prices_of("2.5, 10") == (2.5, 10.0)
    with pytest.raises(UsageError, match="no two prices"):
        prices_of(text)
