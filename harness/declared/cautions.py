"""What a suite may declare, and whoever runs it should know before: the run is worth it all the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from harness.claims import Claim, Form, Profile
from harness.claims.findings import ALPHA, flips_needed
from harness.claims.wording import p_value
from harness.declared.family import Levels, family_of, overlaps
from harness.declared.thresholds import says_so, spoken_thresholds
from harness.plan.carried import Fault
from harness.plan.selection import Selection, cells_of, select
from harness.suite import Scale, Suite, Tuned
from harness.suite.experiment import numbers
from harness.text import plural


def cautions(
    suite: Suite, scale: Scale, selection: Selection | None = None, looks: int = 1
) -> Iterator[Fault]:
    """What a run under a scale cannot decide, or decides by a weaker rule than its words say.

    Args:
        suite: The suite.
        scale: Profile and width.
        selection: What the user restricts, which may change the number of seeds.
        looks: By how many looks p-values are multiplied.
    """
    if scale.profile is Profile.SMOKE:
        return
    for claim in suite.claims:
        form = claim.forms.get(scale.profile)
        if form is not None and not any(form.faults()):
            yield from unheld(claim, form)
    yield from overlaps(suite, scale.profile)
    yield from edges(suite, scale)
    yield from equal_seeds(suite, scale, selection or Selection(), looks)


def unheld(claim: Claim, form: Form) -> Iterator[Fault]:
    """Numbers that a statement names and its rule does not hold, where the claim declares no threshold."""
    where = f"claim {claim.id}"
    if claim.threshold or not form.decides:
        return
    for words, number in spoken_thresholds(claim.statement):
        if not says_so(form, number):
            yield (
                f"Its statement says '{words}', a number that its quantity does not hold",
                where,
                "Take it off inside θ (a - 0.9, a - 0.5 * b) and declare it as `threshold` in paper.toml.",
            )
    if form.tests_bare_level:
        yield (
            "Its quantity is a level, or 1 less it, and no threshold is taken off: it is tested against zero",
            where,
            "Take off inside θ what the level has to exceed; δ is no threshold.",
        )


def edges(suite: Suite, scale: Scale) -> Iterator[Fault]:
    """Grids whose best value lies at an edge, whatever the run gives."""
    for experiment in suite.experiments(scale):
        for name, method in experiment.methods.items():
            if isinstance(method, Tuned):
                for parameter, values in method.grid.items():
                    if len(set(numbers(values))) == 2:
                        yield (
                            f"The grid of {parameter} has two values, so that the best one lies at its edge",
                            f"experiment {experiment.id}, method {name}",
                            "Give three or more around the best value of a pilot.",
                        )


def equal_seeds(suite: Suite, scale: Scale, selection: Selection, looks: int = 1) -> Iterator[Fault]:
    """Claims that stay open if their seeds all give one value, since 2⁻ⁿ exceeds the level left to them."""
    family = family_of(suite, scale.profile)
    levels = Levels.of(family)
    seeds = {item.id: len(item.seeds) for item in select(suite, scale, selection) if not item.timed}
    few: dict[tuple[int, int, bool], list[str]] = defaultdict(list)
    for claim in family:
        form = claim.forms[scale.profile]
        needed = flips_needed(ALPHA / (levels.divisor(claim) * looks))
        own = {cell.experiment for item in form.measured() for cell in cells_of(item.theta)} & seeds.keys()
        planned = min((seeds[name] for name in own), default=needed)
        if form.flips_signs and planned < needed and not form.lacking(planned, None):
            few[planned, needed, claim.primary].append(claim.id)
    for (planned, needed, primary), names in sorted(few.items()):
        p = 2.0**-planned
        worst = _at_worst(levels, primary=primary)
        when = "whatever the other claims give" if p * looks > ALPHA else worst
        paid = f" with {looks} looks" if looks > 1 else ""
        what = f"With one value in all {planned} seeds, {p_value(p)} by sign-flips decides nothing{paid}"
        yield (
            f"{what}, {when}",
            f"claims {', '.join(names)}",
            f"Where values may be equal, {needed} seeds do.",
        )


def _at_worst(levels: Levels, *, primary: bool) -> str:
    """What corrects a claim's p-value, where no other claim of its kind is shown."""
    if not levels.primary:
        return f"after Holm over {levels.secondary} claims at worst"
    same = plural(levels.primary, "primary claim") if primary else plural(levels.secondary, "secondary claim")
    return f"after the correction over {same} at worst"
