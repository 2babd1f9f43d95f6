"""How far the quantities of claims move between environments that should agree.

Every run of :func:`noise_of` has the same trials on the same seeds; what differs is the number of threads,
the instruction set, the type of weights, the device. Chaotic trainings make another draw of each, others
only round differently.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from harness.claims import Claim, Contrast, Form
from harness.claims.findings import NotMeasuredError
from harness.claims.forms.base import Measured
from harness.declared.keys import quantities_key
from harness.evidence.context import RunContext
from harness.evidence.coverage import Coverages, declared
from harness.evidence.distributions import Floats
from harness.evidence.quantities import Quantity
from harness.evidence.series import Reader
from harness.store.noise import BASELINE, ClaimNoise, QuantityNoise
from harness.store.view import RunView
from harness.suite import Scale, Suite

Values = dict[str, float]
"""θ by seed."""


@dataclass(frozen=True)
class NoiseFound:
    """What a baseline and its variants show.

    Attributes:
        claims: The noise of each claim that could be measured.
        unmeasured: Why others could not.
        broken: Exact claims that hold in the baseline and not in a variant, each with its reason.
        untouched: Variants in which every row is as in the baseline.
    """

    claims: dict[str, ClaimNoise]
    unmeasured: dict[str, str]
    broken: tuple[str, ...]
    untouched: tuple[str, ...]


def noise_of(suite: Suite, scale: Scale, runs: Mapping[str, RunView], claims: Iterable[Claim]) -> NoiseFound:
    """The noise of some claims.

    Args:
        suite: The declarations.
        scale: Of all runs.
        runs: The baseline, and the run of each variant by its name.
        claims: Those to look at: statistical ones for their noise, exact ones for whether they hold.
    """
    said = declared(suite, scale)
    readers = {name: Reader(view, Coverages(view, said)) for name, view in runs.items()}
    found: dict[str, ClaimNoise] = {}
    unmeasured: dict[str, str] = {}
    broken: list[str] = []
    for claim in claims:
        form = claim.forms[scale.profile]
        if not form.statistical:
            broken += [f"{claim.id}, {text}" for text in _broken(form, readers)]
            continue
        try:
            found[claim.id] = _of_claim(form, readers)
        except NotMeasuredError as error:
            unmeasured[claim.id] = str(error)
    return NoiseFound(found, unmeasured, tuple(broken), tuple(_untouched(runs)))


def _of_claim(form: Form, readers: Mapping[str, Reader]) -> ClaimNoise:
    quantities = [_of_quantity(item, readers) for item in form.measured()]
    return ClaimNoise(rule=quantities_key(form), quantities=quantities)


def _of_quantity(item: Measured, readers: Mapping[str, Reader]) -> QuantityNoise:
    """The noise of one θ, over the seeds that all runs have which give it.

    A variant that leaves it as it is in every seed is no other environment for it, and is left out.
    """
    values = _values(item.theta, readers)
    seeds = [seed for seed in values[BASELINE] if all(seed in other for other in values.values())]
    table = {name: np.array([found[seed] for seed in seeds]) for name, found in values.items()}
    base = table.pop(BASELINE)
    if not table or not seeds:
        raise NotMeasuredError(f"No variant gave '{item.label}' in a seed of the baseline", kind="missing")
    others = [row for row in table.values() if not np.array_equal(row, base)]
    floor, shared = pooled(np.array([base, *others])) if others else (0.0, 0.0)
    return QuantityNoise(
        label=item.label,
        floor=floor,
        shared=shared,
        moved={name: float(np.sqrt(np.mean((row - base) ** 2))) for name, row in table.items()},
        seeds=len(seeds),
        decides=item.allowed is not None,
    )


def _values(theta: Contrast, readers: Mapping[str, Reader]) -> dict[str, Values]:
    """θ by seed in the baseline, and in each variant that gives it."""
    found = {BASELINE: _by_seed(theta, readers[BASELINE])}
    for name, reader in readers.items():
        if name != BASELINE:
            try:
                found[name] = _by_seed(theta, reader)
            except NotMeasuredError:
                continue  # A trial failed there, or left the finite numbers: what is shown has a gap.
    return found


def _by_seed(theta: Contrast, reader: Reader) -> Values:
    if not theta.terms:
        raise NotMeasuredError("Its cells cancel", kind="mismatch")
    quantity = Quantity(reader, theta)
    quantity.refuse_partial()
    return dict(zip(quantity.keys, quantity.by_replicate().tolist(), strict=True))


def pooled(values: Floats) -> tuple[float, float]:
    """The noise floor of θ, and the part of it that all seeds share.

    With a share u of an environment alone and a part of its own in each seed, θ varies within a seed by
    Var u + Var own, and its mean over S seeds by Var u + Var own / S. Both are estimated from the values, and
    Var u follows.

    Args:
        values: θ of shape (environments, seeds), at least two environments.

    Returns:
        Two standard deviations: pooled within the seeds, and of what they share. One seed cannot tell them
        apart, so that all of it counts as shared.
    """
    seeds = values.shape[1]
    within = float(np.mean(np.var(values, axis=0, ddof=1)))
    of_means = float(np.var(values.mean(axis=1), ddof=1))
    shared = (seeds * of_means - within) / (seeds - 1) if seeds > 1 else within
    return float(np.sqrt(within)), float(np.sqrt(np.clip(shared, 0.0, within)))


def _broken(form: Form, readers: Mapping[str, Reader]) -> Iterator[str]:
    """The variants in which an exact claim does not hold, though it does in the baseline."""
    settled = {name: form.examine(_context(reader)).settled for name, reader in readers.items()}
    base = settled.pop(BASELINE)
    if base is None or base.verdict != "reproduced":
        return  # That is for a run to tell.
    for name, found in settled.items():
        if found is not None and found.verdict in ("not reproduced", "inconclusive"):
            yield f"{name}: {found.reason}"


def _context(reader: Reader) -> RunContext:
    return RunContext(reader=reader, rng=np.random.default_rng(0), reported={})


def _untouched(runs: Mapping[str, RunView]) -> Iterator[str]:
    base = _rows(runs[BASELINE])
    for name, view in runs.items():
        if name != BASELINE and _rows(view) == base:
            yield name


def _rows(view: RunView) -> dict[str, str]:
    """The hash of what each finished trial returned."""
    return {name: item.units_sha256 for name, item in view.trials.items() if item.kind == "trial"}
