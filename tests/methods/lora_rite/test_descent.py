"""Tasks without language models, as the engine runs them."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.engine.context import Loader, TrialContext
from harness.method import DivergedError
from methods.lora_rite.cost import StepCost, TakeSteps, Train, TrainingCost
from methods.lora_rite.descent import Descend, Factored, Rescaled, TinyTransformer
from methods.lora_rite.online import Follow, LinearLosses, Unbalanced
from methods.lora_rite.regression import FitLinear, LinearRegression


def context(tmp_path: Path, seed: int = 7, stage: Any = "main") -> TrialContext:
    return TrialContext(
        seed=seed,
        stage=stage,
        device="cpu",
        dtype="float32",
        threads=1,
        scratch=tmp_path,
        loader=Loader(),
        paths={},
    )


@pytest.fixture
def ctx(tmp_path: Path) -> TrialContext:
    return context(tmp_path)


def solve(task: Any, method: Any, ctx: TrialContext) -> dict[str, Any]:
    method = pickle.loads(pickle.dumps(method))  # noqa: S301
    return dict(task.evaluate(method.run(task.problem(ctx), ctx), ctx).parts)


@pytest.mark.parametrize("task", [Factored(kind="general", random=4), TinyTransformer(steps=4)], ids=repr)
def test_only_rite_stays_on_its_way(task: Any, ctx: TrialContext) -> None:
    for plain in (True, False):
        parts = solve(task, Descend(plain=plain), ctx)
        assert max(parts["main"]["error"]) < parts["main"]["tolerance"][0]
        assert not any(parts["main"]["confirmed"])
        assert not any(parts["witness"]["witness"])
    parts = solve(task, Descend(optimizer="adam"), ctx)
    assert all(parts["main"]["confirmed"])
    assert all(np.logical_and(parts["witness"]["witness"], parts["witness"]["confirmed"]))


def test_a_run_that_does_not_move_is_no_success(ctx: TrialContext) -> None:
    # Dividing by the way that Z went must not turn a standstill into perfect agreement.
    parts = solve(Factored(kind="scale", random=1, steps=0), Descend(), ctx)
    assert parts["main"]["error"] == [float("inf")] * 2


def test_first_steps_and_their_closed_formulas(ctx: TrialContext) -> None:
    rite, adam = (solve(Rescaled(), Descend(optimizer=name), ctx) for name in ("rite", "adam"))
    assert np.abs(rite["main"]["error"]).max() < 1e-9
    assert np.abs(adam["slope"]["error"]).max() < 1e-6
    assert min(np.abs(rite["slope"]["error"])) > 1.9


def test_regression_reaches_the_noise_from_every_scale(ctx: TrialContext) -> None:
    def error(optimizer: str, rate: float, scale: float) -> float:
        task = LinearRegression(scale=scale)
        return float(np.mean(solve(task, FitLinear(optimizer=optimizer, rate=rate), ctx)["main"]["error"]))

    assert error("rite", 0.1, 100.0) == pytest.approx(error("rite", 0.1, 0.01), rel=1e-3)
    assert error("rite", 0.1, 1.0) < 0.0105
    assert error("adam", 0.03, 1.0) < 0.0105
    assert error("adam", 0.03, 100.0) > 0.1


def test_regression_that_diverges_says_so(ctx: TrialContext) -> None:
    with pytest.raises(DivergedError):
        solve(LinearRegression(), FitLinear(optimizer="gd", rate=1e9), ctx)


def test_tuning_sees_a_part_of_its_own(tmp_path: Path) -> None:
    parts = solve(LinearRegression(steps=5), FitLinear(), context(tmp_path, 1, "tune"))
    assert list(parts) == ["validation"]
    parts = solve(Unbalanced(worlds=1, steps=5), Follow(), context(tmp_path, 1, "tune"))
    assert list(parts) == ["validation"]


def test_first_order_terms_fall_with_the_root_of_time(ctx: TrialContext) -> None:
    task = LinearLosses(worlds=1, steps=256)
    assert solve(task, Follow(), ctx)["main"]["exponent"][0] == pytest.approx(-0.5, abs=0.15)
    assert solve(task, Follow(optimizer="gd"), ctx)["main"]["exponent"][0] == pytest.approx(0, abs=0.1)


def test_imbalance_hurts_matrix_adagrad_only(ctx: TrialContext) -> None:
    def loss(optimizer: str, rate: float, imbalance: float) -> float:
        task = Unbalanced(imbalance=imbalance, worlds=1, steps=60)
        return float(solve(task, Follow(optimizer=optimizer, rate=rate), ctx)["main"]["loss"][0])

    assert loss("rite-sum", 3.0, 10.0) == pytest.approx(loss("rite-sum", 3.0, 1.0), rel=1e-6)
    assert loss("matrix-adagrad", 1.0, 10.0) > 2 * loss("matrix-adagrad", 1.0, 1.0)
    split = [Unbalanced(imbalance=s, worlds=1, steps=20) for s in (1.0, 10.0)]
    same = [solve(task, Follow("matrix-adagrad", 1.0, balance=True), ctx)["main"]["loss"] for task in split]
    assert same[0] == pytest.approx(same[1], rel=1e-9)


def test_state_is_counted_and_inputs_stay(ctx: TrialContext) -> None:
    task = StepCost(layers=1, shapes=((40, 30),), ranks=(2,))
    problem = task.problem(ctx)
    before = problem.pairs[2][0].a.detach().clone()
    spent = TakeSteps(rank=2, repeats=2).run(problem, ctx)
    assert spent.trained == 140
    assert spent.state == 2 * 140 + 2 * (2 * 2 + 2 + 2)
    assert (problem.pairs[2][0].a.detach() == before).all()


def test_training_steps_leave_the_models_as_they_were(ctx: TrialContext) -> None:
    task = TrainingCost(small=(1, 16), large=(1, 32), rows=2, length=8, rank=4)
    problem = task.problem(ctx)
    _, _, pairs = problem.open("large")
    before = [pair.a.detach().clone() for pair in pairs]
    for size in ("small", "large"):
        assert Train(size=size, repeats=1).run(problem, ctx) == 1
    assert all((pair.a.detach() == a).all() for pair, a in zip(pairs, before, strict=True))
    assert all(pair.a.grad is None for pair in pairs)
