"""The rule itself."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from methods.spectr import kseq
from methods.spectr.selection import Plan, Rule, kseq_plan


@dataclass(frozen=True)
class FirstTries(Rule):
    """K-SEQ on the first surviving candidates only, at the division factor for so many."""

    tries: int

    def plan(self, p: Tensor, q: Tensor, candidates: Tensor, active: Tensor) -> Plan:
        """The law stays q, since those candidates are independent draws from p as well."""
        tested = active & (active.cumsum(-1) <= self.tries)
        k = tested.sum(-1)
        return kseq_plan(p, q, candidates, tested, rho=kseq.division_factor(p, q, k), k=k)
