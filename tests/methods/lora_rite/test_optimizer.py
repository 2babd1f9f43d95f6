"""LoRA-RITE against golden values, closed formulas and a plain loop."""

from __future__ import annotations

import copy
import io
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from harness.method import DivergedError, ProblemError
from methods.common.master_weights import MasterWeights
from methods.lora_rite import LoraRite, Pair
from methods.lora_rite.matrices import polar
from tests.methods.lora_rite.golden import (
    DOUBLE,
    EXACT,
    SLOPE,
    A,
    B,
    SlowRite,
    follow,
    give_gradients,
    product,
    tall_pair,
)

DELTA_A = [[-0.042552, 0.033439], [-0.063719, -0.024108], [0.026731, -0.113731]]
DELTA_B = [[-0.091335, -0.035507], [0.088664, -0.077168], [0.044332, -0.038584], [-0.063667, -0.013587]]
DELTA_Z = [
    [-0.097749, 0.115749, -0.043949, -0.044693],
    [-0.152165, -0.182233, -0.206501, -0.034844],
    [-0.212245, -0.091089, 0.064783, -0.134277],
]


def one_step(a: Tensor, b: Tensor, slope: Tensor, **options: Any) -> Pair:
    pair = tall_pair(a, b)
    give_gradients(pair, slope)
    LoraRite([pair], 0.1, **{**EXACT, **options}).step()
    return pair


def test_golden_gradients_and_first_step() -> None:
    pair = tall_pair(A, B)
    give_gradients(pair, SLOPE)
    assert pair.a.grad is not None
    assert pair.b.grad is not None
    assert pair.a.grad.tolist() == [[1, -0.5], [2, 1], [0, 2.5]]
    assert pair.b.grad.tolist() == [[3, 2], [-2, 2], [-1, 1], [2, 1]]
    after = one_step(A, B, SLOPE)
    np.testing.assert_allclose((after.a.detach() - A).numpy(), DELTA_A, atol=6e-7)
    np.testing.assert_allclose((after.b.detach() - B).numpy(), DELTA_B, atol=6e-7)
    np.testing.assert_allclose((product(after) - A @ B.mT).numpy(), DELTA_Z, atol=6e-7)


@pytest.mark.parametrize("scale", [0.1, 1.0, 10.0])
def test_first_step_has_the_same_size_for_every_split(scale: float) -> None:
    a, b = A * scale, B / scale
    after = one_step(a, b, SLOPE)
    by_a, by_b = (after.a.detach() - a) @ b.mT, a @ (after.b.detach() - b).mT
    assert float(by_a.norm()) == pytest.approx(0.1 * (3 * 2) ** 0.5, rel=1e-10)
    assert float(by_b.norm()) == pytest.approx(0.1 * (4 * 2) ** 0.5, rel=1e-10)


def test_first_step_is_a_polar_factor_in_the_partners_basis() -> None:
    basis = torch.linalg.qr(B)[0]
    after = one_step(A, B, SLOPE)
    expected = -0.1 * 3**0.5 * polar(SLOPE @ basis) @ basis.mT
    torch.testing.assert_close((after.a.detach() - A) @ B.mT, expected)


def test_rank_one_golden() -> None:
    a, b = torch.tensor([[3.0], [4]], **DOUBLE), torch.tensor([[2.0], [0], [0]], **DOUBLE)
    after = one_step(a, b, torch.tensor([[1.0, 2, 3], [4, 5, 6]], **DOUBLE))
    np.testing.assert_allclose((after.a.detach() - a)[:, 0].numpy(), [-0.017150, -0.068599], atol=6e-7)
    np.testing.assert_allclose(
        (after.b.detach() - b)[:, 0].numpy(), [-0.014275, -0.019534, -0.024793], atol=6e-7
    )


