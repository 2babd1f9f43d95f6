"""What a planned number of replicates could show of a claim, before any of them is computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from harness.claims.findings import flips_needed
from harness.claims.judging import Answer, Question
from harness.claims.ratios import factor, factor_text, ratio_of
from harness.claims.settling import power_of_each, sizes_needed
from harness.claims.wording import count, number
from harness.store.records import RatioRecord

UNKNOWN = "unknown"
"""Stands for an effect of which nothing can be said, since no spread is known."""


@dataclass(frozen=True)
class Replicates:
    """Replicates that are planned.

    Attributes:
        count: How many.
        noun: What one of them is called: a seed, a block, a unit.
    """

    count: int
    noun: str = "seed"

    def __str__(self) -> str:
        return count(self.count, self.noun)


@dataclass(frozen=True)
class Outlook:
    """What planned replicates could show of a claim, with 80 % power at the level that its family leaves.

    Attributes:
        replicates: How many are planned; none where nothing is tested.
        matters: δ or Δ, in words.
        detectable: The θ nearest to its threshold that they would show, if there is one.
        shown: The same in words, or in one word why there is none.
        needed: Replicates that would decide it, by the θ that is supposed; ``None`` if over 10,000.
        reason: What else there is to say on it, or nothing.
    """

    replicates: Replicates | None = None
    matters: str = ""
    detectable: float | None = None
    shown: str = UNKNOWN
    needed: Mapping[str, int | None] = field(default_factory=dict)
    reason: str = ""


def foreseen(
    answers: Sequence[Answer],
    planned: Replicates,
    supposed: Mapping[str, float],
    alpha: float,
    *,
    matters: str,
    inside: bool,
    collapse: int = 0,
) -> Outlook:
    """The outlook of a claim by the spread that its quantities had in a stored run.

    Args:
        answers: All questions of the claim, measured there.
        planned: The replicates that are planned; units take their place where they are the replicates.
        supposed: Values of the claim's θ, by name.
        alpha: One-sided level of the claim.
        matters: δ or Δ, in words.
        inside: Whether θ has to lie between two bounds.
        collapse: Replicates that are needed since one collapsed; 0 if none did.
    """
    units = answers[0].units
    planned = planned if units is None else Replicates(units, "unit")
    why = next((answer.no_number for answer in answers if answer.no_number), "")
    if why and units is None:
        return Outlook(planned, matters, reason=why)
    least = max(collapse, *(answer.least for answer in answers))
    needed = {} if why else sizes_needed(answers, supposed, alpha, least)
    if collapse and planned.count < collapse:
        why = f"a {planned.noun} collapsed in the stored results, and a verdict then needs {collapse}"
    if planned.count < least:
        return Outlook(planned, matters, shown=f"too few, {least} needed", needed=needed, reason=why)
    effect = _detectable(answers, planned.count, alpha, inside=inside)
    shown = _nothing(answers, alpha) if effect is None else _region(effect, answers, inside=inside)
    return Outlook(planned, matters, effect, shown, needed, why)


def _detectable(answers: Sequence[Answer], n: int, alpha: float, *, inside: bool) -> float | None:
    """The claim's θ at which all of its questions pass."""
    power = power_of_each(len(answers))
    found = [(answer.detectable(n, alpha, power), answer.question.scale) for answer in answers]
    known = [effect / scale for effect, scale in found if effect is not None]
    if len(known) < len(found):
        return None
    return min(known) if inside else max(known)


def _nothing(answers: Sequence[Answer], alpha: float) -> str:
    """Why no θ is shown."""
    if any(answer.is_flat for answer in answers):
        return f"too few, {flips_needed(alpha)} if equal"
    return "not even θ = 0"


def _region(effect: float, answers: Sequence[Answer], *, inside: bool) -> str:
    """Where θ has to lie to be shown: "θ ≥ 0.06", "|θ| ≤ 0.01", or as a ratio."""
    ratio = common_ratio([answer.question for answer in answers])
    if ratio is None:
        return f"|θ| ≤ {number(effect)}" if inside else f"θ ≥ {number(effect)}"
    low, high = (factor_text(ratio.times * factor(sign * effect)) for sign in (-1, 1))
    return f"{low} to {high} times" if inside else f"≥ {high} times"


def common_ratio(questions: Sequence[Question]) -> RatioRecord | None:
    """The ratio that readers are shown in place of θ, if it is one, up to its cells, in all questions."""
    ratios = [ratio_of(question.theta, question.label) for question in questions]
    same = ratios[0] is not None and len({ratio.times if ratio else None for ratio in ratios}) == 1
    return ratios[0] if same else None
