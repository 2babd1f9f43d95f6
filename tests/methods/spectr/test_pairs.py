"""The exact tier: what each rule keeps and what it breaks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from harness.method import ProblemError
from methods.spectr.chains import TinyChains
from methods.spectr.pairs import Pairs, SelectWith
from methods.spectr.sabotage import DisjointPairs, SelectBroken
from methods.spectr.speed import SelectOnce, Speed
from tests.methods.spectr.worlds import FakeContext

TASK = Pairs(random=6, most=3)


def parts(rule: SelectWith | SelectBroken, task: Any = TASK) -> dict[str, Any]:
    ctx = FakeContext()
    return dict(task.evaluate(rule.run(task.problem(ctx), ctx), ctx).parts)


def held(table: Any) -> bool:
    error, tolerance = np.asarray(table["error"]), np.asarray(table["tolerance"])
    assert list(error > tolerance) == table["confirmed"]
    return bool((error <= tolerance).all())


@pytest.mark.parametrize(
    ("rule", "breaks"),
    [
        (SelectWith(), set()),
        (SelectWith(slack=1.0), {"monotone"}),
        (SelectWith(name="optimal"), set()),
        (SelectWith(name="recursive"), set()),
        (SelectWith(name="target-first"), {"single", "bound"}),
        (SelectBroken(name="half-divided"), {"law"}),
        (SelectBroken(name="deduplicated"), {"law"}),
        (SelectBroken(name="plain-residual"), {"law"}),
        (SelectBroken(name="one-try"), {"bound", "monotone"}),
    ],
    ids=lambda value: "-".join(sorted(value)) if isinstance(value, set) else repr(value),
)
def test_each_rule_breaks_what_it_should(rule: SelectWith | SelectBroken, breaks: set[str]) -> None:
    found = parts(rule)
    assert {name for name in ("law", "single", "bound", "monotone") if not held(found[name])} == breaks


def test_witnesses_are_confirmed_by_the_program() -> None:
    kseq, best = parts(SelectWith()), parts(SelectWith(name="optimal"))
    for table, expected in ((kseq["below"], True), (best["below"], False), (best["gain"], True)):
        assert any(np.logical_and(table["witness"], table["confirmed"])) is expected
    table = kseq["below"]
    at = table["case"].index("table D")
    assert table["witness"][at]
    assert table["confirmed"][at]


def test_laws_apart_leave_nothing_to_gain() -> None:
    task = DisjointPairs(random=0, most=2)
    assert not any(parts(SelectWith(name="optimal"), task)["gain"]["witness"])
    assert not any(parts(SelectWith(), task)["below"]["witness"])


@pytest.mark.parametrize(
    ("rule", "valid"),
    [(SelectWith(), True), (SelectWith(name="recursive"), True), (SelectBroken(name="stale-count"), False)],
)
def test_chains_enumerate_whole_blocks(rule: SelectWith | SelectBroken, valid: bool) -> None:  # noqa: FBT001
    found = parts(rule, TinyChains(worlds=1, most=2))
    assert held(found["law"]) is valid
    tokens = found["main"]["tokens"]
    assert tokens == sorted(tokens)
    assert all(1 <= value <= 3 for value in tokens)


def test_unknown_rules_are_refused() -> None:
    with pytest.raises(ProblemError, match="no-such"):
        parts(SelectWith(name="no-such"))


@pytest.mark.parametrize(
    "method", [SelectOnce(vocabulary=64), SelectOnce(vocabulary=4, candidates=2, program=True)]
)
def test_selections_are_counted(method: SelectOnce) -> None:
    ctx, task = FakeContext(), Speed(sizes=(4, 64))
    assert dict(task.evaluate(method.run(task.problem(ctx), ctx), ctx).parts)["main"]["count"] == [1]
