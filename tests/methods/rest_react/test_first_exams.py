"""Generation 0 takes its exams once, and everybody who hands them in has the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.method import Method
from methods.rest_react.first_exams import FirstExams
from methods.rest_react.method import Prompted
from methods.rest_react.sabotage import StandIn
from methods.rest_react.task import WorldAgents
from tests.methods.rest_react.small import TASK, context

EXAMS = FirstExams(task=TASK, samples=2, seed=TASK.recipe.seed)
NAMES = ("gen0-L", "gen2-L")


@pytest.fixture(scope="module")
def taken(taught: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """As built without a seed of its own."""
    folder = tmp_path_factory.mktemp("exams")
    EXAMS.build(folder, context(taught, seed=0))
    return EXAMS.load(folder)


def scores(method: Method[Any, Any], folder: Path, taken: Any, task: WorldAgents = TASK) -> dict[str, Any]:
    ctx = context(folder)
    ctx.objects = {**ctx.objects, "FirstExams": taken}
    return dict(task.evaluate(method.run(task.problem(ctx), ctx), ctx).parts)


@pytest.mark.parametrize(
    "method",
    [
        Prompted(samples=2, everywhere=("gen0-L",), shown=("gen0-L",)),
        StandIn(samples=2, names=NAMES, checks=False),
        StandIn(samples=2, names=NAMES, astray=("gen2-L",), everywhere=("gen0-L",)),
    ],
)
def test_what_was_taken_before_gives_the_same_scores(method: Any, taught: Path, taken: Any) -> None:
    assert scores(replace(method, sat=EXAMS), taught, taken) == scores(method, taught, taken)


def test_exams_that_were_taken_otherwise_are_taken_again(taught: Path, taken: Any) -> None:
    spoilt = {**taken, "outcomes": {}}
    with pytest.raises(KeyError):
        scores(StandIn(samples=2, names=NAMES, sat=EXAMS), taught, spoilt)
    for other in (replace(TASK, runs=3), replace(TASK, temperature=1.0)):
        method = StandIn(samples=2, names=NAMES)
        found = scores(replace(method, sat=EXAMS), taught, spoilt, other)
        assert found == scores(method, taught, spoilt, other)
    many = StandIn(samples=3, names=NAMES)
    assert scores(replace(many, sat=EXAMS), taught, spoilt) == scores(many, taught, spoilt)