def test_zero_b_moves_b_only_at_first_and_a_afterwards() -> None:
    pair = tall_pair(A, torch.zeros_like(B))
    optimizer = LoraRite([pair], 0.1, **EXACT)
    give_gradients(pair, SLOPE)
    optimizer.step()
    assert torch.equal(pair.a.detach(), A)
    assert float((A @ pair.b.detach().mT).norm()) == pytest.approx(0.1 * 8**0.5)
    before, partner = pair.a.detach().clone(), pair.b.detach().clone()
    give_gradients(pair, SLOPE)
    optimizer.step()
    # Half the usual weight of V and half the momentum: .744 of the steady size.
    size = float(((pair.a.detach() - before) @ partner.mT).norm())
    assert size == pytest.approx(0.18228, abs=5e-6)


def test_gradients_of_lower_rank_do_not_turn_rounding_into_steps() -> None:
    # From B = 0, a gradient of rank 1 leaves B with one direction; in float32 the others are noise.
    rng = torch.Generator().manual_seed(0)
    a, b = torch.randn(4, 12, generator=rng), torch.zeros(10, 4)
    target = torch.outer(torch.randn(10, generator=rng), torch.randn(12, generator=rng)) / 10
    pair = Pair(nn.Parameter(a.clone()), nn.Parameter(b), "pair")
    optimizer = LoraRite([pair], 0.01)
    losses = []
    for _ in range(40):
        gap = pair.b.detach() @ pair.a.detach() - target
        losses.append(float(gap.square().sum()))
        pair.a.grad, pair.b.grad = 0.1 * pair.b.detach().mT @ gap, 0.1 * gap @ pair.a.detach().mT
        optimizer.step()
    assert losses[-1] < 0.1 * losses[0]
    assert max(losses) <= 1.1 * losses[0]


def test_equivalent_zero_starts_stay_equivalent() -> None:
    turn = torch.tensor([[2.0, 1], [0.5, -1.5]], **DOUBLE)
    ways = [
        follow(lambda p: LoraRite([p], 0.1, **EXACT), a, torch.zeros_like(B), lambda z: z + SLOPE, 6)
        for a in (A, A @ turn)
    ]
    assert float((ways[0] - ways[1]).norm() / ways[0].norm()) < 1e-13


