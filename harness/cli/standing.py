"""How a run until settled stands after a look: what is open, and what the next look would take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from harness.cli.display import duration
from harness.plan.looks import Looks
from harness.plan.selection import Place
from harness.store.records import VerdictRecord

_OPEN = ("power", "multiplicity")
"""Causes of an inconclusive verdict that more seeds may mend."""


@dataclass(frozen=True)
class NextLook:
    """The time of a look that could follow.

    Attributes:
        needed: Seconds that its trials and judging would take; ``None`` if no trial tells.
        left: Seconds of the budget; ``None`` if there is no budget.
    """

    needed: float | None
    left: float | None

    @property
    def fits(self) -> bool:
        """Whether it may start; what nobody knows fits into no budget."""
        return self.left is None or (self.needed is not None and self.needed <= self.left)

    @property
    def text(self) -> str:
        """The end of the line that says how things stand."""
        needed = "an unknown time" if self.needed is None else f"about {duration(self.needed)}"
        told = f"; the next look {'takes' if self.fits else 'would take'} {needed}"
        return told if self.left is None else f"{told}, {duration(max(self.left, 0.0))} are left"


@dataclass(frozen=True)
class Standing:
    """How the claims of a run stand after a look.

    Attributes:
        looks: Those that the run may take.
        seeds: What is planned at each place.
        verdicts: As judged now.
    """

    looks: Looks
    seeds: Mapping[Place, int]
    verdicts: Sequence[VerdictRecord] = field(repr=False)

    @cached_property
    def look(self) -> int:
        """The number of the look, from 0."""
        return self.looks.reached(self.seeds)

    @property
    def is_last(self) -> bool:
        """Whether no look is declared after it."""
        return self.look + 1 == len(self.looks.factors)

    @cached_property
    def open(self) -> list[str]:
        """Claims that more seeds may settle."""
        return [verdict.claim for verdict in self.verdicts if is_open(verdict)]

    @cached_property
    def more(self) -> Mapping[Place, int]:
        """What the next look would plan; the same as now if there is none, or it adds nothing."""
        return self.seeds if self.is_last else self.looks.grown(self.seeds, self.open, self.look + 1)

    @cached_property
    def added(self) -> list[str]:
        """The trials of the next look."""
        return self.looks.added(self.seeds, self.more)

    @property
    def text(self) -> str:
        """One line, without the time of the next look."""
        numbers = self.looks.seeds_of(self.seeds, self.look)
        span = [str(numbers[0]), *([str(numbers[-1])] if len(numbers) > 1 else [])] if numbers else []
        told = f" ({' to '.join(span)} seed{'s' * (numbers != [1])})" if numbers else ""
        tested = sum(v.claim in self.looks.tested and v.verdict != "not run" for v in self.verdicts)
        state = f"{len(self.open)} of {tested} claims {'is' if len(self.open) == 1 else 'are'} open"
        line = f"look {self.look + 1} of {len(self.looks.factors)}{told}: {state}"
        if self.open and not self.added:
            was_last = self.is_last and self.look > 0
            line += ", and this was the last look" if was_last else ", and there are no more seeds to give"
        return line


def is_open(verdict: VerdictRecord) -> bool:
    """Whether more seeds may settle a claim: it lacks power, and a number of seeds would give it."""
    return verdict.verdict == "inconclusive" and verdict.cause in _OPEN and bool(verdict.needed_seeds)
