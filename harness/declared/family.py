"""The family of claims that are tested together, in which no question is counted twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.claims import Claim, Profile
from harness.declared.keys import same_rule
from harness.plan.carried import Fault
from harness.suite import Suite

MOST_PRIMARY = 8
"""Claims of a suite that may be primary: with more there is no headline, and nothing is gained."""


@dataclass(frozen=True)
class Levels:
    """By how many the level is divided for claims of each kind, where nothing has been shown yet.

    Attributes:
        primary: Primary claims of the family.
        secondary: All others.
    """

    primary: int
    secondary: int

    @classmethod
    def of(cls, family: Sequence[Claim]) -> Levels:
        """The numbers of a family's claims."""
        first = sum(claim.primary for claim in family)
        return cls(first, len(family) - first)

    def divisor(self, claim: Claim) -> int:
        """Where there are claims of both kinds, those of each share half of the level."""
        kinds = (self.primary > 0) + (self.secondary > 0)
        return max(1, kinds * (self.primary if claim.primary else self.secondary))


def family_of(suite: Suite, profile: Profile) -> list[Claim]:
    """The claims whose p-values make up the family of a profile; a rule with faults asks nothing yet."""
    parents = {claim.parent for claim in suite.claims}
    return [
        claim
        for claim in suite.claims
        if claim.id not in parents
        and (form := claim.forms.get(profile)) is not None
        and form.statistical
        and not any(form.faults())
        and twin_of(suite, claim, profile) is None
    ]


def twin_of(suite: Suite, claim: Claim, profile: Profile) -> Claim | None:
    """The claim with the same rule whose verdict a claim says it shares, under a profile."""
    if not claim.same_as:
        return None
    other = next((item for item in suite.claims if item.id == claim.same_as), None)
    if other is None or profile not in claim.forms or profile not in other.forms:
        return None
    return other if same_rule(claim.forms[profile], other.forms[profile]) else None


def twin_faults(suite: Suite, profile: Profile) -> Iterator[Fault]:
    """Claims that ask the same, of which each would count in the family, and what is wrong with `same_as`."""
    for claim in suite.claims:
        if claim.same_as:
            yield from _same_as_faults(suite, claim)
    first: dict[tuple[str, frozenset[object]], Claim] = {}
    for claim in family_of(suite, profile):
        form = claim.forms[profile]
        other = first.setdefault((type(form).__name__, form.asked), claim)
        if other is not claim:
            yield (
                f"It asks what {other.id} asks, so that Holm counts one question twice",
                f"claim {claim.id}",
                f"Drop it, or give it the rule of {other.id} and say same_as = '{other.id}' in paper.toml.",
            )


def overlaps(suite: Suite, profile: Profile) -> Iterator[Fault]:
    """Claims all of whose questions another claim asks among its own."""
    asked = [(claim, claim.forms[profile].asked) for claim in family_of(suite, profile)]
    for claim, questions in asked:
        for other, more in asked:
            if questions < more:
                what = f"All that it asks is asked by {other.id} as well, and Holm counts both"
                yield what, f"claim {claim.id}", "Let one of the two ask the rest only."


def _same_as_faults(suite: Suite, claim: Claim) -> Iterator[Fault]:
    where, fix = f"claim {claim.id}", "Name a claim that stands for itself, with an equal rule, or drop it."
    other = next((item for item in suite.claims if item.id == claim.same_as), None)
    if other is None or other is claim:
        yield f"It is the same as '{claim.same_as}', which is no other claim", where, fix
    elif other.primary != claim.primary:
        yield f"It is the same as {other.id}, and only one of the two is primary", where, "Say it of both."
    elif other.same_as:
        yield f"It is the same as {other.id}, which is the same as {other.same_as}", where, fix
    elif not any(twin_of(suite, claim, profile) for profile in claim.forms):
        yield f"It is the same as {other.id}, but no profile gives both the same rule", where, fix
