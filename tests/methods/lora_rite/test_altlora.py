"""AltLoRA beside the least-squares problems that define it."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor

from methods.lora_rite import Pair
from methods.lora_rite.altlora import AltLora
from methods.lora_rite.optimizers import make_optimizer
from tests.methods.lora_rite.golden import DOUBLE, A, B, give_gradients, tall_pair


def slopes(count: int) -> list[Tensor]:
    rng = torch.Generator().manual_seed(5)
    return [torch.randn(len(A), len(B), generator=rng, **DOUBLE) for _ in range(count)]


def nearest(product: Tensor, partner: Tensor) -> Tensor:
    """The D for which D Yᵀ is nearest to a product."""
    found: Tensor = torch.linalg.lstsq(partner, product.mT).solution.mT
    return found


def by_hand(rate: float, beta: float, count: int) -> tuple[Tensor, Tensor]:
    """Each factor in turn, with its momentum kept as a product."""
    factors = {"b": B.clone(), "a": A.clone()}
    momentum: dict[str, Tensor] = {}
    for step, slope in enumerate(slopes(count)):
        mover, partner = ("b", "a") if step % 2 == 0 else ("a", "b")
        full = slope.mT if mover == "b" else slope
        moment = (1 - beta) * nearest(full, factors[partner])
        if mover in momentum:
            moment = moment + beta * nearest(momentum[mover], factors[partner])
        momentum[mover] = moment @ factors[partner].mT
        factors[mover] = factors[mover] - rate * moment
    return factors["a"], factors["b"]


@pytest.mark.parametrize("beta", [0.0, 0.9])
def test_steps_are_least_squares_in_turn(beta: float) -> None:
    pair = tall_pair(A, B)
    optimizer = AltLora([pair], 0.05, beta=beta, ridge=0.0)
    for slope in slopes(6):
        give_gradients(pair, slope)
        optimizer.step()
    for found, expected in zip((pair.a, pair.b), by_hand(0.05, beta, 6), strict=True):
        torch.testing.assert_close(found.detach(), expected, rtol=1e-9, atol=1e-12)


def test_one_factor_moves_at_a_time_b_first() -> None:
    pair = Pair(torch.randn(2, 5, requires_grad=True), torch.zeros(4, 2, requires_grad=True))
    optimizer = make_optimizer("alt-lora", [pair], 0.1)
    for step in range(3):
        before = pair.a.detach().clone(), pair.b.detach().clone()
        optimizer.zero_grad()
        (pair.b @ pair.a - 1.0).square().sum().backward()
        optimizer.step()
        assert torch.equal(pair.a, before[0]) == (step % 2 == 0)
        assert torch.equal(pair.b, before[1]) == (step % 2 == 1)


def test_training_goes_on_from_a_saved_state() -> None:
    whole, pair = tall_pair(A, B), tall_pair(A, B)
    optimizer = AltLora([whole], 0.05)
    for slope in slopes(5):
        give_gradients(whole, slope)
        optimizer.step()
    first = AltLora([pair], 0.05)
    for slope in slopes(5)[:2]:
        give_gradients(pair, slope)
        first.step()
    second = AltLora([pair], 0.05)
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    for slope in slopes(5)[2:]:
        give_gradients(pair, slope)
        second.step()
    assert torch.equal(whole.a, pair.a)
    assert torch.equal(whole.b, pair.b)
