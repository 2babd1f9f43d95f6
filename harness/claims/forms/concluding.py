"""From a tested claim and its corrected p-values to a verdict in words."""

from __future__ import annotations

from dataclasses import dataclass

from harness.claims.findings import ALPHA, Corrected, Finding, Settled
from harness.claims.profiles import Profile
from harness.claims.ratios import factor, factor_text
from harness.claims.wording import number, p_value, tested
from harness.store.records import RatioRecord


@dataclass(frozen=True)
class Bound:
    """What θ is held to: the smallest effect δ that matters, or a margin Δ.

    Attributes:
        value: δ or Δ.
        reason: Why it has this size.
        is_margin: Which of the two.
    """

    value: float
    reason: str
    is_margin: bool = False

    def text(self, ratio: RatioRecord | None) -> str:
        """Its symbol and value, a factor where what is tested is shown as a ratio."""
        size = number(self.value) if ratio is None else f"a factor of {factor_text(factor(self.value))}"
        return f"{'Δ' if self.is_margin else 'δ'} = {size}"


def concluded(finding: Finding, corrected: Corrected, profile: Profile, bound: Bound) -> Settled:
    """The verdict of a statistical claim that nothing else has settled."""
    here = "" if profile is Profile.PAPER else " at this scale"
    if _at_most(corrected.plus) and finding.large_enough:
        return Settled("reproduced", _held(finding, corrected, here))
    if _at_most(corrected.minus):
        return _fell(finding, corrected, here, bound)
    if (_at_most(finding.p_plus) and finding.large_enough) or _at_most(finding.p_minus):
        reason = (
            f"The interval alone would decide, the {' and '.join(corrected.reasons)} together do not: "
            f"for it, {_pair(finding.p_plus, corrected.plus, _for(corrected))}; "
            f"against it, {_pair(finding.p_minus, corrected.minus, _against(corrected))}."
        )
        return Settled("inconclusive", reason, "multiplicity")
    return Settled("inconclusive", _undecided(finding, bound), "power")


def _held(finding: Finding, corrected: Corrected, here: str) -> str:
    weakest = finding.tests[finding.weakest]
    which = "weakest of all: " if len([t for t in finding.tests if t.p_plus is not None]) > 1 else ""
    text = f"Held{here}: {which}{tested(weakest)}; {_corrected(corrected.plus, _for(corrected))}"
    flip = weakest.p_sign_flip
    if flip is not None and flip > ALPHA and 2.0 ** -len(weakest.replicates) <= ALPHA:
        text += f" (the sign-flip check disagrees: {p_value(flip)})"
    return f"{text}."


def _fell(finding: Finding, corrected: Corrected, here: str, bound: Bound) -> Settled:
    test = finding.tests[finding.lowest]
    backwards = not bound.is_margin and test.effect.high is not None and test.effect.high < 0
    how = "beyond the margin" if bound.is_margin else "below what matters"
    size = bound.text(test.ratio)
    reason = (
        f"Did not hold{here}: {tested(test)}, {'reversed, ' if backwards else ''}{how} ({size}); "
        f"{_corrected(corrected.minus, _against(corrected))}."
    )
    return Settled("not reproduced", reason, "reversed" if backwards else "")


def _undecided(finding: Finding, bound: Bound) -> str:
    test = finding.tests[finding.weakest]
    size = bound.text(test.ratio)
    if _at_most(finding.p_plus) and not finding.large_enough:
        nothing = "zero" if test.ratio is None else factor_text(test.ratio.times)
        return f"{tested(test)} lies above {nothing}, and is not shown to reach what matters ({size})."
    if test.effect.low == test.effect.high:
        return f"{tested(test)} is the same in all seeds, too few to exclude chance by sign-flips."
    if bound.is_margin:
        return f"{tested(test)} lies neither inside nor outside the margin ({size})."
    return f"{tested(test)} leaves open both no effect and one that matters ({size})."


def _corrected(p: float | None, correction: str) -> str:
    return p_value(p) + (f" after {correction}" if correction else "")


def _pair(alone: float | None, together: float | None, correction: str) -> str:
    return f"{p_value(alone)} alone, {p_value(together)} after {correction}"


def _for(corrected: Corrected) -> str:
    """What was done to p₊: "Holm", "4 looks and the correction of primary claims"."""
    if corrected.primary is None:
        return _against(corrected)
    kind = "primary" if corrected.primary else "secondary"
    return " and ".join([*_looks(corrected), f"the correction of {kind} claims"])


def _against(corrected: Corrected) -> str:
    """What was done to p₋: "Holm", "4 looks and Holm"; nothing for one claim that is looked at once."""
    return " and ".join([*_looks(corrected), *["Holm"] * (corrected.family > 1)])


def _looks(corrected: Corrected) -> list[str]:
    return [f"{corrected.looks} looks"] * (corrected.looks > 1)


def _at_most(p: float | None) -> bool:
    return p is not None and p <= ALPHA
