"""What became of each thing that a baseline has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Outcome = Literal["regressed", "lost", "improved", "same", "reported", "not comparable"]
"""``lost``: the baseline has it and the run lacks it; ``reported``: it changed, and fails nothing."""

Kind = Literal["verdict", "control", "trials", "quantity", "cell"]


@dataclass(frozen=True)
class Item:
    """One thing that was set against the baseline.

    Attributes:
        claim: The claim it belongs to; empty for trials.
        kind: A verdict, a control's effect, trials, a claim's quantity, or one of its cells.
        label: What it is, in words.
        outcome: What became of it.
        detail: The figures behind the outcome.
        log: The same figures as logarithms, where readers are shown factors.
    """

    claim: str
    kind: Kind
    label: str
    outcome: Outcome
    detail: str
    log: str = ""

    @property
    def name(self) -> str:
        """The claim and the label."""
        return f"{self.claim}: {self.label}" if self.claim else self.label
