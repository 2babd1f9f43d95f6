"""Scorers of a query and a document that see only their token vectors.

All are modules with one call, ``scorer(q, d, q_mask, d_mask)`` → scores of shape (B,), and all but
the dot product are functions of the similarities S = Q Dᵀ: :meth:`Scorer.score` takes S itself, with
any leading dimensions, so that S is computed once for all candidates of a query. Shapes are those
of :mod:`methods.lite.tokens`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from harness.method import ProblemError
from methods.lite.tokens import similarities

EMPTY = -1.0
"""The best match of a query token in a document without tokens: that of opposite unit vectors."""


class Scorer(nn.Module, ABC):
    """Scores pairs from their token vectors."""

    one_vector: ClassVar[bool] = False
    """Whether one vector is all that it needs of a document."""

    @abstractmethod
    def score(self, s: Tensor, q_mask: Tensor, d_mask: Tensor) -> Tensor:
        """Scores from similarities.

        Args:
            s: S, shape (..., L1, L2).
            q_mask: Shape (..., L1).
            d_mask: Shape (..., L2).

        Returns:
            Shape (...).
        """

    def candidates(self, q: Tensor, d: Tensor, q_mask: Tensor, d_mask: Tensor) -> Tensor:
        """Scores of n candidates for each query.

        Args:
            q: Shape (Q, L1, P).
            d: Shape (Q, n, L2, P).
            q_mask: Shape (Q, L1).
            d_mask: Shape (Q, n, L2).

        Returns:
            Shape (Q, n).
        """
        return self.score(similarities(q, d), q_mask.unsqueeze(1), d_mask)

    def forward(self, q: Tensor, d: Tensor, q_mask: Tensor, d_mask: Tensor) -> Tensor:
        """Scores of B pairs: q (B, L1, P), d (B, L2, P) and their masks; shape (B,)."""
        return self.candidates(q, d.unsqueeze(1), q_mask, d_mask.unsqueeze(1)).squeeze(1)


class Affine(nn.Module):
    """A positive scale and an offset that are learnt; without them, the identity.

    Without a scale, a sum of cosines cannot reach the margins of a teacher. The logarithm of the
    scale is stored divided by ``faster``, so that one step of Adam moves it that much further.
    """

    def __init__(self, *, learnt: bool, faster: float = 10.0) -> None:
        super().__init__()
        self.faster = faster
        self.log_scale = nn.Parameter(torch.zeros(())) if learnt else None
        self.offset = nn.Parameter(torch.zeros(())) if learnt else None

    def forward(self, x: Tensor) -> Tensor:
        """scale · x + offset."""
        if self.log_scale is None or self.offset is None:
            return x
        return torch.exp(self.faster * self.log_scale) * x + self.faster * self.offset


class DotProduct(Scorer):
    """DE: the dot product of pooled token vectors.

    Args:
        pool: The first token's vector (``cls``), or the mean over tokens.
        cosine: Normalise the pooled vectors.
        scale: Learn a scale and an offset.
    """

    one_vector: ClassVar[bool] = True

    def __init__(
        self, pool: Literal["cls", "mean"] = "mean", *, cosine: bool = False, scale: bool = False
    ) -> None:
        super().__init__()
        self.pool = pool
        self.cosine = cosine
        self.affine = Affine(learnt=scale)

    def score(self, s: Tensor, q_mask: Tensor, d_mask: Tensor) -> Tensor:
        """Scores from S, which does not hold the lengths that ``cosine`` needs.

        Raises:
            ProblemError: With ``cosine``.
        """
        if self.cosine:
            raise ProblemError(
                "Similarities do not hold the lengths of pooled vectors",
                where="DotProduct.score",
                fix="Call the scorer on token vectors, or set cosine=False.",
            )
        if self.pool == "cls":
            return self._affine(s[..., 0, 0])
        total = (s * q_mask.unsqueeze(-1) * d_mask.unsqueeze(-2)).sum((-2, -1))
        return self._affine(total / (q_mask.sum(-1) * d_mask.sum(-1)).clamp(min=1))

    def candidates(self, q: Tensor, d: Tensor, q_mask: Tensor, d_mask: Tensor) -> Tensor:
        """Pools first, which needs no S."""
        pooled_q, pooled_d = self.pooled(q, q_mask), self.pooled(d, d_mask)
        return self._affine((pooled_q.unsqueeze(1) * pooled_d).sum(-1))

    def pooled(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """One vector for each text, shape (..., P)."""
        if self.pool == "cls":
            vector = tokens[..., 0, :]
        else:
            weights = mask.unsqueeze(-1).to(tokens.dtype)
            vector = (tokens * weights).sum(-2) / weights.sum(-2).clamp(min=1)
        return normalize(vector, dim=-1) if self.cosine else vector

    def _affine(self, x: Tensor) -> Tensor:
        scaled: Tensor = self.affine(x)
        return scaled


class MaxSim(Scorer):
    """ColBERT's Σᵢ maxⱼ Sᵢⱼ, or the k largest similarities of each query token.

    Padded document tokens count as −∞, not as 0, which a document of negative similarities
    would profit from. A document with fewer than k tokens gives what it has.

    Args:
        top_k: k; 1 is MaxSim.
        reduce: The sum or the mean over the k largest.
        scale: Learn a scale and an offset.
    """

    def __init__(
        self, top_k: int = 1, *, reduce: Literal["sum", "mean"] = "sum", scale: bool = False
    ) -> None:
        super().__init__()
        if top_k < 1:
            raise ProblemError(
                f"MaxSim cannot take the {top_k} largest similarities",
                where="MaxSim",
                fix="Set top_k to at least 1.",
            )
        self.top_k = top_k
        self.reduce = reduce
        self.affine = Affine(learnt=scale)

    def score(self, s: Tensor, q_mask: Tensor, d_mask: Tensor) -> Tensor:
        """See :class:`Scorer`."""
        padded = d_mask.unsqueeze(-2) == 0
        if self.top_k == 1:
            best = s.masked_fill(padded, -torch.inf).amax(-1)
            # Before the product with the mask: −∞ · 0 is NaN.
            best = best.masked_fill(torch.isneginf(best), EMPTY)
        else:
            best = self._largest(s, padded)
        scaled: Tensor = self.affine((best * q_mask).sum(-1))
        return scaled

    def _largest(self, s: Tensor, padded: Tensor) -> Tensor:
        k = min(self.top_k, s.shape[-1])
        values = s.masked_fill(padded, -torch.inf).topk(k, dim=-1).values
        real = ~torch.isneginf(values)
        total, count = values.masked_fill(~real, 0).sum(-1), real.sum(-1)
        if self.reduce == "mean":
            total = total / count.clamp(min=1)
        return total.masked_fill(count == 0, EMPTY)


class Knrm(Scorer):
    """K-NRM (Xiong et al., 2017): soft counts of matches around eleven similarities.

    φₖ = Σᵢ log max(Σⱼ exp(−(Sᵢⱼ − μₖ)² / 2σₖ²), 1e-10), score = w·φ + b; S must be cosines.

    Args:
        damping: Factor on φ, since φ sums logarithms down to −23 over query tokens. K-NRM's own code
            has .01 before a tanh; with .01, a linear read-out needs rates that suit nothing else.
    """

    def __init__(self, *, damping: float = 0.1) -> None:
        super().__init__()
        means = [1.0, *(0.9 - 0.2 * k for k in range(10))]
        self.damping = damping
        self.register_buffer("means", torch.tensor(means), persistent=False)
        self.register_buffer("widths", torch.tensor([1e-3] + [0.1] * 10), persistent=False)
        self.read = nn.Linear(len(means), 1)

    means: Tensor
    widths: Tensor

    def score(self, s: Tensor, q_mask: Tensor, d_mask: Tensor) -> Tensor:
        """See :class:`Scorer`."""
        features = torch.stack([self.feature(s, q_mask, d_mask, k) for k in range(len(self.means))], -1)
        read: Tensor = self.read(self.damping * features)
        return read.squeeze(-1)

    def feature(self, s: Tensor, q_mask: Tensor, d_mask: Tensor, k: int) -> Tensor:
        """φₖ, shape (...); one kernel at a time, which needs eleven times less memory."""
        near = torch.exp(-((s - self.means[k]) ** 2) / (2 * self.widths[k] ** 2))
        counts = (near * d_mask.unsqueeze(-2)).sum(-1)
        return (torch.log(counts.clamp(min=1e-10)) * q_mask).sum(-1)


class SeparableLite(Scorer):
    """Separable LITE (card, section 3.2): an MLP along rows of S, one along columns, a linear read-out.

    S′ᵢ = LN(σ(W₂ LN(σ(W₁ Sᵢ + b₁)) + b₂)) for each row, the same along columns with W₃ and W₄, and
    w·vec(S″) + b. Padding takes part as rows and columns of zeros, so lengths must be exactly L1, L2.

    Args:
        l1: L1.
        l2: L2.
        m1: Hidden width along the query axis; 12 · L1 in the paper.
        m2: Hidden width along the document axis; 12 · L2 in the paper.
        hidden_norm: LayerNorm after the hidden layers.
        out_norm: LayerNorm after W₂ and W₄, which erases how strong a row's matches are.
        out_activation: ReLU after W₂ and W₄.
        activation: ReLU at all; without it (and LayerNorms) the scorer is linear in S.
        affine: Whether LayerNorms have weights.
    """

    def __init__(
        self,
        l1: int,
        l2: int,
        m1: int,
        m2: int,
        *,
        hidden_norm: bool = True,
        out_norm: bool = True,
        out_activation: bool = True,
        activation: bool = True,
        affine: bool = True,
    ) -> None:
        super().__init__()
        self.shape = (l1, l2)

        def mlp(length: int, hidden: int) -> nn.Sequential:
            layers: list[nn.Module] = [nn.Linear(length, hidden)]
            layers += [nn.ReLU()] if activation else []
            layers += [nn.LayerNorm(hidden, elementwise_affine=affine)] if hidden_norm else []
            layers += [nn.Linear(hidden, length)]
            layers += [nn.ReLU()] if activation and out_activation else []
            layers += [nn.LayerNorm(length, elementwise_affine=affine)] if out_norm else []
            return nn.Sequential(*layers)

        self.rows = mlp(l2, m2)
        self.columns = mlp(l1, m1)
        self.read = nn.Linear(l1 * l2, 1)

    def score(self, s: Tensor, q_mask: Tensor, d_mask: Tensor) -> Tensor:
        """See :class:`Scorer`."""
        read: Tensor = self.read(self.mixed(_padded_with_zeros(s, q_mask, d_mask, self.shape)).flatten(-2))
        return read.squeeze(-1)

    def mixed(self, s: Tensor) -> Tensor:
        """S″, shape (..., L1, L2)."""
        mixed: Tensor = self.columns(self.rows(s).transpose(-2, -1)).transpose(-2, -1)
        return mixed


class FlatLite(Scorer):
    """Flattened LITE: an MLP with two hidden layers on vec(S); the order is as in separable LITE.

    Args:
        l1: L1.
        l2: L2.
        width: Of the hidden layers.
    """

    def __init__(self, l1: int, l2: int, width: int) -> None:
        super().__init__()
        self.shape = (l1, l2)
        layers: list[nn.Module] = []
        for size in (l1 * l2, width):
            layers += [nn.Linear(size, width), nn.ReLU(), nn.LayerNorm(width)]
        self.mlp = nn.Sequential(*layers, nn.Linear(width, 1))

    def score(self, s: Tensor, q_mask: Tensor, d_mask: Tensor) -> Tensor:
        """See :class:`Scorer`."""
        read: Tensor = self.mlp(_padded_with_zeros(s, q_mask, d_mask, self.shape).flatten(-2))
        return read.squeeze(-1)


def _padded_with_zeros(s: Tensor, q_mask: Tensor, d_mask: Tensor, shape: tuple[int, int]) -> Tensor:
    """S with exact zeros at padding.

    Raises:
        ProblemError: If the lengths are not those that the scorer was made for.
    """
    if tuple(s.shape[-2:]) != shape:
        raise ProblemError(
            f"The scorer was made for {shape[0]} query and {shape[1]} document tokens, "
            f"not {s.shape[-2]} and {s.shape[-1]}",
            where="LITE",
            fix="Pad or cut token matrices to exactly these lengths (methods.lite.tokens.fixed_length).",
        )
    return s * q_mask.unsqueeze(-1) * d_mask.unsqueeze(-2)


def parameters(scorer: nn.Module) -> int:
    """How many numbers a scorer learns."""
    return sum(parameter.numel() for parameter in scorer.parameters())
