"""What every form of claim must say: for declarations, verdicts, controls, comparisons and reports."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from harness.claims.findings import ControlOutcome, Corrected, Finding, Settled
from harness.claims.judging import JudgingContext
from harness.claims.outlook import Outlook, Replicates
from harness.claims.profiles import Profile, Replication
from harness.claims.quantity import Contrast
from harness.errors import SuiteError

SHOWN_QUANTITIES = 3
"""More quantities of one claim than this are summed up in an overview."""

Fault = tuple[str, str]
"""What is wrong with a declaration, and how to correct it."""


@dataclass(frozen=True)
class Measured:
    """A quantity of a claim, to be compared between runs.

    Attributes:
        label: In words.
        theta: The quantity.
        replication: What is drawn again.
        allowed: By how much a new run may fall short of an old one; any change is allowed without it.
        two_sided: Whether it may not rise by more, either.
        by_cell: Whether the same is asked of its cells one by one.
    """

    label: str
    theta: Contrast
    replication: Replication
    allowed: float | None = None
    two_sided: bool = False
    by_cell: bool = False


class Form(ABC):
    """The rule that decides a claim.

    A form is a frozen dataclass whose name and fields are hashed when a run starts. It is found by its
    name in :data:`harness.claims.forms.FORMS`.
    """

    meaning: ClassVar[str]
    """The rule, as a report says it."""

    statistical: ClassVar[bool] = False
    """Whether its p-values belong to the family of claims; smoke runs do not judge it."""

    decides: ClassVar[bool] = True
    """Whether it gives a verdict that a control could break."""

    at_any_scale: ClassVar[bool] = False
    """Whether it must hold at any scale, so that a failure is a fault of the code."""

    hypotheses: ClassVar[tuple[str, str]] = ("", "")
    """What p₊ and p₋ test; a form that tests nothing has none."""

    untested: ClassVar[str] = "exact"
    """What a plan shows of a form that tests no θ, in the place of a detectable effect."""

    effect_name: ClassVar[str] = "Smallest effect δ"
    """What the number is called that θ is held to."""

    @abstractmethod
    def examine(self, context: JudgingContext) -> Finding:
        """The evidence on the claim, settled where no correction can change the verdict."""

    @abstractmethod
    def measured(self) -> tuple[Measured, ...]:
        """The quantities that two runs are compared in; none if it pools rows."""

    def watched(self) -> tuple[Measured, ...]:
        """The quantities that a later run must not lose."""
        return self.measured()

    @property
    @abstractmethod
    def digits(self) -> int:
        """Decimals that reports show of its quantities."""

    def conclude(self, finding: Finding, corrected: Corrected, profile: Profile) -> Settled:
        """The verdict, once p-values are corrected for the family.

        Raises:
            SuiteError: If the form leaves its finding open and says no rule.
        """
        if finding.settled is None:
            what = f"{type(self).__name__} leaves its finding open and has no rule"
            raise SuiteError(what, where="conclude", fix="Settle the finding, or say how it is concluded.")
        return finding.settled

    def outlook(self, planned: Replicates, context: JudgingContext | None) -> Outlook:
        """What planned replicates could show; a form that tests nothing has nothing to detect.

        Args:
            planned: The replicates that are planned.
            context: A stored run that the spread of θ comes from, if there is one.

        Raises:
            NotMeasuredError: If that run does not give θ.
        """
        return Outlook(shown=self.untested)

    def under_control(self, broken: Self, context: JudgingContext, profile: Profile) -> ControlOutcome:
        """What a sabotage does to the claim.

        Args:
            broken: The form over the sabotaged cells.
            context: The run.
            profile: Which is judged.
        """
        settled = broken.examine(context).settled
        if settled is None or settled.verdict in ("not run", "not comparable"):
            return "undecided", settled.reason if settled else ""
        if settled.verdict == "reproduced":
            return "keep", settled.reason
        killed = settled.verdict == "not reproduced" or settled.cause == "no witness"
        return "kill" if killed else "undecided", settled.reason

    @property
    def stated_noise(self) -> float:
        """The spread of its quantities between runs that should agree; 0 where none is stated."""
        return 0.0

    def floored(self, floor: float) -> Self:
        """The rule with a measured noise floor: of that and the one that it states, the larger counts."""
        return self

    def faults(self) -> Iterator[Fault]:
        """Why it cannot be judged as declared."""
        yield from ()

    def cautions(self) -> Iterator[Fault]:
        """What should be declared otherwise, though a run can be judged."""
        yield from ()

    def lacking(self, seeds: int, blocks: int | None) -> str:
        """Which replicates an experiment declares too few of, in words.

        Args:
            seeds: Declared seeds.
            blocks: Timed blocks over all seeds, if it is timed.
        """
        return ""

    @property
    def kind(self) -> str:
        """What a list of claims calls it."""
        return type(self).__name__

    @property
    def effect(self) -> tuple[float | None, str]:
        """δ or Δ with its reason, if it has one."""
        return None, ""

    @property
    def margin_shown(self) -> tuple[float | None, str]:
        """A declared margin with its reason, if it has one; shown where it is not the recorded threshold."""
        return None, ""

    @property
    def replicates(self) -> str:
        """What its replicates are, in words."""
        return ""

    @property
    def checked_by(self) -> str:
        """The oracle behind it, in words, if it has one."""
        return ""

    @property
    def reported_numbers(self) -> tuple[str, ...]:
        """Ids of the paper's numbers that the rule compares with, which only the paper profile may."""
        return ()

    @property
    def held(self) -> tuple[float, ...]:
        """Numbers beside θ that the rule holds it to: a margin, a share. No effect δ is among them."""
        return ()

    @property
    def asked(self) -> frozenset[object]:
        """What its tests ask, whatever δ is; two claims of one form that ask the same are one."""
        return frozenset()

    @property
    def tests_bare_level(self) -> bool:
        """Whether a level that nothing is taken off is tested against zero."""
        return False

    @property
    def flips_signs(self) -> bool:
        """Whether equal values in all replicates are left to a sign-flip test."""
        return False

    @classmethod
    def thresholds(cls, delta: float) -> tuple[float, ...]:
        """Where θ has to lie, to be drawn beside its interval."""
        return (delta,)

    @classmethod
    def summary(cls, values: Sequence[float]) -> tuple[list[int], str]:
        """Which of its tests an overview shows, by number, and a word for what they are."""
        if len(values) <= SHOWN_QUANTITIES:
            return list(range(len(values))), ""
        weakest = min(range(len(values)), key=values.__getitem__)
        return [weakest], f"weakest of {len(values)} quantities"


def digits_of(theta: Contrast) -> int:
    """Decimals of a quantity: its metrics' largest, three on a logarithmic scale."""
    if theta.log or not theta.terms:
        return 3
    return max(cell.metric.digits for _, cell in theta.terms)
