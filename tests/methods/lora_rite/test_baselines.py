"""Baselines beside PyTorch's optimizers and plain formulas."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.optim import Optimizer

from harness.method import DivergedError, ProblemError
from methods.lora_rite import Lamb, LoraPlus, Pair, ScaledAdam, ScaledGD, Shampoo
from methods.lora_rite.baselines import MatrixAdagrad
from methods.lora_rite.optimizers import MAKERS, make_optimizer
from methods.lora_rite.pairs import contributions
from tests.methods.lora_rite.golden import DOUBLE, SLOPE, A, B, give_gradients, tall_pair


def slopes(count: int) -> list[Tensor]:
    rng = torch.Generator().manual_seed(5)
    return [torch.randn(3, 4, generator=rng, **DOUBLE) for _ in range(count)]


def train(make: Callable[[Pair], Optimizer], steps: int = 4) -> Pair:
    pair = tall_pair(A, B)
    optimizer = make(pair)
    for slope in slopes(steps):
        give_gradients(pair, slope)
        optimizer.step()
    return pair


def assert_equal(left: Pair, right: Pair) -> None:
    torch.testing.assert_close(left.a.detach(), right.a.detach(), rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(left.b.detach(), right.b.detach(), rtol=1e-9, atol=1e-12)


def test_lora_plus_is_adam_with_a_larger_rate_for_b() -> None:
    pair = tall_pair(A, B)
    first, second = torch.optim.Adam([pair.a], 0.05), torch.optim.Adam([pair.b], 0.2)
    for slope in slopes(4):
        give_gradients(pair, slope)
        first.step()
        second.step()
    assert_equal(train(lambda p: LoraPlus([p], 0.05, ratio=4.0)), pair)


def preconditioned(pair: Pair, ridge: float) -> None:
    a, b = pair.a.detach(), pair.b.detach()
    unit = ridge * torch.eye(2, **DOUBLE)
    assert pair.a.grad is not None
    assert pair.b.grad is not None
    pair.a.grad = pair.a.grad @ torch.linalg.inv(b.mT @ b + unit)
    pair.b.grad = pair.b.grad @ torch.linalg.inv(a.mT @ a + unit)


@pytest.mark.parametrize(
    ("ours", "plain"),
    [
        (lambda p: ScaledAdam([p], 0.05, ridge=1e-3), lambda p: torch.optim.Adam([p.a, p.b], 0.05)),
        (lambda p: ScaledGD([p], 0.05, ridge=1e-3), lambda p: torch.optim.SGD([p.a, p.b], 0.05)),
    ],
)
def test_scaled_optimizers_are_plain_ones_on_preconditioned_gradients(
    ours: Callable[[Pair], Optimizer], plain: Callable[[Pair], Optimizer]
) -> None:
    pair = tall_pair(A, B)
    optimizer = plain(pair)
    for slope in slopes(4):
        give_gradients(pair, slope)
        preconditioned(pair, 1e-3)
        optimizer.step()
    assert_equal(train(ours), pair)


def test_lamb_is_adam_with_a_trust_ratio() -> None:
    pair = train(lambda p: Lamb([p.a, p.b], 0.1, eps=1e-6))
    for factor, start, index in ((pair.a, A, 0), (pair.b, B, 1)):
        x = start.numpy().copy()
        other = tall_pair(A, B)
        first, second = np.zeros_like(x), np.zeros_like(x)
        twin = Lamb([other.a, other.b], 0.1, eps=1e-6)
        for t, slope in enumerate(slopes(4), start=1):
            give_gradients(other, slope)
            gradient = (other.a.grad, other.b.grad)[index]
            assert gradient is not None
            g = gradient.numpy()
            first, second = 0.9 * first + 0.1 * g, 0.999 * second + 0.001 * g * g
            u = first / (1 - 0.9**t) / (np.sqrt(second / (1 - 0.999**t)) + 1e-6)
            x -= 0.1 * np.linalg.norm(x) / np.linalg.norm(u) * u
            twin.step()
        np.testing.assert_allclose(factor.detach().numpy(), x, rtol=1e-9)


def test_lamb_takes_adams_step_from_zero() -> None:
    pair = tall_pair(A, torch.zeros_like(B))
    give_gradients(pair, SLOPE)
    Lamb([pair.a, pair.b], 0.1).step()
    assert torch.equal(pair.a.detach(), A)
    torch.testing.assert_close(pair.b.detach(), -0.1 * torch.sign(SLOPE.mT @ A), rtol=1e-4, atol=1e-6)


def power(matrix: Tensor, exponent: float) -> Tensor:
    values, vectors = torch.linalg.eigh(matrix)
    return (vectors * values**exponent) @ vectors.mT


def test_shampoo_is_its_formula() -> None:
    ours = train(lambda p: Shampoo([p.a, p.b], 0.05, eps=1e-2, beta=0.0, every=1, decay=1.0))
    other = tall_pair(A, B)
    left, right = 1e-2 * torch.eye(3, **DOUBLE), 1e-2 * torch.eye(2, **DOUBLE)
    partner = Shampoo([other.b], 0.05, eps=1e-2, beta=0.0, every=1, decay=1.0)
    for slope in slopes(4):
        give_gradients(other, slope)
        g = other.a.grad
        assert g is not None
        left, right = left + g @ g.mT, right + g.mT @ g
        partner.step()
        with torch.no_grad():
            other.a.sub_(0.05 * power(left, -0.25) @ g @ power(right, -0.25))
    assert_equal(ours, other)


def test_shampoo_keeps_old_roots_between_recomputations() -> None:
    rare = train(lambda p: Shampoo([p.a, p.b], 0.05, every=2), steps=4)
    often = train(lambda p: Shampoo([p.a, p.b], 0.05, every=1), steps=4)
    same = train(lambda p: Shampoo([p.a, p.b], 0.05, every=2), steps=3)
    early = train(lambda p: Shampoo([p.a, p.b], 0.05, every=1), steps=3)
    assert_equal(same, early)
    assert not torch.equal(rare.a, often.a)


def test_matrix_adagrad_whitens_its_first_step() -> None:
    pair = tall_pair(A, B)
    give_gradients(pair, SLOPE)
    MatrixAdagrad([pair], 0.1).step()
    step = (A - pair.a.detach()) / 0.1
    torch.testing.assert_close(step.mT @ step, torch.eye(2, **DOUBLE))


def test_shampoo_refuses_gradients_that_are_not_finite() -> None:
    pair = tall_pair(A, B)
    give_gradients(pair, SLOPE * float("inf"))
    with pytest.raises(DivergedError, match="not finite"):
        Shampoo([pair.a, pair.b]).step()


@pytest.mark.parametrize(("scale", "expected"), [(0.1, (4.093, 0.05292)), (10.0, (0.04093, 5.292))])
def test_adams_contributions_go_with_the_split(scale: float, expected: tuple[float, float]) -> None:
    pair = tall_pair(A * scale, B / scale)
    before = [(pair.a.detach().clone(), pair.b.detach().clone())]
    give_gradients(pair, SLOPE)
    # At ε = 0 the golden gradient, in which one entry is 0, would give 0/0.
    torch.optim.Adam([pair.a, pair.b], 0.1, eps=1e-12).step()
    assert contributions([pair], before) == pytest.approx(expected, rel=2e-4)


@pytest.mark.parametrize("name", list(MAKERS))
def test_every_optimizer_is_known_by_name_and_descends(name: str) -> None:
    for plain in (False, True):
        pair = tall_pair(A, B)
        optimizer = make_optimizer(name, [pair], 1e-3, plain=plain)
        give_gradients(pair, 0.1 * SLOPE)
        optimizer.step()
        change = (pair.a.detach() @ pair.b.detach().mT - A @ B.mT) * SLOPE
        assert float(change.sum()) < 0


def test_unknown_optimizer_is_refused() -> None:
    with pytest.raises(ProblemError, match="no optimizer 'sgdd'"):
        make_optimizer("sgdd", [tall_pair(A, B)], 0.1)
