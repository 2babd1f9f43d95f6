"""What the data say on a claim, and the verdict that follows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from harness.errors import CorroborateError
from harness.store.records import AssayRecord, TestRecord

ALPHA = 0.025
"""One-sided level of every test; the same as reading 95 % intervals."""

Verdict = Literal["reproduced", "not reproduced", "inconclusive", "not comparable", "not run"]
Cause = Literal["", "power", "multiplicity", "assay", "no witness", "invalid", "reversed"]
ControlOutcome = tuple[Literal["kill", "keep", "undecided"], str]
"""What a sabotage does to a claim, and the figures behind it."""


def flips_needed(alpha: float) -> int:
    """The fewest equal replicates that a sign-flip test can tell from chance: 2⁻ⁿ ≤ α."""
    return max(2, math.ceil(-math.log2(alpha)))


@dataclass(frozen=True)
class Settled:
    """A verdict that no correction changes."""

    verdict: Verdict
    reason: str
    cause: Cause = ""


@dataclass(frozen=True)
class Finding:
    """The evidence on one claim, before the correction for the family of claims.

    Attributes:
        tests: One record for each tested quantity.
        preconditions: What was found of them.
        trials: Ids of the trials behind it.
        p_plus: The claim's p of the paper's side, or ``None`` if it is not tested.
        p_minus: The claim's p against it.
        large_enough: Whether all estimates reach δ.
        needed: Replicates that would settle it, for each supposed θ that those seen have not ruled out.
        no_number: Why no number of replicates would, where ``needed`` names none.
        settled: The verdict, where the rule is not asked.
        weakest: Number of the test that decides p₊.
        lowest: Number of the test that decides p₋.
    """

    tests: tuple[TestRecord, ...] = ()
    preconditions: tuple[AssayRecord, ...] = ()
    trials: tuple[str, ...] = ()
    p_plus: float | None = None
    p_minus: float | None = None
    large_enough: bool = False
    needed: dict[str, int | None] = field(default_factory=dict)
    no_number: str = ""
    settled: Settled | None = None
    weakest: int = 0
    lowest: int = 0


@dataclass(frozen=True)
class Corrected:
    """A claim's p-values, multiplied by the looks of the run, corrected over its family.

    Attributes:
        plus: Of the paper's side.
        minus: Against it.
        family: Claims in the family.
        looks: Looks that the run may take.
        primary: Whether it is a primary claim; ``None`` where all claims count alike.
    """

    plus: float | None
    minus: float | None
    family: int
    looks: int = 1
    primary: bool | None = None

    @property
    def reasons(self) -> list[str]:
        """What they are corrected for, in words; nothing for one claim that is looked at once."""
        return [f"{self.family} claims"] * (self.family > 1) + [f"{self.looks} looks"] * (self.looks > 1)


Kind = Literal["blocked", "unplanned", "missing", "mismatch", "omitted", "foreign", "undefined", "partial"]
"""Why a quantity is not measured; :class:`NotMeasuredError` says what each means."""


class NotMeasuredError(CorroborateError):
    """A quantity that this run cannot give.

    Attributes:
        kind: ``"blocked"`` and ``"unplanned"`` were never meant to run; ``"missing"`` trials were
            planned and are not there; ``"mismatch"`` is a contradiction in rows or declarations;
            rows that committed results leave out are ``"omitted"``;
            ``"foreign"`` trials come from unlike machines; an ``"undefined"`` value is the rows' own:
            a mean over nothing, a logarithm of zero; a ``"partial"`` one does not rest on the whole
            evaluation set.
        trials: Ids of the trials at fault.
    """

    def __init__(
        self,
        what: str,
        *,
        kind: Kind,
        trials: Sequence[str] = (),
    ) -> None:
        super().__init__(what, where=", ".join(trials[:3]) + (" …" if len(trials) > 3 else ""))
        self.kind = kind
        self.trials = tuple(trials)


def not_measured(error: NotMeasuredError) -> Finding:
    """The finding on a claim whose quantity the run cannot give."""
    where = f": {error.where}" if error.where else ""
    if error.kind in ("blocked", "unplanned"):
        settled = Settled("not run", f"{error.what}.")
    elif error.kind in ("foreign", "partial"):
        settled = Settled("not comparable", f"{error.what}{where}.")
    else:
        settled = Settled("inconclusive", f"{error.what}{where}.", "invalid")
    return Finding(settled=settled, trials=error.trials)
