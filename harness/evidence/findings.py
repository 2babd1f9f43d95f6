"""What a claim's data say, before the correction for the family of claims."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from harness.evidence.rows import NotMeasuredError
from harness.store.records import AssayRecord, TestRecord

Verdict = Literal["reproduced", "not reproduced", "inconclusive", "not comparable", "not run"]
Cause = Literal["", "power", "multiplicity", "assay", "no witness", "invalid", "reversed"]


@dataclass(frozen=True)
class Settled:
    """A verdict that no correction changes."""

    verdict: Verdict
    reason: str
    cause: Cause = ""


@dataclass(frozen=True)
class Finding:
    """The evidence on one claim.

    Attributes:
        tests: One record for each tested quantity.
        assays: The preconditions.
        trials: Ids of the trials behind it.
        p_plus: The claim's p of the paper's side, or ``None`` if it is not tested.
        p_minus: The claim's p against it.
        large_enough: Whether all estimates reach δ.
        needed: Replicates that would settle it, at θ = 2δ and at θ = 0.
        settled: The verdict, where the rule is not asked.
        weakest: Number of the test that decides p₊.
        lowest: Number of the test that decides p₋.
    """

    tests: tuple[TestRecord, ...] = ()
    assays: tuple[AssayRecord, ...] = ()
    trials: tuple[str, ...] = ()
    p_plus: float | None = None
    p_minus: float | None = None
    large_enough: bool = False
    needed: dict[str, int | None] = field(default_factory=dict)
    settled: Settled | None = None
    weakest: int = 0
    lowest: int = 0


def not_measured(error: NotMeasuredError) -> Settled:
    """The verdict on a claim whose quantity the run cannot give."""
    where = f": {error.where}" if error.where else ""
    if error.kind in ("blocked", "unplanned"):
        return Settled("not run", f"{error.what}.")
    if error.kind in ("foreign", "partial"):
        return Settled("not comparable", f"{error.what}{where}.")
    return Settled("inconclusive", f"{error.what}{where}.", "invalid")