@pytest.mark.parametrize("mass", [True, False])
def test_equals_the_plain_loop(mass: bool) -> None:  # noqa: FBT001
    rng = np.random.default_rng(3)
    pair, slow = tall_pair(A, B), SlowRite(A.numpy(), B.numpy(), mass=mass)
    optimizer = LoraRite([pair], 0.05, mass=mass, **EXACT)
    for _ in range(12):
        slope = rng.normal(size=(3, 4))
        give_gradients(pair, torch.from_numpy(slope))
        optimizer.step()
        slow.step(slope, 0.05)
    np.testing.assert_allclose(pair.a.detach().numpy(), slow.factors[0], rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(pair.b.detach().numpy(), slow.factors[1], rtol=1e-9, atol=1e-11)


def library_pairs(seed: int = 0, kind: torch.dtype = torch.float64) -> list[Pair]:
    """Pairs of several shapes, some of them equal, as libraries keep them."""
    rng = torch.Generator().manual_seed(seed)
    shapes = [(6, 5), (9, 4), (6, 5), (4, 9), (6, 5)]
    pairs = []
    for number, (rows, columns) in enumerate(shapes):
        a, b = torch.randn(3, rows, generator=rng).to(kind), torch.randn(columns, 3, generator=rng).to(kind)
        pairs.append(Pair(nn.Parameter(a), nn.Parameter(b), f"layer {number}"))
    return pairs


def train(optimizer: LoraRite | Together, pairs: list[Pair], steps: range, scale: float = 0.1) -> None:
    for step in steps:
        rng = torch.Generator().manual_seed(step)
        for pair in pairs:
            pair.a.grad = (scale * torch.randn(pair.a.shape, generator=rng)).to(pair.a.dtype)
            pair.b.grad = (scale * torch.randn(pair.b.shape, generator=rng)).to(pair.b.dtype)
        optimizer.step()


def values(pairs: list[Pair]) -> list[Tensor]:
    return [factor.detach().clone() for pair in pairs for factor in (pair.a, pair.b)]


def test_pairs_of_all_shapes_together_are_as_each_alone() -> None:
    together, alone = library_pairs(), library_pairs()
    train(LoraRite(together, 0.05, clip=0.0, weight_decay=0.1), together, range(6))
    apart = Together([LoraRite([pair], 0.05, clip=0.0, weight_decay=0.1) for pair in alone])
    train(apart, alone, range(6))
    for left, right in zip(values(together), values(alone), strict=True):
        torch.testing.assert_close(left, right, rtol=1e-10, atol=1e-12)


class Together:
    """Several optimizers that step as one."""

    def __init__(self, optimizers: list[LoraRite]) -> None:
        self.optimizers = optimizers

    def step(self) -> None:
        for optimizer in self.optimizers:
            optimizer.step()


def test_orientation_does_not_matter() -> None:
    pair = Pair(nn.Parameter(A.mT.clone()), nn.Parameter(B.clone()), axes=(0, 1))
    pair.a.grad, pair.b.grad = (SLOPE @ B).mT, SLOPE.mT @ A
    LoraRite([pair], 0.1, **EXACT).step()
    torch.testing.assert_close(pair.a.detach().mT, one_step(A, B, SLOPE).a.detach())


def test_memoryless_limit_is_the_polar_formula_at_every_step() -> None:
    pair = tall_pair(A, B)
    optimizer = LoraRite([pair], 0.1, betas=(0.0, 0.0), mass=False, **EXACT)
    rng = torch.Generator().manual_seed(1)
    for _ in range(4):
        slope = torch.randn(3, 4, generator=rng, **DOUBLE)
        a, b = pair.a.detach().clone(), pair.b.detach().clone()
        basis = torch.linalg.qr(b)[0]
        give_gradients(pair, slope)
        optimizer.step()
        expected = -0.1 * 3**0.5 * polar(slope @ basis) @ basis.mT
        torch.testing.assert_close((pair.a.detach() - a) @ b.mT, expected, rtol=1e-8, atol=1e-10)


def test_orthogonal_equivariance_on_the_rows() -> None:
    turn = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(2), **DOUBLE))[0]

    def gap(make: Any) -> float:
        plain = follow(make, A, B, lambda z: SLOPE + z, 6)
        turned = follow(make, turn @ A, B, lambda z: turn @ SLOPE + z, 6)
        return float((turned - turn @ plain).norm() / plain.norm())

    assert gap(lambda p: LoraRite([p], 0.05, **EXACT)) < 1e-13
    assert gap(lambda p: torch.optim.Adam([p.a, p.b], 0.05)) > 0.01


def test_state_is_as_large_as_adams_but_for_small_matrices() -> None:
    pairs = library_pairs()
    optimizer = LoraRite(pairs)
    train(optimizer, pairs, range(1))
    kept = sum(value.numel() for state in optimizer.state.values() for value in state.values())
    trained = sum(factor.numel() for factor in values(pairs))
    assert kept == 2 * trained + 2 * len(pairs) * (3 * 3 + 3 + 2)


def test_resumed_training_equals_uninterrupted_training() -> None:
    whole, halved = library_pairs(), library_pairs()
    train(LoraRite(whole, 0.05), whole, range(8))
    first = LoraRite(halved, 0.05)
    train(first, halved, range(4))
    saved = io.BytesIO()
    torch.save(first.state_dict(), saved)
    saved.seek(0)
    second = LoraRite(halved, 0.05)
    second.load_state_dict(torch.load(saved, weights_only=True))
    train(second, halved, range(4, 8))
    for left, right in zip(values(whole), values(halved), strict=True):
        assert torch.equal(left, right)


