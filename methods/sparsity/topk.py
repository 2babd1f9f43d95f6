"""Top_k: the k largest entries of a vector stay, the rest become zero.

Ties are decided by position, the lowest index first, so that never more than k entries stay (the
rule "at least the k-th largest value" keeps more). The mask is a constant for the gradient: it
passes through kept entries and no others.
"""

from __future__ import annotations

import torch
from torch import Tensor

from harness.method import ProblemError


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
    largest = a.topk(k + 1, dim=-1).values
    threshold, below = largest[..., k - 1 : k], largest[..., k:]
    if a.is_cuda:
        # Without a look at the values, since that would make the processor wait for the device.
        return _dropped_by_position(a, threshold, k)
    out = a < threshold
    tied = ((threshold == below) & (threshold != 0)).squeeze(-1)
    if tied.any():
        out[tied] = _dropped_by_position(a[tied], threshold[tied], k)
    return out


def _dropped_by_position(a: Tensor, threshold: Tensor, k: int) -> Tensor:
    """As :func:`dropped`; entries equal to the threshold are kept from the lowest index on."""
    above = a > threshold
    equal = a == threshold
    room = k - above.sum(-1, keepdim=True)
    kept = above | (equal & (equal.cumsum(-1) <= room)) | a.isnan()
    return ~kept
