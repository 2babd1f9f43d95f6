"""The regression gate: what a run lost against a baseline."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from harness.claims import (
    Cell,
    Claim,
    Contrast,
    Direction,
    EveryCell,
    NonInferiority,
    Ordering,
    Replication,
    StatisticalForm,
    Value,
)
from harness.evidence.beside import Beside, Shift
from harness.evidence.compare import Weight, differences
from harness.evidence.labels import cell_label
from harness.evidence.questions import MarginForm, delta_of, questions, replication_of
from harness.evidence.rows import NotMeasuredError
from harness.evidence.wording import interval, number
from harness.store.records import VerdictRecord, VerdictsRecord
from harness.store.view import RunView
from harness.suite import Scale, Suite

Outcome = Literal["regressed", "improved", "same", "not comparable"]
Overall = Literal["regressed", "improved", "same", "nothing comparable"]

_BLOCKS: Weight = "blocks"


@dataclass(frozen=True)
class Item:
    """One thing that was set against the baseline.

    Attributes:
        claim: The claim it belongs to.
        kind: A verdict, a claim's quantity, or one of its cells.
        label: What it is, in words.
        outcome: What became of it.
        detail: The figures behind the outcome.
    """

    claim: str
    kind: Literal["verdict", "quantity", "cell"]
    label: str
    outcome: Outcome
    detail: str


@dataclass(frozen=True)
class Regression:
    """The gate's answer and all that it rests on."""

    outcome: Overall
    reason: str
    items: tuple[Item, ...]


def regress_run(
    suite: Suite,
    scale: Scale,
    baseline: RunView,
    run: RunView,
    *,
    baseline_verdicts: VerdictsRecord | None = None,
    verdicts: VerdictsRecord | None = None,
) -> Regression:
    """Set a run against a baseline.

    A quantity whose unit rows are equal is the same. Where they differ, it regressed if the
    interval of the paired difference lies wholly beyond δ on the wrong side. A claim that held
    in the baseline and does not hold now is a regression as well. An improvement is never a
    failure, and a gate that compared nothing says so.

    Args:
        suite: The suite of both runs.
        scale: Under which claims are read.
        baseline: The run to hold on to.
        run: The new run.
        baseline_verdicts: The baseline's verdicts, if there are any.
        verdicts: The new run's verdicts, if there are any.
    """
    blocking = [item for item in differences(baseline, run) if item.weight == _BLOCKS]
    if blocking:
        reason = "; ".join(f"{x.field}: {x.left or 'none'} against {x.right or 'none'}" for x in blocking)
        return Regression("nothing comparable", reason, ())
    items = [*_verdict_items(baseline_verdicts, verdicts), *_quantity_items(suite, scale, baseline, run)]
    counts = {kind: sum(item.outcome == kind for item in items) for kind in _OUTCOMES}
    reason = ", ".join(f"{count} {kind}" for kind, count in counts.items() if count) or "no claim to compare"
    return Regression(_overall(counts), reason, tuple(items))


_OUTCOMES: tuple[Outcome, ...] = ("regressed", "improved", "same", "not comparable")


def _overall(counts: dict[Outcome, int]) -> Overall:
    if counts["regressed"]:
        return "regressed"
    if counts["improved"]:
        return "improved"
    return "same" if counts["same"] else "nothing comparable"


def _verdict_items(before: VerdictsRecord | None, after: VerdictsRecord | None) -> Iterator[Item]:
    if before is None or after is None:
        return
    now = {verdict.claim: verdict for verdict in after.verdicts}
    for old in before.verdicts:
        new = now.get(old.claim)
        if new is not None and not (old.verdict == new.verdict == "not run"):
            yield Item(
                claim=old.claim,
                kind="verdict",
                label=f"verdict on {old.claim}",
                outcome=_verdict_outcome(old, new),
                detail=f"{old.verdict} → {new.verdict}: {new.reason}",
            )


def _verdict_outcome(old: VerdictRecord, new: VerdictRecord) -> Outcome:
    if old.verdict == new.verdict:
        return "same"
    if {old.verdict, new.verdict} & {"not run", "not comparable"}:
        return "not comparable"
    if old.verdict == "reproduced":
        fewer = _seeds(new) < _seeds(old)
        # A run over fewer seeds lacks power by design; that loses nothing.
        return "not comparable" if fewer and new.cause == "power" else "regressed"
    return "improved" if new.verdict == "reproduced" else "same"


def _seeds(verdict: VerdictRecord) -> int:
    return min((test.seeds for test in verdict.tests), default=0)


def _quantity_items(suite: Suite, scale: Scale, baseline: RunView, run: RunView) -> Iterator[Item]:
    beside = Beside(baseline, run)
    seen: set[tuple[Contrast, float]] = set()
    for claim in suite.claims:
        form = claim.forms.get(scale.profile)
        if not isinstance(form, StatisticalForm):
            continue
        for watched in _watched(claim, form):
            key = (watched.theta, watched.delta)
            if watched.kind == "quantity" or key not in seen:
                seen.add(key)
                yield watched.item(beside)


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

    def item(self, beside: Beside) -> Item:
        try:
            shift = beside.shift(self.theta, self.replication)
        except NotMeasuredError as error:
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


def _watched(claim: Claim, form: StatisticalForm) -> Iterator[_Watched]:
    delta, _ = delta_of(form)
    replication = replication_of(form)
    # A reported number only shifts θ, which a difference of two runs does not see.
    reported = {form.reported: 0.0} if isinstance(form, Value) else {}
    two_sided = isinstance(form, MarginForm) and not isinstance(form, NonInferiority)
    asked = [q for q in questions(form, reported) if q.falls_below is not None]
    for question in asked:
        yield _Watched(claim.id, "quantity", question.label, question.theta, replication, delta, two_sided)
    if not isinstance(form, Direction | NonInferiority | Ordering | EveryCell):
        return
    for question in asked:
        if not question.theta.log:
            for weight, cell in question.theta.terms:
                if abs(weight) == 1:
                    yield _Watched(claim.id, "cell", cell_label(cell), _upwards(cell), replication, delta)


def _upwards(cell: Cell) -> Contrast:
    """The cell, signed so that more is better."""
    return Contrast(((1.0 if cell.metric.better == "higher" else -1.0, cell),))