def test_state_of_other_pairs_is_refused() -> None:
    saved = LoraRite(library_pairs()).state_dict()
    other = [Pair(p.a, p.b, f"other {i}") for i, p in enumerate(library_pairs())]
    with pytest.raises(ProblemError, match="other pairs"):
        LoraRite(other).load_state_dict(saved)


def test_low_precision_factors_keep_float32_state_also_after_loading() -> None:
    pairs = library_pairs(kind=torch.bfloat16)
    optimizer = LoraRite(pairs, 0.05)
    train(optimizer, pairs, range(3))
    again = LoraRite(pairs, 0.05)
    again.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    for state in again.state.values():
        assert {value.dtype for value in state.values()} == {torch.float32}
    train(again, pairs, range(3, 5))
    assert all(bool(torch.isfinite(factor).all()) for factor in values(pairs))
    assert {factor.dtype for factor in values(pairs)} == {torch.bfloat16}


def test_master_weights_keep_what_low_precision_would_lose() -> None:
    pairs, exact = library_pairs(kind=torch.bfloat16), library_pairs(kind=torch.bfloat16)
    for pair in exact:
        pair.a.data, pair.b.data = pair.a.data.float(), pair.b.data.float()
    wrapped = MasterWeights(LoraRite(pairs, 1e-4))
    reference = LoraRite(exact, 1e-4)
    for step in range(6):
        train(reference, exact, range(step, step + 1))
        for pair, twin in zip(pairs, exact, strict=True):
            assert twin.a.grad is not None
            assert twin.b.grad is not None
            pair.a.grad, pair.b.grad = twin.a.grad.bfloat16(), twin.b.grad.bfloat16()
        wrapped.step()
    masters = [x for group in wrapped.inner.param_groups for x in group["params"]]
    for left, right in zip(masters, values(exact), strict=True):
        torch.testing.assert_close(left.detach(), right, rtol=1e-3, atol=1e-3)


def test_float32_is_close_to_float64() -> None:
    # From one start, kept exactly by both precisions.
    exact, rough = library_pairs(), library_pairs(kind=torch.float32)
    train(LoraRite(exact, 0.01), exact, range(5))
    train(LoraRite(rough, 0.01), rough, range(5))
    for left, right in zip(values(exact), values(rough), strict=True):
        torch.testing.assert_close(right.double(), left, rtol=1e-3, atol=1e-3)


def test_groups_have_their_own_rates() -> None:
    left, right = tall_pair(A, B), tall_pair(A, B)
    optimizer = LoraRite([{"params": [left], "lr": 0.1}, {"params": [right], "lr": 0.0001}], **EXACT)
    for pair in (left, right):
        give_gradients(pair, SLOPE)
    optimizer.step()
    ratio = (left.a.detach() - A).norm() / (right.a.detach() - A).norm()
    assert float(ratio) == pytest.approx(1000.0, rel=1e-6)


def test_clipping_bounds_the_norm_of_all_unmagnified_gradients() -> None:
    def total(clip: float) -> float:
        pairs = [tall_pair(A, B), tall_pair(B, A)]
        give_gradients(pairs[0], SLOPE)
        give_gradients(pairs[1], 3 * SLOPE.mT)
        optimizer = LoraRite(pairs, 0.1, clip=clip, skip=0.0)
        optimizer.step()
        # V of the first step is the mean square of the gradient that was used.
        return sum(len(x) * float(state["second"].trace()) for x, state in optimizer.state.items())

    assert total(0.0) > 10
    assert total(1.0) == pytest.approx(1.0, rel=1e-9)
    assert total(1e6) == pytest.approx(total(0.0))


def test_a_factor_with_a_huge_gradient_is_skipped() -> None:
    pair = one_step(A, B, 1e3 * SLOPE, skip=1.0)
    assert torch.equal(pair.a.detach(), A)
    assert torch.equal(pair.b.detach(), B)


