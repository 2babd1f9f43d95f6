"""Token-level selection: from k candidates to one token with the target's distribution.

Every rule is written as a :class:`Plan`: the probability of accepting each candidate in turn, and
what to draw if all are refused. One function draws from a plan (:func:`draw`), another gives its exact
distribution (:func:`plan_law`), so that what is enumerated in tests is what decodes real models.

Shapes: R rows (independent problems), K candidate slots, V vocabulary. A slot takes part in a row
only if it is *active*; active candidates keep their order and their repetitions.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from methods.spectr import kseq
from methods.spectr.otm import optimal_flow

_STRETCH = 512
"""Tokens whose probabilities are summed together before one of them is looked for."""


@dataclass(frozen=True)
class Plan:
    """How one token is selected.

    Attributes:
        accept: Shape (R, K): probability of accepting a candidate given that those before it
            were refused; zero in inactive slots.
        residual: From row numbers (r,) to the distributions (r, V) that are drawn from when every
            candidate was refused. A function, since most rows never need it.
    """

    accept: Tensor
    residual: Callable[[Tensor], Tensor]


class Rule(ABC):
    """A token-level selection rule; implementations are frozen dataclasses."""

    exact: ClassVar[bool] = True
    """Whether the result provably has distribution q."""

    @abstractmethod
    def plan(self, p: Tensor, q: Tensor, candidates: Tensor, active: Tensor) -> Plan:
        """The selection plan.

        Args:
            p: Draft probabilities, shape (R, V).
            q: Target probabilities, shape (R, V).
            candidates: Tokens drawn from p, shape (R, K).
            active: Which slots take part, shape (R, K); at least one in each row.
        """


@dataclass(frozen=True)
class KSeq(Rule):
    """K-SEQ at ρ = ρ* + slack · (k − ρ*): slack 0 is the paper's rule, 1 needs no root finding."""

    slack: float = 0.0

    def plan(self, p: Tensor, q: Tensor, candidates: Tensor, active: Tensor) -> Plan:
        """See :class:`Rule`; section "K-SEQ" of the paper."""
        k = active.sum(-1)
        best = kseq.division_factor(p, q, k)
        return kseq_plan(p, q, candidates, active, rho=best + self.slack * (k - best), k=k)


def kseq_plan(p: Tensor, q: Tensor, candidates: Tensor, active: Tensor, *, rho: Tensor, k: Tensor) -> Plan:
    """The K-SEQ plan for given division factors ``rho`` and tries ``k``, both of shape (R,)."""

    def residual(rows: Tensor) -> Tensor:
        mass = kseq.residual_mass(p[rows], q[rows], rho[rows], k[rows])
        return kseq.normalised(mass, q[rows])

    above, below = q.gather(1, candidates) / rho.unsqueeze(-1), p.gather(1, candidates)
    return Plan(_accepts(below, above, active), residual)


@dataclass(frozen=True)
class FirstOnly(Rule):
    """Naive multi-path: only the first candidate is tested, as in single-draft decoding.

    A token drawn from the residual may still equal another candidate, and decoding goes on there.
    """

    def plan(self, p: Tensor, q: Tensor, candidates: Tensor, active: Tensor) -> Plan:
        """See :class:`Rule`; Leviathan et al. (2023) on the first active slot."""
        first = active & (active.cumsum(-1) == 1)

        def residual(rows: Tensor) -> Tensor:
            return kseq.normalised(q[rows] - p[rows], q[rows])

        return Plan(_accepts(p.gather(1, candidates), q.gather(1, candidates), first), residual)


@dataclass(frozen=True)
class Recursive(Rule):
    """Recursive rejection sampling, SpecInfer's multi-step scheme (arXiv:2305.09781).

    Candidate i is tested against the running residual q_i, q_{i+1} ∝ max(q_i − p, 0).
    """

    def plan(self, p: Tensor, q: Tensor, candidates: Tensor, active: Tensor) -> Plan:
        """See :class:`Rule`."""
        running, accepts = q, []
        for slot in range(candidates.shape[1]):
            here, token = active[:, slot : slot + 1], candidates[:, slot : slot + 1]
            accepts.append(_accepts(p.gather(1, token), running.gather(1, token), here))
            running = torch.where(here, kseq.normalised(running - p, running), running)
        return Plan(torch.cat(accepts, dim=1), lambda rows: running[rows])


@dataclass(frozen=True)
class TargetFirst(Rule):
    """SpecInfer's naive sampling (NSS): draw from q and go on if the token was drafted."""

    def plan(self, p: Tensor, q: Tensor, candidates: Tensor, active: Tensor) -> Plan:
        """See :class:`Rule`."""
        return Plan(torch.zeros_like(candidates, dtype=q.dtype), lambda rows: q[rows])


