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

WIDEST_SORT = 1024
"""Width of rows up to which sorting them whole is the fastest way to their k-th largest entry."""


def top_k(a: Tensor, k: int) -> Tensor:
    """The k largest entries along the last axis in place, zeros elsewhere.

    Which of several equal *zeros* count as kept changes neither the result nor, behind a ReLU, any
    gradient, so such ties are not resolved. A row with NaN keeps NaN.

    Args:
        a: Shape (..., d).
        k: At least 1; from d on the result is ``a`` itself.

    Raises:
        ProblemError: If k is less than 1.
    """
    if k < 1:
        raise ProblemError(f"Top-k with k = {k} keeps nothing", fix="Give k of at least 1.")
    return a if k >= a.shape[-1] else a.masked_fill(dropped(a, k), 0.0)


@torch.no_grad()
def dropped(a: Tensor, k: int) -> Tensor:
    """Which entries Top_k makes zero, shape (..., d), boolean; k < d."""
    if a.is_cuda:
        # Without a look at the values, since that would make the processor wait for the device.
        return _dropped_by_position(a, a.topk(k, dim=-1).values[..., -1:], k)
    threshold, below = _threshold(a, k)
    out = a < threshold
    tied = ((threshold == below) & (threshold != 0)).squeeze(-1)
    if tied.any():
        out[tied] = _dropped_by_position(a[tied], threshold[tied], k)
    return out


def _threshold(a: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The k-th and the (k + 1)-th largest entry of each row on the CPU, shape (..., 1) each."""
    if a.dtype not in (torch.float32, torch.float64) or a.shape[-1] > WIDEST_SORT:
        largest = a.topk(k + 1, dim=-1).values
        return largest[..., k - 1 : k], largest[..., k:]
    # For narrow rows NumPy's vectorised sort takes a quarter of the time; NaN is largest in both.
    ordered = torch.from_numpy(np.sort(a.detach().numpy(), axis=-1))
    place = a.shape[-1] - k
    return ordered[..., place : place + 1], ordered[..., place - 1 : place]


def _dropped_by_position(a: Tensor, threshold: Tensor, k: int) -> Tensor:
    """As :func:`dropped`; entries equal to the threshold are kept from the lowest index on."""
    above = a > threshold
    equal = a == threshold
    room = k - above.sum(-1, keepdim=True)
    kept = above | (equal & (equal.cumsum(-1) <= room)) | a.isnan()
    return ~kept
