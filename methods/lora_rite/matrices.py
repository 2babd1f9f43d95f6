"""Linear algebra on stacks of factors, and batches of small matrices.

Factors come in stacks of k, with the rank as axis 0 of each (k, r, n) or as axis 1 (k, n, r); ``axis`` says
which. Below, x stands for n×r matrices in either case. Small matrices come in batches, (k, r, r).
Nothing here waits for a device, apart from what PyTorch's decompositions do themselves.
"""

from __future__ import annotations

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
    """xᵀy, shape (k, r, r)."""
    return torch.bmm(x, y.mT) if axis == 0 else torch.bmm(x.mT, y)


def right(x: Tensor, matrix: Tensor, axis: int, *, out: Tensor | None = None) -> Tensor:
    """x times r×r matrices, in the layout of x; ``out`` takes the result."""
    return torch.bmm(matrix.mT, x, out=out) if axis == 0 else torch.bmm(x, matrix, out=out)


def add_right(start: Tensor, x: Tensor, matrix: Tensor, axis: int, *, out: Tensor) -> None:
    """``out ← start + x matrix``, in the layout of all three."""
    if axis == 0:
        torch.baddbmm(start, matrix.mT, x, out=out)
    else:
        torch.baddbmm(start, x, matrix, out=out)


def inverse_cholesky(gram: Tensor) -> tuple[Tensor, Tensor]:
    """R⁻¹ of ``G = RᵀR`` by Cholesky after scaling to a unit diagonal: the first pass of Cholesky QR.

    Args:
        gram: xᵀx, shape (k, r, r).

    Returns:
        R⁻¹, for which x R⁻¹ has nearly orthonormal columns, (k, r, r), and whether it exists, (k,).
    """
    length = gram.diagonal(dim1=-2, dim2=-1).sqrt()
    scale = torch.where(length > 0, 1.0 / length, 0.0)
    lower, failed = torch.linalg.cholesky_ex(gram * scale[:, :, None] * scale[:, None, :])
    inverse: Tensor = scale[:, :, None] * torch.linalg.solve_triangular(lower.mT, _unit(lower), upper=True)
    return inverse, failed == 0


def second_pass(gram: Tensor, sound: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """What the second pass of Cholesky QR does, where the first has left more than rounding.

    Two passes are as exact as Householder QR wherever the condition number is below 1/√ε.

    Args:
        gram: uᵀu of what the first pass gave, (k, r, r).
        sound: Whether the first pass worked, (k,).

    Returns:
        T, for which uT has orthonormal columns; I where u has them already, (k, r, r). Whether T is not
        I, (k,). Whether both passes worked, (k,): other factors (B = 0 at the start, nearly dependent
        columns) need :func:`householder`.
    """
    unit = _unit(gram)
    off = (gram - unit).abs().amax((1, 2))
    sound = sound & (off <= _TRUSTED)
    again = sound & (off > _ROUNDING * torch.finfo(gram.dtype).eps)
    second, fine = inverse_cholesky(torch.where(again[:, None, None], gram, unit))
    return torch.where(again[:, None, None], second, unit), again, sound & fine


def householder(x: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    """Orthonormal bases by Householder QR, and pseudo-inverses of the magnitudes; NaN for what is not finite.

    Args:
        x: A stack of factors, (k, r, n) or (k, n, r).
        axis: Of their rank.

    Returns:
        U in the layout of x, and R⁺, (k, r, r).
    """
    q, r = torch.linalg.qr(x.mT if axis == 0 else x)
    finite = torch.isfinite(r).all(-1).all(-1)[:, None, None]
    # NaN would make the pseudo-inverse raise; passed on, it lets the optimizer report the pair by name.
    inverse = torch.linalg.pinv(torch.where(finite, r, 0.0), rtol=_DEPENDENT * torch.finfo(r.dtype).eps)
    return (q.mT if axis == 0 else q), torch.where(finite, inverse, torch.nan)


def _unit(like: Tensor) -> Tensor:
    return torch.eye(like.shape[-1], dtype=like.dtype, device=like.device).expand_as(like)


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
    return torch.bmm(vectors * inverse[:, None, :], vectors.mT), values


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