@dataclass(frozen=True)
class OptimalTransport(Rule):
    """OTM-k: an optimal transport plan from the linear program, for small vocabularies."""

    def plan(self, p: Tensor, q: Tensor, candidates: Tensor, active: Tensor) -> Plan:
        """See :class:`Rule`; the plan's emission distribution is turned into successive acceptances."""
        accept = torch.zeros_like(candidates, dtype=q.dtype)
        rest = torch.empty_like(q)
        for row in range(len(p)):
            flow = optimal_flow(_array(p[row]), _array(q[row]), int(active[row].sum()))
            rest[row] = torch.from_numpy(flow.rest)
            seen: dict[int, float] = {}
            emit = flow.emit[flow.supports.searchsorted(_support(candidates[row], active[row]))]
            for slot in active[row].nonzero().flatten().tolist():
                token = int(candidates[row, slot])
                left = 1.0 - sum(seen.values())
                if token not in seen and left > 0:
                    accept[row, slot] = min(1.0, float(emit[token]) / left)
                seen.setdefault(token, float(emit[token]))
        return Plan(accept, lambda rows: rest[rows])


def draw(plan: Plan, candidates: Tensor, uniforms: Tensor) -> Tensor:
    """One token a row, shape (R,).

    Args:
        plan: How to select.
        candidates: Shape (R, K).
        uniforms: Shape (R, K + 1): one number for each candidate, and one for the residual.
    """
    believed = uniforms[:, :-1] < plan.accept
    token = candidates.gather(1, believed.to(torch.int8).argmax(1, keepdim=True)).squeeze(1)
    refused = (~believed.any(1)).nonzero().flatten()
    if len(refused):
        token[refused] = sample(plan.residual(refused), uniforms[refused, -1])
    return token


def sample(law: Tensor, uniforms: Tensor) -> Tensor:
    """Tokens (R,) from the distributions (R, V) by inversion of their distribution functions.

    A token without probability is never drawn: the search is to the right, and the largest
    value is capped to the last token that has some.

    Args:
        law: Shape (R, V), or (1, V) for all.
        uniforms: Shape (R,).
    """
    numbers = uniforms.to(torch.float64)
    if law.shape[1] <= _STRETCH:
        return _inverted(law.cumsum(-1, dtype=torch.float64), numbers)
    # First the stretch of tokens, then the token in it: running sums over all of them are slow.
    whole = torch.nn.functional.pad(law, (0, -law.shape[1] % _STRETCH)).view(len(law), -1, _STRETCH)
    steps = whole.sum(-1, dtype=torch.float64).cumsum(-1)
    stretch = _inverted(steps, numbers)
    row = torch.arange(len(law), device=law.device).expand(len(numbers))
    start = torch.nn.functional.pad(steps, (1, 0))[row, stretch]
    within = whole[row, stretch].cumsum(-1, dtype=torch.float64) + start.unsqueeze(1)
    return stretch * _STRETCH + _searched(within, numbers * steps[row, -1])


def _inverted(steps: Tensor, uniforms: Tensor) -> Tensor:
    """Where running sums, (R, V) or (1, V), pass the given shares (R,) of their totals."""
    return _searched(steps, uniforms * steps[:, -1])


def _searched(steps: Tensor, target: Tensor) -> Tensor:
    """The first place of running sums, (R, V) or (1, V), above ``target`` (R,); one that adds something."""
    steps = steps.expand(len(target), -1).contiguous()
    found = torch.searchsorted(steps, target.unsqueeze(-1), right=True).squeeze(-1)
    last = torch.searchsorted(steps, steps[:, -1:].contiguous()).squeeze(-1)
    return torch.minimum(found, last)


def plan_law(plan: Plan, candidates: Tensor) -> Tensor:
    """The exact distribution of :func:`draw` given the candidates, shape (R, V)."""
    refuse = torch.cumprod(1.0 - plan.accept, dim=1)
    reach = torch.cat([torch.ones_like(refuse[:, :1]), refuse[:, :-1]], dim=1)
    everyone = torch.arange(len(candidates), device=candidates.device)
    law = plan.residual(everyone) * refuse[:, -1:]
    return law.scatter_add(1, candidates, plan.accept * reach)


def survivors(active: Tensor, candidates: Tensor, token: Tensor) -> Tensor:
    """Slots (R, K) whose draft goes on after ``token`` (R,) was emitted."""
    return active & (candidates == token.unsqueeze(-1))


def _accepts(below: Tensor, above: Tensor, active: Tensor) -> Tensor:
    """min(1, above/below) in active slots, all (R, K); zero elsewhere and where both are zero."""
    ratio = torch.where(below > 0, above / below, (above > 0).to(above.dtype))
    return torch.where(active, ratio.clamp(max=1.0), 0.0)


def _array(row: Tensor) -> NDArray[np.float64]:
    return np.asarray(row.detach().to("cpu", torch.float64).numpy(), dtype=np.float64)


def _support(candidates: Tensor, active: Tensor) -> int:
    return sum(1 << token for token in set(candidates[active].tolist()))
