"""K, L and the type of the weights by measured time."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from harness.method import ProblemError
from methods.spectr import method as m
from methods.spectr.calibration import SIZES, TYPES, choose, knocked_out
from methods.spectr.task import PairProblem
from tests.methods.spectr.test_method import continuation, ctx, pair, solve
from tests.methods.spectr.worlds import FakeContext

__all__ = ["ctx", "pair"]


class Clock:
    """Stands still but for what candidates spend."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_fastest_for_each_token_is_left() -> None:
    clock = Clock()
    asked: dict[str, list[int]] = {"slow": [], "quick": [], "more tokens": [], "slower": []}

    def candidate(name: str, seconds: float, tokens: int) -> Any:
        def decode(prompt: list[int]) -> int:
            asked[name].append(prompt[0])
            clock.now += seconds
            return tokens

        return decode

    costs = {"slow": (4.0, 4), "quick": (1.0, 2), "more tokens": (2.0, 5), "slower": (9.0, 4)}
    tried = {name: candidate(name, *cost) for name, cost in costs.items()}
    pace, best = knocked_out(tried, [[0], [1], [2], [3]], clock)
    assert best == "more tokens"
    expected = {name: seconds / tokens for name, (seconds, tokens) in costs.items()}
    assert pace == pytest.approx(expected)
    # The first prompt warms up; then all see the same ones, until they fall out.
    long, short = [0, 1, 2, 3, 1], [0, 1, 2]
    assert asked == {"slow": short, "quick": long, "more tokens": long, "slower": short}


def test_one_interruption_does_not_decide() -> None:
    clock = Clock()
    late = iter([1.0, 1.0, 4.0, 1.0, 1.0, 1.0, 1.0, 1.0])

    def quick(prompt: list[int]) -> int:
        clock.now += next(late)
        return len(prompt)

    def slow(prompt: list[int]) -> int:
        clock.now += 1.4
        return len(prompt)

    assert knocked_out({"quick": quick, "slow": slow}, [[0], [1], [2]], clock, each=6)[1] == "quick"


def test_all_kinds_are_measured_with_the_type_that_plain_sampling_is_fastest_in() -> None:
    clock = Clock()
    best = {None: (1, 0), "one": (1, 3), "several": (4, 2), "assisted": (1, 2)}

    def run(dtype: str, kind: Any, size: tuple[int, int], prompt: list[int]) -> int:
        del prompt
        assert kind is None or dtype == "bfloat16"
        clock.now += (1.0 if dtype == "bfloat16" else 1.5) + (size != best[kind])
        return 10

    found = choose(run, [[0], [1], [2]], TYPES, clock=clock)
    assert found.dtype == "bfloat16"
    assert found.sizes == {kind: size for kind, size in best.items() if kind}
    rows = found.rows()
    assert len(rows["unit_id"]) == len(TYPES) + sum(map(len, SIZES.values()))
    assert sum(rows["chosen"]) == 1 + len(SIZES)
    assert rows["seconds"][rows["chosen"].index(True)] == pytest.approx(0.1)


def test_methods_take_what_was_chosen_and_pilots_are_not_among_the_prompts(ctx: FakeContext) -> None:
    task = continuation(pilots=3, tokens=4, measure="blocks")
    problem = task.problem(ctx)
    assert isinstance(problem, PairProblem)
    assert problem.choice is not None
    assert list(problem.prompts) == list(continuation().problem(ctx).prompts)
    for method, kind in (
        (m.SpecTr(fastest=True), "several"),
        (m.Speculative(fastest=True), "one"),
        (m.Assisted(fastest=True), "assisted"),
    ):
        result = method.run(problem, ctx)
        if kind != "assisted":
            assert (result.drafts, result.length) == problem.choice.sizes[kind]  # type: ignore[index]
        rows = task.evaluate(result, ctx).parts["choice"]
        assert sum(rows["chosen"]) == 4
        assert all(value > 0 for value in rows["seconds"])
    assert problem.target_model().dtype is getattr(torch, problem.choice.dtype)


def test_without_a_measurement_there_is_no_fastest(ctx: FakeContext) -> None:
    with pytest.raises(ProblemError, match="measured"):
        solve(continuation(), m.SpecTr(fastest=True), ctx)
