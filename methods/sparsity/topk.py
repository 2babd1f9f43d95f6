"""Top_k: the k largest entries of a vector stay, the rest become zero.

Ties are decided by position, the lowest index first, so that never more than k entries stay (the
rule "at least the k-th largest value" keeps more). The mask is a constant for the gradient: it
passes through kept entries and no others.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from harness.method import ProblemError

PARTITIONED = (torch.float32, torch.float64)
"""Types that NumPy has, too."""


def top_k(a: Tensor, k: int) -> Tensor:
    """The k largest entries along the last axis in place, zeros elsewhere.

    Which of several equal *zeros* count as kept changes neither the result nor, behind a ReLU, any
    gradient, so such ties are not resolved. A row with NaN keeps NaN.

    Args:
        a: Finite numbers, shape (..., d).
        k: At least 1; from d on the result is ``a`` itself.

    Raises:
        ProblemError: If k is less than 1.
    """
    if k < 1:
        raise ProblemError(f"Top-k with k = {k} keeps nothing", fix="Give k of at least 1.")
    return a if k >= a.shape[-1] else a * kept(a, k)


@torch.no_grad()
def kept(a: Tensor, k: int) -> Tensor:
    """One for entries that Top_k keeps and zero for others, shape (..., d); k < d."""
    if a.is_cuda or a.dtype not in PARTITIONED:
        # Values are not inspected: that would make the CPU wait for the device.
        return _kept_by_position(a, a.topk(k, dim=-1).values[..., -1:], k).to(a.dtype)
    # NumPy selects several times faster than PyTorch on a CPU, and comparisons into floats
    # are vectorised where those into booleans are not.
    values = a.numpy(force=True)
    threshold = torch.from_numpy(np.partition(values, -k, axis=-1)[..., -k, None])
    mask = torch.ge(a, threshold, out=torch.empty_like(a))
    surplus = (mask.sum(-1) > k) & (threshold != 0).squeeze(-1)
    if surplus.any():
        mask[surplus] = _kept_by_position(a[surplus], threshold[surplus], k).to(a.dtype)
    return mask


def _kept_by_position(a: Tensor, threshold: Tensor, k: int) -> Tensor:
    """As :func:`kept`, boolean; entries equal to the threshold are kept from the lowest index on."""
    above = a > threshold
    equal = a == threshold
    room = k - above.sum(-1, keepdim=True)
    return above | (equal & (equal.cumsum(-1) <= room))
