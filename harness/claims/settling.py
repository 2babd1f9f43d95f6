"""How many replicates would settle a claim that the run leaves open, or why no number of them would."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.claims.findings import Finding, Settled
from harness.claims.judging import Answer
from harness.claims.wording import count
from harness.store.records import VerdictRecord

POWER = 0.8
"""Wanted at a supposed θ."""


@dataclass(frozen=True)
class Needed:
    """What would settle a claim.

    Attributes:
        replicates: For each supposed θ, by its name; ``None`` if more than are proposed. Those that the
            replicates at hand would have settled already are left out.
        reason: Why none is named, where that is so.
    """

    replicates: dict[str, int | None]
    reason: str = ""


def replicates_needed(
    answers: Sequence[Answer], supposed: Mapping[str, float], alpha: float, *, least: int, noun: str
) -> Needed:
    """What :func:`sizes_needed` says beyond the replicates at hand, or why that is nothing.

    Args:
        answers: All questions of the claim, measured.
        supposed: Values of the claim's θ, by name, that show it or exclude it.
        alpha: One-sided level of the claim.
        least: Fewer are never proposed.
        noun: What a replicate is called.
    """
    why = next((answer.no_number for answer in answers if answer.no_number), "")
    if why:
        return Needed({}, why)
    used = min(answer.seeds for answer in answers)
    sizes = sizes_needed(answers, supposed, alpha, least)
    # The replicates at hand would most likely have decided it there: θ is another one.
    reached = [name for name, size in sizes.items() if size is not None and size <= used]
    left = {name: size for name, size in sizes.items() if name not in reached}
    if any(size is not None for size in left.values()):
        return Needed(left)
    said = []
    if reached:
        said.append(f"the {count(used, noun)} at hand would have settled {' and '.join(reached)}")
    if left:
        fixed = ", since the part of the variance that comes from units stays" * any(
            a.units_stay for a in answers
        )
        said.append(f"not even 10,000 {noun}s would settle {' or '.join(left)}{fixed}")
    else:
        said.append("θ seems to lie where neither is sure to be shown")
    return Needed({}, ", and ".join(said))


def sizes_needed(
    answers: Sequence[Answer], supposed: Mapping[str, float], alpha: float, least: int
) -> dict[str, int | None]:
    """The fewest replicates that decide a claim with 80 % power if θ were one of some values, by name.

    A claim holds if all its k questions pass, so that each may have 1/k of the misses. It falls if any
    does, after Holm over them; which one would is not known, so that each is asked at level α/k. Both
    are on the safe side. ``None``: more than are proposed.
    """
    return {name: _largest(answers, truth, alpha, least) for name, truth in supposed.items()}


def power_of_each(questions: int) -> float:
    """The power that each of several questions needs, so that all of them pass with :data:`POWER`."""
    return 1 - (1 - POWER) / questions


def _largest(answers: Sequence[Answer], truth: float, alpha: float, least: int) -> int | None:
    """The most that any of the questions needs at a supposed θ; ``None`` if more than are proposed."""
    asked = [(answer, answer.question.scale * truth) for answer in answers]
    level, power = alpha, power_of_each(len(asked))
    if not all(answer.answers_at(at) for answer, at in asked):
        asked = [(answer, at) for answer, at in asked if answer.question.falls_below is not None]
        level, power = alpha / len(asked), POWER
    sizes = [answer.needed(at, level, power) for answer, at in asked]
    known = [size for size in sizes if size is not None]
    return max([least, *known]) if len(known) == len(sizes) else None


def what_settles(settled: Settled, finding: Finding, *, tested: bool) -> Needed:
    """What would settle a claim, for every verdict that leaves it open.

    Args:
        settled: The verdict.
        finding: What it rests on.
        tested: Whether the rule tests a mean, so that power can be computed.
    """
    if settled.verdict != "inconclusive":
        return Needed({})
    if settled.cause == "assay":
        failed = next((item.name for item in finding.preconditions if not item.passed), "")
        return Needed({}, f"the precondition '{failed}' did not hold, and comes first")
    if settled.cause == "no witness":
        return Needed({}, "a witness may turn up in any number of searches, or in none")
    if settled.cause == "invalid":
        return Needed({}, "nothing valid was measured, which more seeds do not mend")
    if not tested:
        return Needed({}, "the rule counts cases and tests no mean, so that no power can be computed")
    return Needed(dict(finding.needed), finding.no_number)


def needed_text(verdict: VerdictRecord) -> str:
    """What would settle a claim, in words: "26 seeds if θ = 0"; nothing for a claim that is settled."""
    noun = replicate_noun(verdict.replication)
    if not verdict.needed_seeds:
        return f"no number of {noun}s: {verdict.no_seeds}" if verdict.no_seeds else ""
    return "; ".join(
        f"more than 10,000 {noun}s if {name}" if size is None else f"{size:,} {noun}s if {name}"
        for name, size in verdict.needed_seeds.items()
    )


def replicate_noun(replication: str) -> str:
    """What one replicate is called that could be added."""
    return "block" if replication == "blocks" else "seed"
