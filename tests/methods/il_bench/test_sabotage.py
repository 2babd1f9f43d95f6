"""A broken search is broken in what it says, and in nothing that it costs."""

from __future__ import annotations

from methods.il_bench.method import LSP
from methods.il_bench.sabotage import Backwards
from methods.il_bench.task import SynTreeTask
from tests.methods.context import FakeContext


def test_undone_expansions_lose_accuracy_at_the_same_cost() -> None:
    task = SynTreeTask(train=80, validation=10, test=20)
    ctx = FakeContext(seed=5)
    right, wrong = (method.run(task.problem(ctx), ctx) for method in (LSP(), Backwards()))
    assert wrong.spent == right.spent
    assert wrong.growth == right.growth[::-1]
    errors = {
        name: list(task.evaluate(result, ctx).parts["growth"]["error"])
        for name, result in (("right", right), ("wrong", wrong))
    }
    assert set(errors["right"]) == {0.0}
    assert max(errors["wrong"]) > 0