def test_moments_are_capped() -> None:
    capped = one_step(A, B, SLOPE, cap=0.25)
    free = one_step(A, B, SLOPE)
    torch.testing.assert_close(capped.a.detach() - A, 0.25 * (free.a.detach() - A))


def test_decay_is_coupled() -> None:
    decayed = one_step(A, B, SLOPE, weight_decay=0.5)
    free = one_step(A, B, SLOPE)
    torch.testing.assert_close(free.a.detach() - decayed.a.detach(), 0.1 * 0.5 * A)


def test_balance_changes_the_split_only() -> None:
    balanced, free = one_step(A, 9 * B, SLOPE, balance=True), one_step(A, 9 * B, SLOPE)
    torch.testing.assert_close(product(balanced), product(free))
    assert float(balanced.a.detach().norm()) == pytest.approx(float(balanced.b.detach().norm()))


def test_summed_moments_shrink_steps_as_the_root_of_time() -> None:
    pair = tall_pair(A, B)
    optimizer = LoraRite([pair], 1e-9, betas=(0.0, 0.0), second="sum", **EXACT)
    sizes = []
    for _ in range(16):
        before = pair.a.detach().clone()
        give_gradients(pair, SLOPE)
        optimizer.step()
        sizes.append(float((pair.a.detach() - before).norm()))
    assert sizes[3] / sizes[15] == pytest.approx(2.0, rel=1e-4)


def test_pairs_without_gradient_stay_as_they_are() -> None:
    pairs = library_pairs()
    optimizer = LoraRite(pairs, 0.05)
    train(optimizer, pairs, range(2))
    before = values(pairs)
    for pair in pairs[2:]:
        pair.a.grad = pair.b.grad = None
    optimizer.step()
    after = values(pairs)
    assert all(torch.equal(x, y) for x, y in zip(before[4:], after[4:], strict=True))
    assert not any(torch.equal(x, y) for x, y in zip(before[:4], after[:4], strict=True))
    train(optimizer, pairs, range(2, 4))
    assert [float(optimizer.state[pair.a]["step"]) for pair in pairs] == [5, 5, 4, 4, 4]


def test_bad_gradients_are_errors() -> None:
    pair = tall_pair(A, B)
    give_gradients(pair, SLOPE)
    pair.b.grad = None
    with pytest.raises(ProblemError, match="Only one factor"):
        LoraRite([pair]).step()
    give_gradients(pair, SLOPE * float("nan"))
    with pytest.raises(DivergedError, match="not finite"):
        LoraRite([pair]).step()


@pytest.mark.parametrize(
    "options", [{"lr": 0.0}, {"betas": (1.0, 0.9)}, {"eps": -1.0}, {"clip": -1.0}, {"lr": float("nan")}]
)
def test_bad_options_are_errors(options: dict[str, Any]) -> None:
    with pytest.raises(ProblemError, match="must be positive"):
        LoraRite([tall_pair(A, B)], **options)


@pytest.mark.gpu
def test_cuda_equals_cpu() -> None:
    pairs = library_pairs(kind=torch.float32)
    there = [Pair(nn.Parameter(p.a.cuda()), nn.Parameter(p.b.cuda()), p.name) for p in library_pairs()]
    here, cuda = LoraRite(pairs, 0.01), LoraRite(there, 0.01)
    for step in range(3):
        train(here, pairs, range(step, step + 1))
        for pair, own in zip(there, pairs, strict=True):
            assert own.a.grad is not None
            assert own.b.grad is not None
            pair.a.grad, pair.b.grad = own.a.grad.cuda().double(), own.b.grad.cuda().double()
        cuda.step()
    for left, right in zip(values(pairs), values(there), strict=True):
        torch.testing.assert_close(left.double(), right.cpu(), rtol=1e-3, atol=1e-3)
