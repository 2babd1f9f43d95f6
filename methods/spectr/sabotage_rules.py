"""Selection rules that are wrong on purpose, for :mod:`methods.spectr.sabotage`.

Each differs from K-SEQ in one line that is easy to get wrong. Their output does not follow the
target's distribution, and several look as fast as the right rule or faster: speed cannot reveal them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from methods.spectr import kseq
from methods.spectr.selection import Plan, Rule, kseq_plan


@dataclass(frozen=True)
class Undivided(Rule):
    """ρ = 1 with several tries: each candidate is tested as in single-draft decoding."""

    exact: ClassVar[bool] = False

    def plan(self, p: Tensor, q: Tensor, candidates: Tensor, active: Tensor) -> Plan:
        """See :class:`~methods.spectr.selection.Rule`."""
        k = active.sum(-1)
        return kseq_plan(p, q, candidates, active, rho=torch.ones_like(p[:, 0]), k=k)


@dataclass(frozen=True)
class HalfDivided(Rule):
    """ρ halfway between 1 and ρ*: below the valid range."""

    exact: ClassVar[bool] = False

    def plan(self, p: Tensor, q: Tensor, candidates: Tensor, active: Tensor) -> Plan:
        """See :class:`~methods.spectr.selection.Rule`."""
        k = active.sum(-1)
        rho = (1.0 + kseq.division_factor(p, q, k)) / 2.0
        return kseq_plan(p, q, candidates, active, rho=rho, k=k)


@dataclass(frozen=True)
class Deduplicated(Rule):
    """Repeated candidates are removed first, although the tries must be independent."""

    exact: ClassVar[bool] = False

    def plan(self, p: Tensor, q: Tensor, candidates: Tensor, active: Tensor) -> Plan:
        """See :class:`~methods.spectr.selection.Rule`."""
        distinct = active & ~_seen_before(candidates, active)
        k = distinct.sum(-1)
        return kseq_plan(p, q, candidates, distinct, rho=kseq.division_factor(p, q, k), k=k)


@dataclass(frozen=True)
class StaleCount(Rule):
    """k stays the number of slots after drafts have been filtered out."""

    exact: ClassVar[bool] = False

    def plan(self, p: Tensor, q: Tensor, candidates: Tensor, active: Tensor) -> Plan:
        """See :class:`~methods.spectr.selection.Rule`."""
        k = torch.full_like(active.sum(-1), active.shape[1])
        return kseq_plan(p, q, candidates, active, rho=kseq.division_factor(p, q, k), k=k)


@dataclass(frozen=True)
class PlainResidual(Rule):
    """The residual of single-draft decoding, max(q − p, 0), instead of max(q − ρ*p, 0)."""

    exact: ClassVar[bool] = False

    def plan(self, p: Tensor, q: Tensor, candidates: Tensor, active: Tensor) -> Plan:
        """See :class:`~methods.spectr.selection.Rule`."""
        k = active.sum(-1)
        right = kseq_plan(p, q, candidates, active, rho=kseq.division_factor(p, q, k), k=k)

        def residual(rows: Tensor) -> Tensor:
            return kseq.normalised(q[rows] - p[rows], q[rows])

        return Plan(right.accept, residual)


@dataclass(frozen=True)
class OneTry(Rule):
    """Only the first candidate is tested, at K-SEQ's division factor for all of them.

    The distribution stays q, but the other candidates are wasted.
    """

    def plan(self, p: Tensor, q: Tensor, candidates: Tensor, active: Tensor) -> Plan:
        """See :class:`~methods.spectr.selection.Rule`."""
        first = active & (active.cumsum(-1) == 1)
        rho = kseq.division_factor(p, q, active.sum(-1))
        return kseq_plan(p, q, candidates, first, rho=rho, k=first.sum(-1))


def _seen_before(candidates: Tensor, active: Tensor) -> Tensor:
    equal = (candidates.unsqueeze(2) == candidates.unsqueeze(1)) & active.unsqueeze(1)
    return equal.tril(diagonal=-1).any(-1)
