"""Exact enumeration of sequence distributions for pairs of tiny Markov chains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.method import Context, Scores, Task, param
from methods.spectr.pairs import ROUNDING, SelectionProblem

if TYPE_CHECKING:
    from methods.spectr.selection import Rule


@dataclass(frozen=True)
class TinyChains(Task[SelectionProblem, "Rule"]):
    """The distribution of the next L + 1 tokens of small random chains, over all drafts and outcomes."""

    states: int = param(3, source="card, section 9", doc="|V|")
    length: int = param(2, source="card, section 9", doc="L")
    most: int = param(3, source="card, section 9", doc="largest K")
    worlds: int = param(4, source="ours", doc="pairs of chains a seed")

    def problem(self, ctx: Context) -> SelectionProblem:
        """Nothing to see: rules are general."""
        return SelectionProblem((), self.most)

    def evaluate(self, result: Rule, ctx: Context) -> Scores:
        """Part ``law``: errors; part ``main``: expected block length for each K."""
        from methods.spectr.law import plain_law, sequence_law
        from methods.spectr.markov import markov_pair

        rng = ctx.rng("chains")
        law: dict[str, list[Any]] = {
            name: [] for name in ("unit_id", "case", "error", "tolerance", "confirmed")
        }
        main: dict[str, list[Any]] = {name: [] for name in ("unit_id", "drafts", "tokens", "calls")}
        for world in range(self.worlds):
            draft, target = markov_pair(rng, states=self.states, noise=0.8)
            plain = plain_law(target, 0, self.length + 1)
            for count in range(1, self.most + 1):
                found = sequence_law(result, draft, target, 0, count=count, length=self.length)
                error = float((found.law - plain).abs().max())
                name = f"world {world}, K = {count}"
                for column, value in zip(law, (name, name, error, ROUNDING, error > ROUNDING), strict=True):
                    law[column].append(value)
                for column, value in zip(main, (name, count, found.block_efficiency, 1.0), strict=True):
                    main[column].append(value)
        return Scores({"main": main, "law": law})
