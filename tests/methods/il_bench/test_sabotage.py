"""Negative controls are broken in one mechanism, and in nothing that they cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from methods.il_bench.items import Item
from methods.il_bench.method import LSP, ZeroShot
from methods.il_bench.models import SurrogateInterpreter
from methods.il_bench.programs import Leaf
from methods.il_bench.sabotage import ErringStranger, Sabotaged, best_leaves, wording
from methods.il_bench.search import Search
from methods.il_bench.task import SynTreeTask
from tests.methods.context import FakeContext

TASK = SynTreeTask(train=150, validation=10, test=200, shifted=True)


def _solved(method: LSP | ZeroShot, task: SynTreeTask = TASK, seed: int = 5) -> tuple[Any, Mapping[str, Any]]:
    ctx = FakeContext(seed=seed)
    result = method.run(task.problem(ctx), ctx)
    return result, task.evaluate(result, ctx).parts


def _accuracy(parts: Mapping[str, Any], part: str = "test") -> float:
    return float(np.mean(parts[part]["correct"]))


@pytest.mark.parametrize("bug", ["shuffled-labels", "vain-growth", "fewest-errors"])
def test_a_broken_search_may_ask_for_as_much(bug: Any) -> None:
    # A real search that has labelled everything rightly ends early; none does here.
    right, wrong = (
        _solved(replace(method, early=False, expansions=4))[0] for method in (LSP(), Sabotaged(bug=bug))
    )
    assert wrong.spent.learner == right.spent.learner == 16


def test_after_vain_growth_the_first_module_is_that_of_the_real_search() -> None:
    real, vain = (_solved(method)[0] for method in (LSP(), Sabotaged(bug="vain-growth")))
    assert vain.growth[0].program == real.growth[0].program
    assert vain.growth[-1].right < real.growth[-1].right - 10


def test_fewest_errors_come_first_and_leaves_without_any_never() -> None:
    wrong = {"a": (60, 18), "b": (10, 6), "c": (30, 0)}
    items = [
        Item(f"{name}{i}", f"x1 = {i}", "bar" if i < errors else "foo")
        for name, (count, errors) in wrong.items()
        for i in range(count)
    ]
    borders = [0, 60, 70, 100]
    leaves = [
        Leaf((name,), "foo", tuple(range(low, high)))
        for name, low, high in zip(wrong, borders[:-1], borders[1:], strict=True)
    ]
    rng = np.random.default_rng(0)
    assert best_leaves(leaves, items, Search(), rng) == [leaves[1]]
    assert best_leaves(leaves, items, Search(leaves=3), rng) == [leaves[1], leaves[0]]


def test_one_wording_is_the_program_itself_for_items_worded_as_in_training() -> None:
    (right, ours), (wrong, theirs) = (_solved(method) for method in (LSP(), Sabotaged(bug="one-wording")))
    assert wrong.predictor.program == right.predictor.program
    assert wrong.spent == right.spent
    assert theirs["test"] == ours["test"]
    for part in ("order", "json", "sentence"):
        assert _accuracy(theirs, part) < _accuracy(ours, part) - 0.2


def test_wording_leaves_symbols_out_and_keeps_order_and_template() -> None:
    assert wording("x1 = A ; x2 = B") == wording("x1 = C ; x2 = C") == "x1 = _ ; x2 = _"
    assert wording("x2 = A ; x1 = B") != wording("x1 = A ; x2 = B")
    assert wording('{"x1": "A"}') != wording("x1 = A")


def test_an_erring_stranger_errs_in_three_of_ten_calls_and_nobody_else_does() -> None:
    exact = SurrogateInterpreter(error=0.0)
    task = replace(TASK, reader=exact, other=exact, test=1000, shifted=False)
    same, erring = (_solved(LSP(expansions=1), each)[1] for each in (task, ErringStranger.of(task)))
    assert erring["test"] == same["test"]
    assert same["transfer"] == same["test"]
    changed = [
        a != b for a, b in zip(same["transfer"]["correct"], erring["transfer"]["correct"], strict=True)
    ]
    # An exchanged label may be as wrong as the one before.
    right = np.array(same["transfer"]["correct"], dtype=bool)
    assert np.mean(np.array(changed)[right]) == pytest.approx(0.3, abs=0.06)
