"""The measure of rule following: right for exact readers, and as wrong as declared for others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from methods.il_bench.following import Follow, Followed, RuleFollowing
from methods.il_bench.models import NeuralReader, SurrogateInterpreter
from methods.il_bench.prepare import RuleFollower
from methods.il_bench.rule_net import RuleNet, Size
from methods.il_bench.rules import parse_rules
from tests.methods.context import FakeContext


def rows(task: RuleFollowing, seed: int = 0) -> dict[str, Any]:
    ctx = FakeContext(seed)
    return dict(task.evaluate(Follow().run(task.problem(ctx), ctx), ctx).parts["main"])


def test_an_exact_reader_follows_every_list() -> None:
    found = rows(RuleFollowing(reader=SurrogateInterpreter(error=0.0), lists=2))
    assert set(found["correct"]) == {1}
    assert len(set(found["unit_id"])) == len(found["unit_id"]) == 9 * 2 * 25


def test_errors_grow_with_the_rules_as_declared() -> None:
    task = RuleFollowing(reader=SurrogateInterpreter(0.0, per_rule=0.02), counts=(1, 8, 24), inputs=200)
    found = rows(task)
    for count in (1, 8, 24):
        shares = [c for c, n in zip(found["correct"], found["rules"], strict=True) if n == count]
        assert np.mean(shares) == pytest.approx(0.98**count, abs=0.05)


def test_lists_have_the_length_that_was_asked_for() -> None:
    problem = RuleFollowing(lists=2).problem(FakeContext(1))
    assert [len(parse_rules(one.instruction)) for one in problem.lists] == [
        one.rules for one in problem.lists
    ]
    labels = {rule.label for one in problem.lists for rule in parse_rules(one.instruction)}
    assert labels <= set(problem.labels)


def test_unreadable_answers_are_wrong() -> None:
    ctx = FakeContext(1)
    task = RuleFollowing(lists=1, counts=(2,), inputs=3)
    parts = task.evaluate(Followed(((None, None, None),)), ctx).parts
    assert parts["main"]["correct"] == [0, 0, 0]


def test_transformers_choose_among_the_labels() -> None:
    follower = RuleFollower(layers=1, hidden=16, heads=2)
    net = RuleNet(Size(1, 16, 2), torch.Generator().manual_seed(0)).eval()
    ctx = FakeContext(1, objects={"RuleFollower": (net.requires_grad_(requires_grad=False), "0")})
    task = RuleFollowing(reader=NeuralReader(follower=follower), options=True, lists=1, counts=(1, 24))
    problem = task.problem(ctx)
    result = Follow().run(problem, ctx)
    assert {label for answers in result.answers for label in answers} <= set(problem.labels)
    assert len(task.evaluate(result, ctx).parts["main"]["correct"]) == 50
