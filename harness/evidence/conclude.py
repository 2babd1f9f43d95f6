"""From a finding and its corrected p-values to a verdict."""

from __future__ import annotations

from dataclasses import dataclass

from harness.claims import Form, Profile, StatisticalForm, Time
from harness.evidence.estimates import ALPHA
from harness.evidence.family import holm
from harness.evidence.findings import Finding, Settled
from harness.evidence.questions import MarginForm, delta_of, replication_of
from harness.evidence.wording import number, p_value, tested
from harness.store.records import TestRecord


@dataclass(frozen=True)
class Corrected:
    """A claim's p-values after Holm over its family.

    Attributes:
        plus: Of the paper's side.
        minus: Against it.
        family: Claims in the family.
    """

    plus: float | None
    minus: float | None
    family: int


def correct(findings: list[Finding], declared: int = 0) -> list[Corrected]:
    """Holm over the findings that are tested, p₊ and p₋ separately.

    Args:
        findings: Of all claims of a suite and profile.
        declared: Claims in the family as declared, where the run was restricted to some.
    """
    plus = holm([finding.p_plus for finding in findings], declared)
    minus = holm([finding.p_minus for finding in findings], declared)
    family = max(declared, sum(finding.p_plus is not None for finding in findings))
    return [Corrected(p, q, family) for p, q in zip(plus, minus, strict=True)]


def conclude(form: StatisticalForm, finding: Finding, corrected: Corrected, profile: Profile) -> Settled:
    """The verdict of a statistical claim."""
    if finding.settled is not None:
        return finding.settled
    here = "" if profile is Profile.PAPER else " at this scale"
    if _at_most(corrected.plus) and finding.large_enough:
        return Settled("reproduced", _held(finding, corrected, here))
    if _at_most(corrected.minus):
        return _fell(form, finding, corrected, here)
    if (_at_most(finding.p_plus) and finding.large_enough) or _at_most(finding.p_minus):
        reason = (
            f"The interval alone would decide, the {corrected.family} claims together do not: "
            f"for it, {_pair(finding.p_plus, corrected.plus)}; "
            f"against it, {_pair(finding.p_minus, corrected.minus)}."
        )
        return Settled("inconclusive", reason, "multiplicity")
    return Settled("inconclusive", _undecided(form, finding), "power")


def _held(finding: Finding, corrected: Corrected, here: str) -> str:
    weakest = finding.tests[finding.weakest]
    which = "weakest of all: " if len([t for t in finding.tests if t.p_plus is not None]) > 1 else ""
    text = f"Held{here}: {which}{tested(weakest)}; {_corrected(corrected.plus, corrected)}"
    flip = weakest.p_sign_flip
    if flip is not None and flip > ALPHA and 2.0 ** -len(weakest.replicates) <= ALPHA:
        text += f" (the sign-flip check disagrees: {p_value(flip)})"
    return f"{text}."


def _fell(form: StatisticalForm, finding: Finding, corrected: Corrected, here: str) -> Settled:
    test = finding.tests[finding.lowest]
    backwards = not isinstance(form, MarginForm) and test.effect.high is not None and test.effect.high < 0
    how = "below what matters" if not isinstance(form, MarginForm) else "beyond the margin"
    reason = (
        f"Did not hold{here}: {tested(test)}, {'reversed, ' if backwards else ''}{how} ({_delta(form)}); "
        f"{_corrected(corrected.minus, corrected)}."
    )
    return Settled("not reproduced", reason, "reversed" if backwards else "")


def _undecided(form: StatisticalForm, finding: Finding) -> str:
    test = finding.tests[finding.weakest]
    if _at_most(finding.p_plus) and not finding.large_enough:
        return f"{tested(test)} lies above zero, and is not shown to reach what matters ({_delta(form)})."
    if test.effect.low == test.effect.high:
        return f"{tested(test)} is the same in all seeds, too few to exclude chance by sign-flips."
    if isinstance(form, MarginForm):
        return f"{tested(test)} lies neither inside nor outside the margin ({_delta(form)})."
    return f"{tested(test)} leaves open both no effect and one that matters ({_delta(form)})."


def _delta(form: StatisticalForm) -> str:
    delta, _ = delta_of(form)
    return f"{'Δ' if isinstance(form, MarginForm) else 'δ'} = {number(delta)}"


def _corrected(p: float | None, corrected: Corrected) -> str:
    return p_value(p) + (" after Holm" if corrected.family > 1 else "")


def _pair(alone: float | None, together: float | None) -> str:
    return f"{p_value(alone)} alone, {p_value(together)} after Holm"


def _at_most(p: float | None) -> bool:
    return p is not None and p <= ALPHA


def corrected_tests(finding: Finding, corrected: Corrected) -> list[TestRecord]:
    """The test records with p-values as the family corrects them.

    Within a claim, p₊ of its parts are not corrected (all must pass) and p₋ are, by Holm (any
    may fail). The family's factor for the claim then applies to each.
    """
    up, down = _factor(finding.p_plus, corrected.plus), _factor(finding.p_minus, corrected.minus)
    falls = holm([test.p_minus for test in finding.tests])
    return [
        test.model_copy(
            update={"p_plus_adjusted": _times(test.p_plus, up), "p_minus_adjusted": _times(fall, down)}
        )
        for test, fall in zip(finding.tests, falls, strict=True)
    ]


def _factor(alone: float | None, together: float | None) -> float | None:
    if alone is None or together is None:
        return None
    return together / alone if alone > 0 else 1.0


def _times(p: float | None, factor: float | None) -> float | None:
    return None if p is None or factor is None else min(1.0, p * factor)


def replication_text(form: Form) -> str:
    """What the claim's replicates are."""
    if isinstance(form, StatisticalForm):
        return "blocks" if isinstance(form, Time) else str(replication_of(form))
    return ""


def without_family(finding: Finding) -> Corrected:
    """The p-values as they are, for a claim judged on its own."""
    return Corrected(finding.p_plus, finding.p_minus, 1)
