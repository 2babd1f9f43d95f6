"""Negative controls: decoding, selection and drafts with one thing broken. No real method imports this."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias

import numpy as np

from harness.method import Context, param
from methods.spectr.method import SpecTr
from methods.spectr.pairs import BaseSelect, Case, Pairs, SelectionProblem
from methods.spectr.task import DecodingProblem

if TYPE_CHECKING:
    from methods.spectr.selection import Rule

RuleBug: TypeAlias = Literal["undivided", "deduplicated", "stale-count", "plain-residual"]
Bug: TypeAlias = Literal[RuleBug, "stale-cache", "copied-drafts", "shuffled-draft", "no-cache"]
BrokenRule: TypeAlias = Literal[RuleBug, "half-divided", "one-try"]


@dataclass(frozen=True)
class Sabotaged(SpecTr):
    """SpecTr with one thing broken on purpose."""

    cites: ClassVar[str] = ""

    bug: Bug = param("undivided", source="ours", doc="what is broken")  # noqa: RUF009

    def rule(self) -> Rule:
        """K-SEQ, or the broken rule."""
        from methods.spectr import sabotage_rules as broken

        rules: dict[str, Rule] = {
            "undivided": broken.Undivided(),
            "deduplicated": broken.Deduplicated(),
            "stale-count": broken.StaleCount(),
            "plain-residual": broken.PlainResidual(),
            # Copies of one draft count as one, which keeps the distribution and removes the benefit of K.
            "copied-drafts": broken.Deduplicated(),
        }
        return rules.get(self.bug) or super().rule()

    def sessions(self, problem: DecodingProblem) -> tuple[Any, Any]:
        """Sessions, or broken ones."""
        from methods.spectr import sabotage_sessions as broken

        target, draft = super().sessions(problem)
        wrap = {
            "stale-cache": broken.stale_cache,
            "copied-drafts": broken.copied_drafts,
            "shuffled-draft": broken.shuffled_draft,
            "no-cache": broken.no_cache,
        }
        return wrap[self.bug](target, draft) if self.bug in wrap else (target, draft)


@dataclass(frozen=True)
class SelectBroken(BaseSelect):
    """A token-level selection rule that differs from K-SEQ in one line."""

    name: BrokenRule = param("undivided", source="ours", doc="the rule")  # noqa: RUF009

    def rule(self) -> Rule:
        """The broken rule."""
        from methods.spectr import sabotage_rules as broken

        rules: dict[str, Rule] = {
            "undivided": broken.Undivided(),
            "half-divided": broken.HalfDivided(),
            "deduplicated": broken.Deduplicated(),
            "stale-count": broken.StaleCount(),
            "plain-residual": broken.PlainResidual(),
            "one-try": broken.OneTry(),
        }
        return rules[self.name]


@dataclass(frozen=True)
class DisjointPairs(Pairs):
    """The draft never proposes a token that the target can emit: nothing to gain."""

    def problem(self, ctx: Context) -> SelectionProblem:
        """The same distributions on two disjoint sets of tokens."""
        found = super().problem(ctx)
        return replace(found, cases=tuple(map(_disjoint, found.cases)))


def _disjoint(case: Case) -> Case:
    nothing = np.zeros_like(case.p)
    return Case(case.name, np.concatenate([case.p, nothing]), np.concatenate([nothing, case.q]))
