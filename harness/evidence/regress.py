"""The regression gate: what a run lost against a baseline."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from harness.claims import Cell, Claim, Contrast, Form, Replication
from harness.claims.findings import NotMeasuredError
from harness.claims.labels import cell_label
from harness.claims.wording import interval, number
from harness.errors import unknown_name
from harness.evidence.compare import Weight, differences
from harness.evidence.coverage import declared
from harness.evidence.lost import Gate, barred, control_items, trial_items, verdict_items
from harness.evidence.outcomes import Item, Outcome
from harness.evidence.paired_runs import PairedRuns, Shift
from harness.store.records import VerdictsRecord
from harness.store.view import RunView
from harness.suite import Scale, Suite

Overall = Literal["regressed", "improved", "same", "nothing comparable"]

_BLOCKS: Weight = "blocks"


@dataclass(frozen=True)
class Regression:
    """The gate's answer and all that it rests on.

    Attributes:
        outcome: ``regressed`` also if something was lost.
        reason: The counts behind it.
        items: Everything that was looked at.
        barred: What something outside the experiment kept the run from, with the reason.
    """

    outcome: Overall
    reason: str
    items: tuple[Item, ...]
    barred: Mapping[str, str] = field(default_factory=dict)


def regress_run(
    suite: Suite,
    scale: Scale,
    baseline: RunView,
    run: RunView,
    *,
    baseline_verdicts: VerdictsRecord | None = None,
    verdicts: VerdictsRecord | None = None,
    claims: Collection[str] = (),
) -> Regression:
    """Set a run against a baseline.

    A quantity whose unit rows are equal is the same. Where they differ, it regressed if the
    interval of the paired difference lies wholly beyond δ on the wrong side. A claim that held
    in the baseline and does not hold now is a regression as well. What the baseline has and the run
    lacks is lost: claims that held, controls that did as predicted, methods, trials and numbers. An
    improvement is never a failure, and a gate that compared nothing says so.

    Args:
        suite: The suite of both runs.
        scale: Under which claims are read.
        baseline: The run that is compared with.
        run: The new run.
        baseline_verdicts: The baseline's verdicts, if there are any.
        verdicts: The new run's verdicts, if there are any.
        claims: Ask about these claims only, and about what they measure.

    Raises:
        UsageError: If neither the suite nor the baseline has such a claim.
    """
    gate = Gate(suite, scale, baseline, run, frozenset(claims))
    _check_claims(gate, baseline_verdicts)
    blocking = [item for item in differences(baseline, run) if item.weight == _BLOCKS]
    if blocking:
        reason = "; ".join(f"{x.field}: {x.left or 'none'} against {x.right or 'none'}" for x in blocking)
        return Regression("nothing comparable", reason, ())
    items = [*trial_items(gate), *_quantity_items(gate)]
    if baseline_verdicts is not None and verdicts is not None:
        judged = [*verdict_items(gate, baseline_verdicts, verdicts)]
        items = [*judged, *control_items(gate, baseline_verdicts, verdicts), *items]
    counts = {kind: sum(item.outcome == kind for item in items) for kind in _OUTCOMES}
    reason = ", ".join(f"{count} {kind}" for kind, count in counts.items() if count) or "no claim to compare"
    return Regression(_overall(counts), reason, tuple(items), barred(gate))


_OUTCOMES: tuple[Outcome, ...] = ("regressed", "lost", "improved", "same", "not comparable")


def _check_claims(gate: Gate, before: VerdictsRecord | None) -> None:
    known = {name for claim in gate.suite.claims for name in (claim.id, claim.parent) if name}
    if before is not None:
        known |= {verdict.claim for verdict in [*before.verdicts, *before.wholes]}
    for name in sorted(gate.claims - known):
        raise unknown_name("claim", name, sorted(known), where=f"suite {gate.suite.slug}")


def _overall(counts: dict[Outcome, int]) -> Overall:
    if not counts["regressed"] + counts["improved"] + counts["same"]:
        return "nothing comparable"
    if counts["regressed"] + counts["lost"]:
        return "regressed"
    if counts["improved"]:
        return "improved"
    return "same"


def _quantity_items(gate: Gate) -> Iterator[Item]:
    paired = PairedRuns(gate.baseline, gate.run, declared(gate.suite, gate.scale))
    seen: set[tuple[Contrast, float]] = set()
    for claim in gate.suite.claims:
        form = claim.forms.get(gate.scale.profile)
        if form is None or not gate.asks(claim.id, claim.parent):
            continue
        for watched in _watched(claim, form):
            key = (watched.theta, watched.delta)
            if watched.kind == "quantity" or key not in seen:
                seen.add(key)
                yield watched.item(paired)


@dataclass(frozen=True)
class _Watched:
    """A quantity that must not fall by more than δ."""

    claim: str
    kind: Literal["quantity", "cell"]
    label: str
    theta: Contrast
    replication: Replication
    delta: float
    two_sided: bool = False

    def item(self, paired: PairedRuns) -> Item:
        try:
            shift = paired.shift(self.theta, self.replication)
        except NotMeasuredError as error:
            if (loss := paired.loss(self.theta)) is not None:
                return Item(self.claim, self.kind, self.label, "lost", f"measured before, now: {loss}")
            return Item(self.claim, self.kind, self.label, "not comparable", str(error))
        outcome, detail = self._read(shift)
        return Item(self.claim, self.kind, self.label, outcome, detail)

    def _read(self, shift: Shift) -> tuple[Outcome, str]:
        if shift.identical:
            return "same", "unit rows are equal"
        effect = shift.inference.interval
        detail = f"changed by {interval(effect)}, δ = {number(self.delta)}, {shift.inference.test}"
        if shift.same_environment:
            detail += "; rows differ in the same environment"
        low, high = effect.low, effect.high
        if low is None or high is None:
            if not shift.same_environment:
                return "not comparable", f"{detail}; one seed in two environments"
            low = high = effect.value
        if high < -self.delta or (self.two_sided and low > self.delta):
            return "regressed", detail
        return ("improved" if low > self.delta else "same"), detail


def _watched(claim: Claim, form: Form) -> Iterator[_Watched]:
    held = [(item, item.allowed) for item in form.measured() if item.allowed is not None]
    for item, delta in held:
        yield _Watched(claim.id, "quantity", item.label, item.theta, item.replication, delta, item.two_sided)
    for item, delta in held:
        if item.by_cell and not item.theta.log:
            for weight, cell in item.theta.terms:
                if abs(weight) == 1:
                    label, theta = cell_label(cell), _upwards(cell)
                    yield _Watched(claim.id, "cell", label, theta, item.replication, delta)


def _upwards(cell: Cell) -> Contrast:
    """The cell, signed so that more is better."""
    return Contrast(((1.0 if cell.metric.better == "higher" else -1.0, cell),))
