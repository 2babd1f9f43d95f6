"""Token matrices: fixed lengths, unit vectors, zeros for padding, and similarities.

Shapes: B pairs (or Q queries with n candidates each), L1 query tokens, L2 document tokens, P the
dimension of a token vector. Rows are tokens. A mask is 1 for tokens and 0 for padding.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import normalize

from harness.method import ProblemError


def unit_tokens(vectors: Tensor, mask: Tensor) -> Tensor:
    """Token vectors of length one; padding is exactly zero *after* normalisation.

    A token whose vector is zero stays zero.

    Args:
        vectors: Shape (..., L, P).
        mask: Shape (..., L).

    Returns:
        Shape (..., L, P).
    """
    return normalize(vectors, dim=-1) * mask.unsqueeze(-1).to(vectors.dtype)


def fixed_length(matrices: Sequence[Tensor], length: int, *, width: int = 0) -> tuple[Tensor, Tensor, int]:
    """Pad or cut token matrices to exactly ``length`` rows.

    Padding is on the right. An empty matrix becomes padding only.

    Args:
        matrices: Each of shape (tokens, P).
        length: L.
        width: P, needed only if there are no matrices.

    Returns:
        Tokens, shape (n, L, P); mask, shape (n, L), of the same type; and how many were cut.

    Raises:
        ProblemError: If the widths differ or a value is no number.
    """
    widths = {matrix.shape[-1] for matrix in matrices} or {width}
    if len(widths) > 1:
        raise ProblemError(
            f"Token vectors have different dimensions: {sorted(widths)}",
            where="fixed_length",
            fix="Use one encoder (and projection) for queries and documents.",
        )
    tokens = torch.zeros(len(matrices), length, widths.pop())
    mask = torch.zeros(len(matrices), length)
    for row, matrix in enumerate(matrices):
        if not bool(torch.isfinite(matrix).all()):
            raise ProblemError(
                "A token vector holds values that are no finite numbers",
                where=f"matrix {row}",
                fix="Check the encoder's output; half precision overflows above 65,504.",
            )
        kept = min(length, len(matrix))
        tokens[row, :kept] = matrix[:kept]
        mask[row, :kept] = 1
    return tokens, mask, sum(len(matrix) > length for matrix in matrices)


def slices(total: int, size: int) -> list[slice]:
    """Consecutive slices of at most ``size`` that cover ``total``."""
    return [slice(start, min(start + size, total)) for start in range(0, total, size)]


def similarities(q: Tensor, d: Tensor) -> Tensor:
    """S = Q Dᵀ of every query with all its candidates, in one batched product.

    Args:
        q: Shape (Q, L1, P).
        d: Shape (Q, n, L2, P).

    Returns:
        Shape (Q, n, L1, L2).
    """
    queries, candidates, l2, width = d.shape
    flat = q @ d.reshape(queries, candidates * l2, width).transpose(1, 2)
    return flat.reshape(queries, q.shape[1], candidates, l2).transpose(1, 2)
