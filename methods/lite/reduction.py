"""Fewer or shorter document vectors, and what a stored document costs.

How the paper comes from 200 to 50 vectors is not known; these are the ways that are open. Shapes
are those of :mod:`methods.lite.tokens`; each reduction returns k tokens and their mask.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from harness.method import ProblemError


def truncate(d: Tensor, mask: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The first k tokens."""
    _check(d.shape[-2], k)
    return d[..., :k, :], mask[..., :k]


def block_mean(d: Tensor, mask: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Means over k blocks of neighbours; padding counts nowhere, a block of padding stays padding.

    Raises:
        ProblemError: If k does not divide the number of tokens.
    """
    length = d.shape[-2]
    _check(length, k)
    if length % k:
        raise ProblemError(
            f"{length} tokens do not make {k} blocks of one size",
            where="block_mean",
            fix="Choose a number of document vectors that divides the document's length.",
        )
    blocks = (*d.shape[:-2], k, length // k)
    weights = mask.reshape(blocks).to(d.dtype)
    total = (d.reshape(*blocks, d.shape[-1]) * weights.unsqueeze(-1)).sum(-2)
    count = weights.sum(-1)
    return total / count.clamp(min=1).unsqueeze(-1), (count > 0).to(mask.dtype)


class LinearMap(nn.Module):
    """A learnt linear map over the token axis, R^{L2} → R^k, trained with the scorer.

    It starts as the mean over blocks. Where a document has a token at all, it has all k vectors.
    """

    def __init__(self, l2: int, k: int) -> None:
        super().__init__()
        _check(l2, k)
        start = torch.zeros(k, l2)
        for row, block in enumerate(torch.arange(l2).tensor_split(k)):
            start[row, block] = 1 / len(block)
        self.weight = nn.Parameter(start)

    def forward(self, d: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Mix the tokens; padding must be zero."""
        mixed = self.weight @ (d * mask.unsqueeze(-1).to(d.dtype))
        kept = (mask.sum(-1, keepdim=True) > 0).to(mask.dtype)
        return mixed, kept.expand(*mask.shape[:-1], self.weight.shape[0])


def cluster(d: Tensor, mask: Tensor, k: int, *, rounds: int = 10) -> tuple[Tensor, Tensor]:
    """Centres of k-means over each document's tokens, at index time.

    Lloyd's rounds for all documents at once, from every (tokens / k)-th token; deterministic. A
    document with at most k tokens keeps them all.

    Args:
        d: Shape (n, L2, P).
        mask: Shape (n, L2).
        k: Centres.
        rounds: Rounds of Lloyd's algorithm.
    """
    _check(d.shape[-2], k)
    rows, places = torch.arange(len(d), device=d.device).unsqueeze(1), torch.arange(k, device=d.device)
    count = mask.sum(-1).long()
    # A document with at most k tokens starts from its first k places, so every token is a centre.
    picks = places * count.clamp(min=k).unsqueeze(1) // k
    centres = d[rows, picks]
    kept = (places < count.unsqueeze(1)).to(mask.dtype)
    for _ in range(rounds):
        # Without the squared length of the token, which is the same for all centres.
        distance = (centres**2).sum(-1).unsqueeze(1) - 2 * d @ centres.transpose(1, 2)
        distance = distance.masked_fill(kept.unsqueeze(1) == 0, torch.inf)
        nearest = torch.nn.functional.one_hot(distance.argmin(-1), k).to(d.dtype) * mask.unsqueeze(-1)
        size = nearest.sum(1)
        means = nearest.transpose(1, 2) @ d / size.clamp(min=1).unsqueeze(-1)
        centres = torch.where(size.unsqueeze(-1) > 0, means, centres)
    return centres * kept.unsqueeze(-1), kept


def bytes_per_document(doc_tokens: int, dim: int, bytes_per_value: int = 2) -> int:
    """What the vectors of one document take; two bytes a value is half precision."""
    return doc_tokens * dim * bytes_per_value


def _check(length: int, k: int) -> None:
    if not 1 <= k <= length:
        raise ProblemError(
            f"{length} tokens cannot be reduced to {k}",
            where="reduction of document tokens",
            fix=f"Choose between 1 and {length}.",
        )
