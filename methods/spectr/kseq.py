"""K-SEQ: k sequential tries with an acceptance lowered by a division factor ρ.

Candidates X_1 … X_k are drawn independently from p. Each in turn is accepted with probability
min(1, q(X)/(ρ p(X))); if none is, a token is drawn from the residual distribution. The result has
distribution q exactly for every ρ in [ρ*, k], and acceptance is most likely at ρ*.

Shapes: R rows (independent problems), V vocabulary. All functions work row by row.
"""

from __future__ import annotations

import torch
from torch import Tensor

_CACHED = 2**18
"""Probabilities that are visited again and again at once: they stay in a core's cache."""
_SURE = 12
"""Steps that false position usually takes at most."""


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

    The Illinois method (a false position whose kept end is weighted down, Dowell and Jarratt, 1971)
    on a bracket. Its upper end is returned, at which the rule was found valid; only acceptance of the
    order of the last bit is lost.

    Args:
        p: Draft probabilities, shape (R, V).
        q: Target probabilities, shape (R, V).
        k: Number of candidates of each row, at least 1, shape (R,).

    Returns:
        Shape (R,), in [1, k].
    """
    together = max(1, _CACHED // p.shape[-1])
    parts = zip(*(torch.split(tensor, together) for tensor in (p, q, k)), strict=True)
    return torch.cat([_smallest_valid(*part) for part in parts])


def _smallest_valid(p: Tensor, q: Tensor, k: Tensor) -> Tensor:
    scratch = torch.empty_like(p, memory_format=torch.contiguous_format)

    def excess(rho: Tensor) -> Tensor:
        torch.div(q, rho.unsqueeze(-1), out=scratch)
        beta = torch.minimum(p, scratch, out=scratch).sum(-1)
        return acceptance(beta, k) - rho * beta

    low, high = torch.ones_like(k, dtype=p.dtype), k.to(p.dtype)
    above, below = excess(low), excess(high).clamp(max=0.0)
    high = torch.where(above <= 0, low, high)
    before = torch.zeros_like(k, dtype=torch.bool)
    unit = torch.finfo(p.dtype).eps
    for step in range(_SURE + 2 * _halvings(p)):
        width, least = high - low, unit * high
        settled = width <= 2 * least
        if bool(settled.all()):
            break
        # Where false position stalls, every other step halves the bracket.
        halve = step >= _SURE and step % 2
        point = low + width / 2 if halve else high - below * width / (below - above)
        # Beside an end that is the root, the next number but one closes the bracket.
        point = torch.minimum(torch.maximum(point, low + least), high - least)
        value = excess(point)
        valid = value <= 0
        again = (valid == before) if step else torch.zeros_like(valid)
        above = torch.where(valid, torch.where(again, above / 2, above), value)
        below = torch.where(valid, value, torch.where(again, below / 2, below))
        low = torch.where(valid | settled, low, point)
        high = torch.where(valid & ~settled, point, high)
        before = valid
    return high


def residual_mass(p: Tensor, q: Tensor, rho: Tensor, k: Tensor) -> Tensor:
    """The mass q − γ(ρ) min(p, q/ρ), shape (R, V), that acceptance leaves to be emitted.

    Sums to 1 − p_acc. Negative entries mean that ρ is below ρ* and the rule invalid.
    """
    accepted = torch.minimum(p, q / rho.unsqueeze(-1))
    expected = tries(accepted.sum(-1), k).unsqueeze(-1)
    return torch.sub(q, accepted.mul_(expected), out=accepted)


def normalised(mass: Tensor, otherwise: Tensor) -> Tensor:
    """Rows of non-negative ``mass`` as probabilities; an empty row becomes ``otherwise``.

    A row is empty only where acceptance is certain, so that it is never drawn from. Entries of
    −1e-17 from rounding are cut to zero.
    """
    positive = mass.clamp(min=0.0)
    total = positive.sum(-1, keepdim=True)
    positive /= total.clamp(min=_tiny(mass))
    return positive if bool((total > 0).all()) else torch.where(total > 0, positive, otherwise)


def guarantee(k: int) -> float:
    """1 − (1 − 1/k)^k: the share of the optimal acceptance that K-SEQ always reaches."""
    return 1.0 - (1.0 - 1.0 / k) ** k


def _halvings(values: Tensor) -> int:
    return 56 if values.dtype == torch.float64 else 28


def _tiny(values: Tensor) -> float:
    return torch.finfo(values.dtype).tiny
