"""The second layer from active rows, and the gradient at initialisation, as tasks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from methods.sparsity.initial_gradient import LOSSES, DrawSlopes, InitialGradientTask, Start
from methods.sparsity.sabotage import ForgetfulProduct
from methods.sparsity.second_layer import (
    DenseProduct,
    Product,
    SecondLayers,
    SecondLayerTask,
    SparseProduct,
    operations,
)
from tests.methods.sparsity.worlds import FakeContext

TASK = SecondLayerTask(shapes=((8, 32, 5), (16, 64, 64)), tokens=6)


def test_products_from_active_rows_are_exact_and_counted() -> None:
    ctx = FakeContext()
    for method in (SparseProduct(), DenseProduct()):
        parts = TASK.evaluate(method.run(TASK.problem(ctx), ctx), ctx).parts
        assert (np.array(parts["main"]["error"]) <= parts["main"]["tolerance"]).all()
    dense = np.array(parts["flops"]["flops"])
    assert dense.tolist() == [2 * 8 * 32, 2 * 16 * 64]
    sparse = TASK.evaluate(SparseProduct().run(TASK.problem(ctx), ctx), ctx).parts["flops"]
    # One token has no active entry, one has all, and the others have five.
    assert sparse["flops"][0] == pytest.approx(2 * 8 * (32 + 4 * 5) / 6)
    assert sparse["error"] == [0.0, 0.0]


class PaddedProduct(SparseProduct):
    """Every token takes as many rows as the fullest one."""

    def run(self, problem: SecondLayers, ctx: FakeContext) -> list[Product]:  # type: ignore[override]
        from methods.sparsity.sparse_layer import SparseSecondLayer

        def product(case: Any) -> Product:
            def padded(maps: torch.Tensor) -> torch.Tensor:
                values, neurons = maps.topk(int((maps != 0).sum(1).max()), dim=1)
                return SparseSecondLayer(case.layer).padded(values, neurons)

            return Product(case, padded(case.maps), padded)

        return [product(case) for case in problem.cases]


@pytest.mark.parametrize("method", [DenseProduct(), PaddedProduct()], ids=["dense", "padded"])
def test_operations_are_those_that_were_executed(method: SparseProduct) -> None:
    """No formula is believed: the same outputs from more rows count as more."""
    ctx = FakeContext()
    parts = TASK.evaluate(method.run(TASK.problem(ctx), ctx), ctx).parts
    assert (np.array(parts["main"]["error"]) <= parts["main"]["tolerance"]).all()
    assert parts["flops"]["confirmed"][0]
    assert parts["flops"]["flops"][0] == 2 * 8 * 32


def test_rows_of_inactive_neurons_are_not_read() -> None:
    ctx = FakeContext()
    (case, _) = TASK.problem(ctx).cases
    used = (case.maps[2] != 0).nonzero().squeeze(1)
    with torch.no_grad():
        poisoned = torch.full_like(case.layer.weight, torch.nan)
        poisoned[:, used] = case.layer.weight[:, used]
        case.layer.weight.copy_(poisoned)
    one = replace(case, maps=case.maps[2:3])
    (sparse,), (dense,) = (
        method.run(SecondLayers((one,)), ctx) for method in (SparseProduct(), DenseProduct())
    )
    assert torch.isfinite(sparse.out).all()
    assert not torch.isfinite(dense.out).any()
    assert operations(sparse) == 2 * 8 * 5


def test_a_forgotten_row_is_found_and_confirmed() -> None:
    ctx = FakeContext()
    parts = TASK.evaluate(ForgetfulProduct().run(TASK.problem(ctx), ctx), ctx).parts
    for part in (parts["main"], parts["flops"]):
        assert (np.array(part["error"]) > part["tolerance"]).all()
        assert all(part["confirmed"])


def test_the_theorem_holds_in_every_case() -> None:
    task, ctx = InitialGradientTask(random=5), FakeContext()
    parts = task.evaluate(DrawSlopes(draws=4000).run(task.problem(ctx), ctx), ctx).parts
    assert set(parts) == set(LOSSES)
    for part in parts.values():
        assert len(part["case"]) == 6
        assert (np.array(part["error"]) < part["tolerance"]).all()
        least = np.array(part["least"])
        assert (least[~np.isnan(least)] > 0).all()


def test_targets_are_one_hot_mixed_and_beyond() -> None:
    cases = InitialGradientTask(random=6).problem(FakeContext()).cases
    assert all(case.target.sum() == pytest.approx(1) for case in cases)
    assert any((case.target < 0).any() for case in cases)
    assert any(((case.target > 0) & (case.target < 1)).all() for case in cases)


class KnowingLayers(DrawSlopes):
    """The last layer depends on the target, as after training."""

    def last_layers(self, case: Start, rng: np.random.Generator) -> NDArray[np.float64]:
        return super().last_layers(case, rng) + 2.0 * case.sigma * case.target[:, None]


def test_a_layer_that_knows_the_target_breaks_it() -> None:
    task, ctx = InitialGradientTask(random=5), FakeContext()
    parts = task.evaluate(KnowingLayers(draws=2000).run(task.problem(ctx), ctx), ctx).parts
    assert all(any(part["confirmed"]) for part in parts.values())
