"""K-SEQ: k sequential tries with an acceptance lowered by a division factor ρ.

Candidates X_1 … X_k are drawn independently from p. Each in turn is accepted with probability
min(1, q(X)/(ρ p(X))); if none is, a token is drawn from the residual distribution. The result has
distribution q exactly for every ρ in [ρ*, k], and acceptance is most likely at ρ*.

Shapes: R rows (independent problems), V vocabulary. All functions work row by row.
"""

from __future__ import annotations

import torch
from torch import Tensor


def trial_acceptance(p: Tensor, q: Tensor, rho: Tensor) -> Tensor:
    """β(ρ) = Σ_x min(p(x), q(x)/ρ): the probability that one try accepts.

    Args:
        p: Draft probabilities, shape (R, V).
        q: Target probabilities, shape (R, V).
        rho: Division factors, shape (R,).

    Returns:
        Shape (R,).
    """
    return torch.minimum(p, q / rho.unsqueeze(-1)).sum(-1)


def acceptance(beta: Tensor, k: Tensor) -> Tensor:
    """p_acc = 1 − (1 − β)^k: the probability that one of k tries accepts.

    Computed as −expm1(k log1p(−β)), which keeps its precision where β is small.
    """
    return -torch.expm1(k.to(beta.dtype) * torch.log1p(-beta.clamp(max=1.0)))


def tries(beta: Tensor, k: Tensor) -> Tensor:
    """γ = p_acc/β: the expected number of tries, k in the limit β → 0."""
    return torch.where(beta > 0, acceptance(beta, k) / beta.clamp(min=_tiny(beta)), k.to(beta.dtype))


def division_factor(p: Tensor, q: Tensor, k: Tensor) -> Tensor:
    """ρ*, the smallest valid division factor: the root of 1 − (1 − β(ρ))^k = ρ β(ρ) on [1, k].

    Bisection that keeps the upper end, so that the result is always valid and only acceptance of
    the order of the last bit is lost. Tokens with q ≥ k p or q ≤ p contribute p or q/ρ for every
    ρ in [1, k]: they are summed once, and only the others are visited again, which keeps the
    cost near one pass over the vocabulary.

    Args:
        p: Draft probabilities, shape (R, V).
        q: Target probabilities, shape (R, V).
        k: Number of candidates of each row, at least 1, shape (R,).

    Returns:
        Shape (R,), in [1, k].
    """
    most = k.to(p.dtype)
    always = q >= most.unsqueeze(-1) * p
    divided = (q <= p) & ~always
    constant = torch.where(always, p, 0.0).sum(-1)
    inverse = torch.where(divided, q, 0.0).sum(-1)
    rows, tokens = (~(always | divided)).nonzero(as_tuple=True)
    p_between, q_between = p[rows, tokens], q[rows, tokens]
    low, high = torch.ones_like(most), most
    for _ in range(_halvings(p)):
        middle = (low + high) / 2
        between = torch.minimum(p_between, q_between / middle[rows])
        beta = (constant + inverse / middle).index_add(0, rows, between)
        valid = acceptance(beta, k) <= middle * beta
        low, high = torch.where(valid, low, middle), torch.where(valid, middle, high)
    return high


def residual_mass(p: Tensor, q: Tensor, rho: Tensor, k: Tensor) -> Tensor:
    """The mass q − γ(ρ) min(p, q/ρ), shape (R, V), that acceptance leaves to be emitted.

    Sums to 1 − p_acc. Negative entries mean that ρ is below ρ* and the rule invalid.
    """
    accepted = torch.minimum(p, q / rho.unsqueeze(-1))
    return q - tries(accepted.sum(-1), k).unsqueeze(-1) * accepted


def normalised(mass: Tensor, otherwise: Tensor) -> Tensor:
    """Rows of non-negative ``mass`` as probabilities; an empty row becomes ``otherwise``.

    A row is empty only where acceptance is certain, so that it is never drawn from. Entries of
    −1e-17 from rounding are cut to zero.
    """
    positive = mass.clamp(min=0.0)
    total = positive.sum(-1, keepdim=True)
    return torch.where(total > 0, positive / total.clamp(min=_tiny(mass)), otherwise)


def guarantee(k: int) -> float:
    """1 − (1 − 1/k)^k: the share of the optimal acceptance that K-SEQ always reaches."""
    return 1.0 - (1.0 - 1.0 / k) ** k


def _halvings(values: Tensor) -> int:
    return 56 if values.dtype == torch.float64 else 28


def _tiny(values: Tensor) -> float:
    return torch.finfo(values.dtype).tiny
