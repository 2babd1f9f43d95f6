"""What is known of a suite's noise, beside what its claims ask.

No margin is below twice the noise floor of the mean that is held to it: an effect of that size would come and
go with the machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from harness.claims import Claim, Form, Profile, Replication
from harness.claims.forms.base import Measured
from harness.claims.wording import count, number
from harness.declared.keys import quantities_key
from harness.plan.carried import Fault
from harness.plan.selection import Selection, cells_of, select
from harness.store.noise import ClaimNoise, QuantityNoise, read_noise
from harness.suite import Scale, Suite

LEAST = 2.0
"""Noise floors that a margin has to be, at least."""


def floors_of(suite: Suite, profile: Profile) -> dict[str, float]:
    """The noise floor of each claim that has one: what a run copies when it starts.

    Raises:
        RecordError: If the suite's ``noise.json`` cannot be read.
    """
    return {
        claim.id: noise.floor
        for claim, form, noise in _known(suite, profile)
        if noise.floor and _is_of(noise, form)
    }


@dataclass(frozen=True)
class SharedNoise:
    """How far an environment moves a quantity in all seeds alike.

    Attributes:
        sd: Standard deviation between environments.
        df: Degrees of freedom that it was estimated with.
    """

    sd: float
    df: int


def shared_noise(suite: Suite, profile: Profile) -> dict[str, SharedNoise]:
    """Of each claim whose noise was measured, the largest of the quantities that decide it.

    Raises:
        RecordError: If the suite's ``noise.json`` cannot be read.
    """
    found = {}
    for claim, form, noise in _known(suite, profile):
        deciding = [item for item in noise.quantities if item.decides]
        if deciding and _is_of(noise, form):
            largest = max(deciding, key=lambda item: item.shared)
            # A variant that moved nothing was no other environment.
            moved = sum(distance > 0 for distance in largest.moved.values())
            found[claim.id] = SharedNoise(largest.shared, max(moved, 1))
    return found


def noise_faults(suite: Suite, scale: Scale, selection: Selection | None = None) -> Iterator[Fault]:
    """Margins below twice the floor of the mean, and noise that was measured of something else.

    Raises:
        RecordError: If the suite's ``noise.json`` cannot be read.
    """
    known = list(_known(suite, scale.profile))
    planned = select(suite, scale, selection or Selection()) if known else []
    seeds = {experiment.id: len(experiment.seeds) for experiment in planned}
    for claim, form, noise in known:
        where = f"claim {claim.id}"
        if not _is_of(noise, form):
            fix = f"Measure it again: corroborate noise {suite.slug} --claim {claim.id} --write."
            yield "Its noise was measured of other quantities than it has now", where, fix
            continue
        pairs = zip(form.measured(), noise.quantities, strict=True)
        low = [told for item, found in pairs if (told := _too_low(item, found, seeds))]
        yield from ((what, where, "Widen the margin, or find what makes it move.") for what in low)


def _known(suite: Suite, profile: Profile) -> Iterator[tuple[Claim, Form, ClaimNoise]]:
    """The claims that a profile tests and whose noise was measured."""
    known = read_noise(suite.folder, suite.slug).claims(profile.value)
    for claim in suite.claims if known else ():
        form, noise = claim.forms.get(profile), known.get(claim.id)
        if form is not None and noise is not None and form.statistical and not any(form.faults()):
            yield claim, form, noise


def _is_of(noise: ClaimNoise, form: Form) -> bool:
    """Whether noise was measured of the quantities that a form has now."""
    return noise.rule == quantities_key(form) and len(noise.quantities) == len(form.measured())


def _too_low(item: Measured, noise: QuantityNoise, planned: dict[str, int]) -> str:
    """Whether a quantity's margin is below twice the floor of its mean, in words."""
    own = [planned[name] for cell in cells_of(item.theta) if (name := cell.experiment) in planned]
    if item.allowed is None or not own:
        return ""
    seeds = averaged(item, min(own))
    floor = noise.of_mean(seeds)
    if item.allowed >= LEAST * floor:
        return ""
    over = f" of the mean of {count(seeds, 'seed')}" if seeds > 1 else ""
    return f"{number(item.allowed)} is below twice the noise floor{over}, {number(floor)}, in {item.label}"


def averaged(item: Measured, seeds: int) -> int:
    """Seeds over which the noise of a quantity is averaged.

    A method without randomness does the same in each seed, and so does the noise of a claim over units.
    """
    return 1 if item.replication is Replication.UNITS else seeds
