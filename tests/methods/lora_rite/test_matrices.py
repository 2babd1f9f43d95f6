"""Batched linear algebra beside LAPACK's plain decompositions."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from methods.lora_rite.matrices import (
    escaped_mass,
    householder,
    inner,
    inverse_cholesky,
    inverse_root,
    right,
    second_pass,
    symmetric,
)
from tests.methods.lora_rite.golden import DOUBLE


def random_stack(seed: int, rows: int, rank: int, condition: float) -> Tensor:
    rng = torch.Generator().manual_seed(seed)
    left = torch.linalg.qr(torch.randn(3, rows, rank, generator=rng, **DOUBLE))[0]
    right = torch.linalg.qr(torch.randn(3, rank, rank, generator=rng, **DOUBLE))[0]
    return (left * torch.logspace(0, -condition, rank, **DOUBLE)) @ right


def stacked(factor: Tensor, *, transposed: bool = False) -> tuple[Tensor, Tensor]:
    """Bases and inverse magnitudes of a stack of factors, in either layout, as the optimizer makes them."""
    axis = 0 if transposed else 1
    x = factor.mT.contiguous() if transposed else factor
    inverse, sound = inverse_cholesky(inner(x, x, axis))
    basis = right(x, inverse, axis)
    second, again, sound = second_pass(inner(basis, basis, axis), sound)
    assert torch.equal(second[~again], torch.eye(second.shape[-1]).to(second).expand_as(second)[~again])
    basis, inverse = right(basis, second, axis), inverse @ second
    if not bool(sound.all()):
        basis[~sound], inverse[~sound] = householder(x[~sound], axis)
    return (basis.mT if transposed else basis), inverse


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.integers(1, 6), st.integers(0, 20), st.floats(0, 10))
def test_factor_is_basis_times_magnitude(seed: int, rank: int, more: int, condition: float) -> None:
    factor = random_stack(seed, rank + more, rank, condition)
    basis, inverse = stacked(factor, transposed=seed % 2 == 0)
    unit = torch.eye(rank, **DOUBLE).expand(3, -1, -1)
    torch.testing.assert_close(basis.mT @ basis, unit, rtol=0, atol=1e-13)
    # The basis spans the factor: nothing of it is left outside.
    outside = factor - basis @ (basis.mT @ factor)
    assert float(outside.abs().max()) < 1e-13
    torch.testing.assert_close(basis.mT @ factor @ inverse, unit, rtol=0, atol=1e-15 * 10 ** (condition + 2))


def test_zero_and_dependent_columns_get_a_basis_and_a_pseudo_inverse() -> None:
    thin = torch.tensor([[1.0, 2], [2, 4], [0, 0]], **DOUBLE)
    factor = torch.stack([torch.zeros(3, 2, **DOUBLE), thin, torch.eye(3, **DOUBLE)[:, :2]])
    basis, inverse = stacked(factor)
    unit = torch.eye(2, **DOUBLE).expand(3, -1, -1)
    torch.testing.assert_close(basis.mT @ basis, unit)
    assert float(inverse[0].abs().max()) == 0.0
    torch.testing.assert_close(factor[1] @ inverse[1] @ basis[1].mT @ factor[1], factor[1])
    torch.testing.assert_close(basis[2].mT @ factor[2] @ inverse[2], unit[2])


def test_single_precision_falls_back_where_squares_lose_digits() -> None:
    factor = random_stack(4, 40, 4, 5.0).float()
    basis, _ = stacked(factor)
    torch.testing.assert_close(basis.mT @ basis, torch.eye(4).expand(3, -1, -1), rtol=0, atol=1e-5)


def test_inverse_root_and_its_eigenvalues() -> None:
    rng = torch.Generator().manual_seed(0)
    half = torch.randn(2, 4, 4, generator=rng, **DOUBLE)
    matrix, mass = half @ half.mT, torch.tensor([0.0, 0.5], **DOUBLE)
    root, values = inverse_root(matrix, mass, 0.0)
    unit = torch.eye(4, **DOUBLE)
    torch.testing.assert_close(root @ (matrix + mass[:, None, None] * unit) @ root, unit.expand(2, -1, -1))
    torch.testing.assert_close(values, torch.linalg.eigvalsh(matrix))
    nothing, _ = inverse_root(torch.zeros(1, 3, 3, **DOUBLE), torch.zeros(1, **DOUBLE), 0.0)
    assert float(nothing.abs().max()) == 0.0


def test_escaped_mass_golden() -> None:
    second = torch.diag(torch.tensor([4.0, 1], **DOUBLE))
    turn = torch.diag(torch.tensor([0.5, 1], **DOUBLE))
    carried = (turn @ second @ turn.mT)[None]
    lost = escaped_mass(torch.linalg.eigvalsh(second[None]), carried)
    assert lost.tolist() == [3.0]
    kept = carried[0] + lost * torch.eye(2, **DOUBLE) - second
    assert float(torch.linalg.eigvalsh(kept).min()) >= 0


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.integers(1, 6))
def test_escaped_mass_is_bounded_by_what_was_there(seed: int, rank: int) -> None:
    rng = torch.Generator().manual_seed(seed)
    half = torch.randn(2, rank, rank, generator=rng, **DOUBLE)
    second = symmetric(half @ half.mT)
    old, new = torch.linalg.qr(torch.randn(2, 2, rank + 3, rank, generator=rng, **DOUBLE))[0]
    turn = new.mT @ old
    assert float(torch.linalg.matrix_norm(turn, 2).max()) <= 1 + 1e-12
    values = torch.linalg.eigvalsh(second)
    carried = symmetric(turn @ second @ turn.mT)
    lost = escaped_mass(values, carried)
    trace = second.diagonal(dim1=-2, dim2=-1).sum(-1) - carried.diagonal(dim1=-2, dim2=-1).sum(-1)
    assert bool((lost >= 0).all())
    assert bool((lost <= trace + 1e-10).all())
    assert bool((lost <= values[:, -1] + 1e-10).all())
    still = escaped_mass(values, second)
    assert float(still.abs().max()) == pytest.approx(0.0, abs=1e-10)
