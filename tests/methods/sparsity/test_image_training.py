"""Training on images as the engine runs it, and what is scored."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch

from harness.method import DivergedError, ProblemError
from methods.sparsity.activation import L1Penalty, RandomK, Relu, TopK
from methods.sparsity.image_task import KINDS, ImageTask
from methods.sparsity.method import Train
from methods.sparsity.sabotage import FixedNeurons, RandomKAtInference, StoppedGradient, Untrained
from methods.sparsity.scoring import ACCURACY, ECE, NNZ
from methods.sparsity.sizes import MixerSize, MlpSize, VitSize
from methods.sparsity.task import looks
from methods.sparsity.training import Recipe, make_optimizer
from tests.methods.sparsity.worlds import watched

SIZE = VitSize(d_model=16, d_ff=32, layers=2)
TASK = ImageTask(size=SIZE, steps=12, warmup=2, batch=32, counted=64, test=80)


def trained(task: ImageTask, method: Any, **changes: Any) -> tuple[dict[str, Any], Any]:
    ctx = watched(task, **changes)
    result = method.run(task.problem(ctx), ctx)
    return dict(task.evaluate(result, ctx).parts), ctx


def test_counts_agree_with_brute_force() -> None:
    ctx = watched(TASK)
    result = Train().run(TASK.problem(ctx), ctx)
    rows = TASK.evaluate(result, ctx).parts["test"]
    sets = TASK.sets(ctx)
    seen: list[torch.Tensor] = []
    block = result.model.blocks[1].mlp  # type: ignore[union-attr,index]
    handle = block.down.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    with torch.no_grad():
        result.model(sets.scaler(sets.test.pixels))
    handle.remove()
    active = (torch.cat(seen) > 0).float()
    assert rows["nnz"][1] == pytest.approx(100 * float(active.mean()))
    assert rows["count"][1] == pytest.approx(float(active.sum(-1).mean()))
    assert rows["highest"][1] == pytest.approx(100 * float(active.mean((0, 1)).max()))


def test_one_training_gives_all_parts() -> None:
    parts, ctx = trained(replace(TASK, corrupted=True, curve=True), Train())
    assert set(parts) == {"train", "test", "neurons", "gap", "main", "fit", "validation", *KINDS}
    assert [step for step, _ in ctx.probes] == list(looks(12))
    assert [step for step, _ in trained(TASK, Train())[1].probes] == [0]
    first = ctx.probes[0][1].parts
    assert set(first) == {"train"}
    assert float(np.mean(first["train"]["nnz"])) == pytest.approx(50, abs=12)
    gaps = np.abs(np.subtract(parts["train"]["nnz"], parts["test"]["nnz"]))
    assert parts["gap"]["gap"] == [pytest.approx(gaps.max())]
    assert (np.diff(parts["neurons"]["rate"]) <= 0).all()
    assert len(parts["main"]["unit_id"]) == len(set(parts["main"]["unit_id"])) == 80
    assert 0 <= ECE(parts["main"]) <= 100
    # Five severities: shares of fifths.
    assert np.allclose(parts["shot"]["correct"] * 5 % 1, 0)


def test_tuning_sees_validation_images_only() -> None:
    parts, ctx = trained(TASK, Train(), stage="tune")
    assert list(parts) == ["validation"]
    assert len(parts["validation"]["loss"]) == 200
    after, _ = trained(TASK, Train())
    # Committed results put both in one table.
    for key, column in after["validation"].items():
        assert np.asarray(parts["validation"][key]).dtype.kind == np.asarray(column).dtype.kind
    assert ctx.probes == []


def test_same_seed_same_model_and_all_activations_start_alike() -> None:
    first, again = (trained(TASK, Train())[0]["main"] for _ in range(2))
    assert all(np.array_equal(first[key], again[key]) for key in first)
    starts = [trained(TASK, Untrained(activation=a))[1] for a in (Relu(), TopK(32), RandomK(32))]
    rows = [ctx.probes[0][1].parts["train"]["nnz"] for ctx in starts]
    assert rows[0] == rows[1] == rows[2]


@pytest.mark.parametrize("keep", [1, 4])
def test_top_k_bounds_the_count(keep: int) -> None:
    parts, _ = trained(TASK, Train(activation=TopK(keep)))
    assert max(parts["test"]["count"]) <= keep
    assert max(parts["test"]["count95"]) <= keep


def test_k_of_all_neurons_is_the_dense_model() -> None:
    dense, top = (trained(TASK, Train(activation=a))[0]["main"] for a in (Relu(), TopK(32)))
    assert np.array_equal(dense["loss"], top["loss"])


def test_a_penalty_on_activations_lowers_them() -> None:
    long = replace(TASK, steps=40)
    plain, penalised = (
        trained(long, Train(activation=a, rate=5e-3))[0]["train"] for a in (Relu(), L1Penalty(0.3))
    )
    assert np.mean(penalised["nnz"]) < np.mean(plain["nnz"]) - 5


@pytest.mark.parametrize("size", [MixerSize(d_model=16, d_tokens=16, d_ff=32, layers=1), MlpSize(d_ff=64)])
def test_other_architectures(size: Any) -> None:
    parts, _ = trained(replace(TASK, size=size), Train())
    assert len(parts["train"]["nnz"]) == (2 if isinstance(size, MixerSize) else 1)


def test_narrower_blocks() -> None:
    parts, _ = trained(TASK, Train(d_ff=8))
    assert np.allclose(np.array(parts["train"]["count"]) / np.array(parts["train"]["nnz"]), 8 / 100)


def test_untrained_stays_where_it_was() -> None:
    parts, ctx = trained(TASK, Untrained())
    assert parts["train"]["nnz"] == ctx.probes[0][1].parts["train"]["nnz"]


def test_without_a_gradient_into_pre_activations_it_learns_and_no_sparsity_emerges() -> None:
    longer = replace(TASK, steps=120, warmup=12)
    (free, before), (held, at_first) = (
        trained(longer, Train(rate=1e-2, activation=activation)) for activation in (Relu(), StoppedGradient())
    )
    fallen = [
        np.mean(ctx.probes[0][1].parts["train"]["nnz"]) - np.mean(parts["train"]["nnz"])
        for parts, ctx in ((free, before), (held, at_first))
    ]
    assert fallen[0] > 5
    assert abs(fallen[1]) < 3
    assert ACCURACY(held["main"]) > 35


def test_a_random_cut_trains_densely_and_costs_accuracy() -> None:
    longer = replace(TASK, steps=120, warmup=12)
    dense, cut = (
        trained(longer, Train(rate=1e-2, activation=activation))[0]
        for activation in (Relu(), RandomKAtInference(1))
    )
    assert ACCURACY(cut["main"]) < ACCURACY(dense["main"]) - 3
    assert max(cut["test"]["count"]) <= 1


def test_fixed_neurons_are_half_dead_and_half_always_on() -> None:
    parts, _ = trained(TASK, Train(activation=FixedNeurons()))
    assert parts["test"]["nnz"] == [50.0, 50.0]
    assert parts["test"]["dead"] == [50.0, 50.0]
    assert parts["test"]["highest"] == [100.0, 100.0]
    assert parts["test"]["rate05"] == parts["test"]["rate10"] == [0.0, 0.0]
    assert NNZ({"nnz": np.array(parts["test"]["nnz"])}) == 50.0


def test_divergence_and_unknown_optimizers_are_named() -> None:
    with pytest.raises(DivergedError):
        trained(replace(TASK, steps=20), Train(optimizer="sgd", rate=1e20))
    with pytest.raises(ProblemError, match="adamw"):
        trained(TASK, Train(optimizer="lion"))


def test_schedule_warms_up_and_ends_at_zero() -> None:
    recipe = Recipe("adamw", 1.0, steps=10, warmup=4)
    factors = [recipe.factor(step) for step in range(11)]
    assert factors[:4] == [0.25, 0.5, 0.75, 1.0]
    assert factors[4] == 1.0
    assert all(a >= b for a, b in pairwise(factors[4:]))
    assert factors[10] == pytest.approx(0.0, abs=1e-12)
    optimizer = make_optimizer(recipe, torch.nn.Linear(2, 2))
    assert optimizer.param_groups[0]["weight_decay"] == 0.0


def test_looks_begin_with_the_start() -> None:
    assert looks(1)[0] == 0
    assert looks(600) == (0, 4, 16, 64, 256)
    assert looks(600, curve=False) == (0,)
    assert max(looks(1000)) < 1000


@pytest.mark.slow
def test_training_makes_activations_sparse_and_learns_digits() -> None:
    task = ImageTask(steps=300, warmup=30, batch=32)
    parts, ctx = trained(task, Train(rate=8e-3), seed=5)
    assert np.mean(parts["train"]["nnz"]) < np.mean(ctx.probes[0][1].parts["train"]["nnz"]) - 5
    assert ACCURACY(parts["main"]) > 80
