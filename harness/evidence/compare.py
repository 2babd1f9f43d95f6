"""Two runs side by side: first whether they may be compared, then how they differ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from harness.claims import Contrast, Form, Replication, alone
from harness.claims.findings import NotMeasuredError
from harness.claims.labels import cell_label
from harness.claims.ratios import ratio_of
from harness.evidence.coverage import declared
from harness.evidence.paired_runs import PairedRuns, Shift
from harness.plan.selection import cells_of
from harness.store.records import Interval, RatioRecord, RunRecord, TrialRecord
from harness.store.view import RunView
from harness.suite import Scale, Suite

Answer = Literal["comparable", "comparable with warnings", "not comparable"]
Weight = Literal["note", "warning", "blocks"]
"""A note cannot change a number; a warning may; what blocks changes what the number means."""


@dataclass(frozen=True)
class FieldDifference:
    """One field in which two runs differ."""

    field: str
    left: str
    right: str
    weight: Weight


@dataclass(frozen=True)
class PairedEffect:
    """A quantity in both runs and its difference right − left, paired by seed and unit.

    Attributes:
        label: The quantity in words.
        claim: The claim it belongs to.
        identical: Whether the unit rows are equal, value for value.
        test: How the interval was made.
        log: Whether it is a sum of logarithms, so that its difference is a factor's logarithm.
        ratio: The ratio whose logarithm it is, which is what readers are shown.
    """

    label: str
    claim: str
    left: Interval
    right: Interval
    difference: Interval
    seeds: int
    identical: bool
    test: str
    log: bool = False
    ratio: RatioRecord | None = None


@dataclass(frozen=True)
class Skipped:
    """A quantity that could not be compared, and why."""

    label: str
    claim: str
    reason: str


@dataclass(frozen=True)
class Comparison:
    """The answer, the fields that differ, and the paired effects."""

    answer: Answer
    because: str
    fields: tuple[FieldDifference, ...]
    effects: tuple[PairedEffect, ...]
    skipped: tuple[Skipped, ...]


def compare_runs(suite: Suite, scale: Scale, left: RunView, right: RunView) -> Comparison:
    """Compare two runs of a suite field by field, and then the quantities of its claims.

    Args:
        suite: The suite that both are runs of.
        scale: Under which claims are read.
        left: The first run.
        right: The second run; differences are right − left.
    """
    fields = tuple(differences(left, right))
    blocking = [item for item in fields if item.weight == "blocks"]
    if blocking:
        because = "; ".join(f"{x.field}: {x.left or 'none'} against {x.right or 'none'}" for x in blocking)
        return Comparison("not comparable", because, fields, (), ())
    paired = PairedRuns(left, right, declared(suite, scale))
    if not paired.shared:
        return Comparison("not comparable", "The runs share no finished trial", fields, (), ())
    effects, skipped = _effects(suite, scale, paired)
    warned = [item.field for item in fields if item.weight == "warning"]
    answer: Answer = "comparable with warnings" if warned else "comparable"
    because = f"differing in {', '.join(warned)}" if warned else f"{len(paired.shared)} trials shared"
    return Comparison(answer, because, fields, effects, skipped)


def differences(left: RunView, right: RunView) -> Iterator[FieldDifference]:
    """All fields of two runs that differ, the weightiest first."""
    one, other = left.record, right.record
    yield from _field("suite", one.suite, other.suite, "blocks")
    yield from _field("profile", one.profile, other.profile, "blocks")
    if one.rehearsal or other.rehearsal:  # Two of them are no more comparable: their numbers mean nothing.
        yield FieldDifference("rehearsal", _rehearsal(one), _rehearsal(other), "blocks")
    yield from _mapping("binding", one.bindings, other.bindings, "blocks")
    yield from _mapping("served model", _served(one), _served(other), "blocks")
    yield from _mapping("server", _servers(one), _servers(other), "warning")
    yield from _mapping("setting", one.settings, other.settings, "warning")
    yield from _field("claims", one.claims_sha256, other.claims_sha256, "warning")
    yield from _trials(left, right)
    yield from _field("methods", _only(left, right), _only(right, left), "note")
    yield from _field("full", str(one.full), str(other.full), "note")
    yield from _field("looks", _looks(one), _looks(other), "note")
    if one.device and other.device:
        yield from _field("device", one.device, other.device, "note")
    before, after = one.provenance, other.provenance
    yield from _field("commit", before.code(), after.code(), "note")
    yield from _field("cpu", before.cpu, after.cpu, "note")
    yield from _field("gpu", before.gpu, after.gpu, "note")
    yield from _mapping("package", before.packages, after.packages, "note")


def _served(record: RunRecord) -> dict[str, str]:
    """The models behind servers, by the names that those give them."""
    return {name: server.model for name, server in record.endpoints.items()}


def _servers(record: RunRecord) -> dict[str, str]:
    """Where and how they were asked: the same name need not be the same weights."""
    return {name: server.told for name, server in record.endpoints.items()}


def _only(view: RunView, other: RunView) -> str:
    """What one run has and the other lacks."""
    there = {trial.rpartition("/")[0] for trial in other.record.planned}
    own = dict.fromkeys(trial.rpartition("/")[0] for trial in view.record.planned)
    names = [name for name in own if name not in there]
    return f"also {', '.join(names[:3])}{' …' if len(names) > 3 else ''}" if names else ""


def _rehearsal(record: RunRecord) -> str:
    return record.rehearsal.dtype if record.rehearsal else ""


def _looks(record: RunRecord) -> str:
    """The number of looks that p-values pay for; empty where it is one."""
    return str(len(record.looks)) if record.looks else ""


def _field(name: str, left: str, right: str, weight: Weight) -> Iterator[FieldDifference]:
    if left != right:
        yield FieldDifference(name, left, right, weight)


def _mapping(
    name: str, left: dict[str, str], right: dict[str, str], weight: Weight
) -> Iterator[FieldDifference]:
    for key in sorted(set(left) | set(right)):
        yield from _field(f"{name} {key}", left.get(key, ""), right.get(key, ""), weight)


def _trials(left: RunView, right: RunView) -> Iterator[FieldDifference]:
    """What the shared trials say of parameters, code, data and machines."""
    shared = [name for name in left.trials if name in right.trials]
    pairs = [(left.trials[name], right.trials[name]) for name in shared]
    parameters = {}
    for one, other in pairs:
        for key in sorted(set(one.params) | set(other.params)):
            values = (repr(one.params.get(key)), repr(other.params.get(key)))
            if values[0] != values[1]:
                parameters[f"parameter {one.method}.{key}"] = values
    for name, values in parameters.items():
        yield FieldDifference(name, *values, "warning")
    yield from _fingerprints(pairs)
    yield from _field("environment", _environments(left, shared), _environments(right, shared), "warning")


def _fingerprints(pairs: list[tuple[TrialRecord, TrialRecord]]) -> Iterator[FieldDifference]:
    """Trials and artifacts of one name whose code, data or models differ."""
    for kind in ("artifact", "trial"):
        changed = [
            one.trial for one, other in pairs if one.kind == kind and one.fingerprint != other.fingerprint
        ]
        if changed:
            names = ", ".join(changed[:3]) + (" …" if len(changed) > 3 else "")
            yield FieldDifference(
                f"{kind} fingerprints", f"{names} as recorded", f"{len(changed)} changed", "warning"
            )


def _environments(view: RunView, trials: list[str]) -> str:
    return ", ".join(sorted({view.trials[name].environment for name in trials}))


def quantities_of(form: Form | None) -> list[tuple[str, Contrast, Replication]]:
    """What runs are compared in by a form: its thetas, then its cells one by one."""
    measured = form.watched() if form else ()
    cells = {cell: item.replication for item in measured for cell in cells_of(item.theta)}
    singles = [(cell_label(cell), alone(cell), replication) for cell, replication in cells.items()]
    return [*((item.label, item.theta, item.replication) for item in measured), *singles]


def _effects(
    suite: Suite, scale: Scale, paired: PairedRuns
) -> tuple[tuple[PairedEffect, ...], tuple[Skipped, ...]]:
    effects, skipped, seen = [], [], set[tuple[str, Contrast]]()
    for claim in suite.claims:
        for label, theta, replication in quantities_of(claim.forms.get(scale.profile)):
            name = claim.id if len(theta.terms) > 1 else ""
            if (name, theta) in seen:
                continue
            seen.add((name, theta))
            try:
                effects.append(_effect(label, name, theta, paired.shift(theta, replication)))
            except NotMeasuredError as error:
                if not theta.calibrated:
                    skipped.append(Skipped(label, name, str(error)))
    return tuple(effects), tuple(skipped)


def _effect(label: str, claim: str, theta: Contrast, shift: Shift) -> PairedEffect:
    return PairedEffect(
        label=label,
        claim=claim,
        left=shift.left,
        right=shift.right,
        difference=shift.inference.interval,
        seeds=shift.seeds,
        identical=shift.identical,
        test=shift.inference.test,
        log=theta.log,
        ratio=ratio_of(theta, label),
    )
