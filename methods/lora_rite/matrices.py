"""Batched linear algebra on tall factors.

Shapes: k pairs of equal shape, n rows, r columns; a factor is (k, n, r), a small matrix (k, r, r).
"""

from __future__ import annotations

import torch
from torch import Tensor

_TRUSTED = 0.1
"""Largest deviation of the first pass of Cholesky QR from orthonormal columns that the second
pass surely repairs; beyond it Householder QR takes over."""

_DEPENDENT = 100.0
"""In units of ε: columns whose relative singular value is below are taken to be dependent."""
_UNSEEN = 8.0
"""In units of ε: eigenvalues of V that are smaller beside the largest are rounding, and to divide
by their roots would turn rounding into full steps (a gradient of rank below r does this)."""


def orthonormal(factor: Tensor) -> tuple[Tensor, Tensor]:
    """Decompose ``factor = U R`` with orthonormal columns U.

    Cholesky QR in two passes with normalised columns: as exact as Householder QR wherever the
    condition number is below 1/√ε, and made of products that batch well. Other factors (B = 0 at
    the start, nearly dependent columns) go through Householder QR and a pseudo-inverse.

    Args:
        factor: Shape (k, n, r), n ≥ r, float32 or float64.

    Returns:
        U, shape (k, n, r), and the (pseudo-)inverse of R, shape (k, r, r).
    """
    basis, inverse, trusted = _cholesky_qr(factor)
    if not bool(trusted.all()):
        doubtful = torch.nonzero(~trusted)[:, 0]
        q, r = torch.linalg.qr(factor[doubtful])
        basis[doubtful] = q
        inverse[doubtful] = torch.linalg.pinv(r, rtol=_DEPENDENT * torch.finfo(r.dtype).eps)
    return basis, inverse


def _cholesky_qr(factor: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    gram = factor.mT @ factor
    length = gram.diagonal(dim1=-2, dim2=-1).sqrt()
    scale = torch.where(length > 0, 1.0 / length, 0.0)
    lower, failed = torch.linalg.cholesky_ex(gram * scale[:, :, None] * scale[:, None, :])
    first = scale[:, :, None] * _inverse_of_transpose(lower)
    rough = factor @ first
    gram = rough.mT @ rough
    lower, failed_again = torch.linalg.cholesky_ex(gram)
    second = _inverse_of_transpose(lower)
    unit = torch.eye(gram.shape[-1], dtype=gram.dtype, device=gram.device)
    trusted = (failed == 0) & (failed_again == 0) & ((gram - unit).abs().amax((1, 2)) <= _TRUSTED)
    return rough @ second, first @ second, trusted


def _inverse_of_transpose(lower: Tensor) -> Tensor:
    unit = torch.eye(lower.shape[-1], dtype=lower.dtype, device=lower.device).expand_as(lower)
    inverse: Tensor = torch.linalg.solve_triangular(lower.mT, unit, upper=True)
    return inverse


def polar(matrix: Tensor) -> Tensor:
    """The orthonormal factor W Yᵀ of ``matrix = W Σ Yᵀ``, shape (…, n, r)."""
    left, _, right = torch.linalg.svd(matrix, full_matrices=False)
    rotation: Tensor = left @ right
    return rotation


def symmetric(matrix: Tensor) -> Tensor:
    """The symmetric part, shape (k, r, r)."""
    return (matrix + matrix.mT) / 2


def inverse_root(matrix: Tensor, mass: Tensor, epsilon: float) -> tuple[Tensor, Tensor]:
    """``(V + ρ I)^(-1/2)`` of symmetric positive semi-definite matrices, as 1/(√(λ + ρ) + ε).

    Directions in which no gradient was ever seen (λ + ρ is 0, or rounding beside the largest) map
    to 0.

    Args:
        matrix: V, shape (k, r, r).
        mass: ρ, shape (k,).
        epsilon: Added to the root.

    Returns:
        The inverse root, shape (k, r, r), and the eigenvalues of V, ascending, shape (k, r).
    """
    values, vectors = torch.linalg.eigh(matrix)
    values = values.clamp(min=0)
    seen = values + mass[:, None]
    floor = _UNSEEN * torch.finfo(seen.dtype).eps * seen[:, -1:]
    inverse = torch.where(seen > floor, 1.0 / (seen.sqrt() + epsilon), 0.0)
    return (vectors * inverse[:, None, :]) @ vectors.mT, values


def escaped_mass(values: Tensor, carried: Tensor) -> Tensor:
    """d_λ(V, P V Pᵀ): what a projection took away from the second moment.

    The smaller of the largest gap between sorted eigenvalues and the gap between traces, each at
    least 0.

    Args:
        values: Eigenvalues of V, ascending, shape (k, r).
        carried: P V Pᵀ, symmetric, shape (k, r, r).

    Returns:
        Shape (k,), not negative.
    """
    gaps = values - torch.linalg.eigvalsh(carried)
    return torch.minimum(gaps.amax(-1), gaps.sum(-1)).clamp(min=0)
