"""Linear algebra on factors of any layout, and batches of small matrices.

A factor has its rank as axis 0 (r×n) or axis 1 (n×r); ``axis`` says which. Below, x stands for the
n×r matrix in either case. Small matrices come in batches, (k, r, r).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

_TRUSTED = 0.1
"""Largest deviation of the first pass of Cholesky QR from orthonormal columns that the second
pass surely repairs; beyond it Householder QR takes over."""

_ROUNDING = 32.0
"""In units of ε: deviations from orthonormal columns that are left as they are."""
_DEPENDENT = 100.0
"""In units of ε: directions with a smaller singular value, relative to the largest, count as
dependent."""
_UNSEEN = 8.0
"""In units of ε: eigenvalues of V that are smaller beside the largest are rounding, and to divide
by their roots would turn rounding into full steps (a gradient of rank below r does this)."""


def inner(x: Tensor, y: Tensor, axis: int) -> Tensor:
    """xᵀy, shape (r, r)."""
    return x @ y.mT if axis == 0 else x.mT @ y


def right(x: Tensor, matrix: Tensor, axis: int) -> Tensor:
    """x times an r×r matrix, in the layout of x."""
    return matrix.mT @ x if axis == 0 else x @ matrix


def add_right(
    out: Tensor, x: Tensor, matrix: Tensor, axis: int, *, beta: float = 1.0, alpha: float = 1.0
) -> None:
    """``out ← beta · out + alpha · x matrix`` in one pass, in place and in the layout of both."""
    if axis == 0:
        out.addmm_(matrix.mT, x, beta=beta, alpha=alpha)
    else:
        out.addmm_(x, matrix, beta=beta, alpha=alpha)


def orthonormal(factors: Sequence[Tensor], axes: Sequence[int]) -> tuple[list[Tensor], Tensor]:
    """Decompose each factor as ``U R`` with orthonormal columns U.

    Cholesky QR with normalised columns, and a second pass where the first has left more than
    rounding: as exact as Householder QR wherever the condition number is below 1/√ε, and made of
    products that read each factor where it lies. Other factors (B = 0 at the start, nearly
    dependent columns) go through Householder QR and a pseudo-inverse.

    Args:
        factors: k factors of one rank with n ≥ r, float32 or float64.
        axes: Their layouts.

    Returns:
        U of each factor, in its layout, and the (pseudo-)inverses of R, shape (k, r, r).
    """
    gram = torch.stack([inner(x, x, axis) for x, axis in zip(factors, axes, strict=True)])
    inverse, sound = _inverse_cholesky(gram)
    bases = [right(x, n, axis) for x, n, axis in zip(factors, inverse, axes, strict=True)]
    gram = torch.stack([inner(u, u, axis) for u, axis in zip(bases, axes, strict=True)])
    unit = torch.eye(gram.shape[-1], dtype=gram.dtype, device=gram.device)
    off = (gram - unit).abs().amax((1, 2))
    sound &= off <= _TRUSTED
    again = sound & (off > _ROUNDING * torch.finfo(gram.dtype).eps)
    if bool(again.any()):
        second, fine = _inverse_cholesky(gram)
        sound &= fine
        inverse = torch.where(again[:, None, None], inverse @ second, inverse)
    for place, (good, repeat) in enumerate(zip(sound.tolist(), again.tolist(), strict=True)):
        if not good:
            bases[place], inverse[place] = _householder(factors[place], axes[place])
        elif repeat:
            bases[place] = right(bases[place], second[place], axes[place])
    return bases, inverse


def _inverse_cholesky(gram: Tensor) -> tuple[Tensor, Tensor]:
    """R⁻¹ of ``G = RᵀR`` by Cholesky after scaling to a unit diagonal, and whether it exists."""
    length = gram.diagonal(dim1=-2, dim2=-1).sqrt()
    scale = torch.where(length > 0, 1.0 / length, 0.0)
    lower, failed = torch.linalg.cholesky_ex(gram * scale[:, :, None] * scale[:, None, :])
    unit = torch.eye(gram.shape[-1], dtype=gram.dtype, device=gram.device).expand_as(lower)
    inverse: Tensor = scale[:, :, None] * torch.linalg.solve_triangular(lower.mT, unit, upper=True)
    return inverse, failed == 0


def _householder(factor: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    q, r = torch.linalg.qr(factor.mT if axis == 0 else factor)
    if not bool(torch.isfinite(r).all()):
        # pinv would raise here; NaN lets the optimizer report the pair by name.
        return factor, torch.full_like(r, torch.nan)
    inverse: Tensor = torch.linalg.pinv(r, rtol=_DEPENDENT * torch.finfo(r.dtype).eps)
    return (q.mT if axis == 0 else q), inverse


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
