"""The quantities that a gate watches, each set against the baseline."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np

from harness.claims import Cell, Claim, Contrast, Form, Replication
from harness.claims.findings import NotMeasuredError
from harness.claims.labels import cell_label
from harness.claims.ratios import ratio_of
from harness.claims.wording import change, number
from harness.declared.gating import gating_forms, on_artifacts, too_few
from harness.declared.noise import SharedNoise
from harness.evidence.coverage import Coverages, declared
from harness.evidence.fresh import Fall, Judged, fall, judge_falls
from harness.evidence.lost import Gate
from harness.evidence.outcomes import Item, Outcome
from harness.evidence.paired_runs import PairedRuns, Shift
from harness.evidence.quantities import Quantity
from harness.evidence.series import Reader
from harness.evidence.shared_draws import built_elsewhere, tuned_otherwise
from harness.store.records import Interval
from harness.store.view import RunView
from harness.suite import Scale, Suite
from harness.text import plural

_LEAST_SPREAD = 0.1
"""Of the smallest effect that matters: less spread than that is not believed, nor less than a noise floor, so
that rounding is no regression of a metric that no seed changes."""


@dataclass(frozen=True)
class Watched:
    """A quantity that must not fall.

    Attributes:
        claim: Whose quantity it is.
        kind: A claim's quantity, or one of its cells.
        label: What it is, in words.
        theta: Signed so that more is better.
        replication: What is drawn again between replicates.
        delta: The smallest change that matters.
        floor: The noise floor of its claim.
        shared: How far environments move it in all seeds alike; nothing where that was not measured.
        two_sided: Whether it must not rise either.
        gates: Whether it can make the gate fail in another environment.
        left_out: Why it cannot, where it could with other results.
    """

    claim: str
    kind: Literal["quantity", "cell"]
    label: str
    theta: Contrast
    replication: Replication
    delta: float
    floor: float = 0.0
    shared: SharedNoise | None = None
    two_sided: bool = False
    gates: bool = True
    left_out: str = ""

    @property
    def least_spread(self) -> float:
        """A smaller standard deviation between seeds is replaced by it."""
        return max(_LEAST_SPREAD * self.delta, self.floor)


class Quantities:
    """All that is watched, set against the baseline: first each alone, then together, as Holm corrects.

    Args:
        gate: The two runs.

    Attributes:
        items: What became of each.
        gating: How many can make the gate fail here; times of another environment cannot.
        compared: How many of these were compared.
        left_out: How many would gate if all seeds of a run did not share a draw that came out otherwise.
        few: Seeds by claim, where a fall of what gates was looked for among fewer than ten on a side.
    """

    def __init__(self, gate: Gate) -> None:
        said = declared(gate.suite, gate.scale)
        self.items: list[Item] = []
        self.gating = self.compared = self.left_out = 0
        self.few: dict[str, int] = {}
        self._paired = PairedRuns(gate.baseline, gate.run, said)
        self._sides = [Reader(view, Coverages(view, said)) for view in (gate.baseline, gate.run)]
        self._open: list[tuple[Watched, Fall]] = []
        self._on_artifacts = on_artifacts(gate.suite, gate.scale)
        for watched in watch(gate):
            self._add(watched)
        self._conclude()

    def _settle(self, watched: Watched, outcome: Outcome, detail: str, log: str = "") -> None:
        self.items.append(Item(watched.claim, watched.kind, watched.label, outcome, detail, log))
        self.gating += watched.gates
        self.compared += watched.gates and outcome != "not comparable"

    def _add(self, watched: Watched) -> None:
        try:
            shift = self._paired.shift(watched.theta, watched.replication)
        except NotMeasuredError as error:
            if self._paired.left_out and error.kind in ("omitted", "unplanned", "missing"):
                self._by_value(watched)
            elif (loss := self._paired.loss(watched.theta)) is not None:
                self._settle(watched, "lost", f"measured before, now: {loss}")
            else:
                gates = watched.gates and error.kind != "foreign" and not watched.theta.calibrated
                self._settle(replace(watched, gates=gates), "not comparable", str(error))
            return
        if shift.identical:
            self._settle(watched, "same", "unit rows are equal")
        elif shift.same_environment:
            say = partial(_moved, watched, shift)
            self._settle(watched, _paired(watched, shift), *_in_both(watched, say))
        else:
            self._by_value(watched)

    def _by_value(self, watched: Watched) -> None:
        """Compare the values of seeds, where rows cannot be paired or are not there."""
        try:
            before, after = (Quantity(reader, watched.theta) for reader in self._sides)
            old, new = (dict(zip(side.keys, side.by_replicate(), strict=True)) for side in (before, after))
            shared = [(old[key], new[key]) for key in old if key in new]
            if shared and all(left == right for left, right in shared):
                detail = f"the values of {plural(len(shared), 'seed')} are equal"
                self._settle(watched, "same", detail)
            else:
                before_values, after_values = (np.array([*side.values()]) for side in (old, new))
                common = (watched.shared.sd, watched.shared.df) if watched.shared else (0.0, 1)
                found = fall(before_values, after_values, watched.least_spread, common)
                self._open.append((self._seen(watched, before, after), found))
        except NotMeasuredError as error:
            self._settle(watched, "not comparable", str(error))

    def _seen(self, watched: Watched, before: Quantity, after: Quantity) -> Watched:
        """The quantity, which does not gate where its seeds share a draw that came out otherwise."""
        records = [side.view.trials for side in self._sides]
        names = [*before.trials, *after.trials]
        if told := tuned_otherwise(records[0], records[1], names):
            why = f"tuning, which all seeds share, chose otherwise ({told})"
        elif watched.shared is None and built_elsewhere(records[0], records[1], names, self._on_artifacts):
            why = (
                "what all seeds share was built anew in another environment, and how far that moves it was "
                "not measured ('corroborate noise SUITE --write' does)"
            )
        else:
            return watched
        self.left_out += watched.gates
        return replace(watched, gates=False, left_out=why) if watched.gates else watched

    def _conclude(self) -> None:
        gating = [(watched, found) for watched, found in self._open if watched.gates]
        judged = judge_falls([found for _, found in gating], [watched.two_sided for watched, _ in gating])
        for (watched, found), answer in zip(gating, judged, strict=True):
            say = partial(_sampled, watched, found, answer, len(gating))
            self._settle(watched, _outcome(answer), *_in_both(watched, say))
        self.few = too_few(
            (watched.claim, min(found.seeds))
            for watched, found in gating
            if watched.replication is not Replication.UNITS
        )
        for watched, found in self._open:
            if not watched.gates:
                say = partial(_ungated, watched, found)
                self._settle(watched, "reported", *_in_both(watched, say))


def _in_both(watched: Watched, say: Callable[..., str]) -> tuple[str, str]:
    """Figures as readers are shown them, and of a change in a logarithm also as the logarithm."""
    return say(log=watched.theta.log), say(log=False) if watched.theta.log else ""


def _told(found: Fall, metrics: int, *, log: bool) -> str:
    before, after = found.seeds
    tolerance = found.tolerance(metrics)
    least = change(Interval(value=-tolerance), log=True) if log else f"{number(tolerance)} less"
    return (
        f"changed by {change(Interval(value=found.change), log=log)} in another environment, where {least} "
        f"is within fresh sampling ({before} and {plural(after, 'seed')})"
    )


def _ungated(watched: Watched, found: Fall, *, log: bool) -> str:
    why = f": {watched.left_out}" if watched.left_out else ""
    return f"{_told(found, 1, log=log)}; it does not gate{why}"


def _sampled(watched: Watched, found: Fall, answer: Judged, metrics: int, *, log: bool) -> str:
    # What must not rise either spends its level on both sides.
    told = _told(found, metrics * (2 if watched.two_sided else 1), log=log)
    return f"{told}, p = {number(answer.p_down)} over {plural(metrics, 'metric')}"


def _outcome(answer: Judged) -> Outcome:
    if answer.fell:
        return "regressed"
    return "improved" if answer.rose else "same"


def _moved(watched: Watched, shift: Shift, *, log: bool) -> str:
    inference = shift.inference
    delta = change(Interval(value=watched.delta), log=log)
    told = f"changed by {change(inference.interval, log=log)}, δ = {delta}, {inference.test}"
    return f"{told}; rows differ in the same environment"


def _paired(watched: Watched, shift: Shift) -> Outcome:
    """In the same environment rows differ only because something has changed."""
    effect = shift.inference.interval
    low = effect.value if effect.low is None else effect.low
    high = effect.value if effect.high is None else effect.high
    if high < -watched.delta or (watched.two_sided and low > watched.delta):
        return "regressed"
    return "improved" if low > watched.delta else "same"


def watch(gate: Gate) -> Iterator[Watched]:
    """Everything that is watched, each quantity once."""
    gating = {claim.id for claim, _ in gating_forms(gate.suite, gate.scale.profile)}
    seen: set[tuple[Contrast, float]] = set()
    for claim in gate.suite.claims:
        form = claim.forms.get(gate.scale.profile)
        if form is None or not gate.asks(claim.id, claim.parent):
            continue
        gates = bool(gate.claims) or claim.id in gating
        shared = gate.shared_noise.get(claim.id)
        for watched in _watched(claim, form.floored(gate.noise(claim.id)), shared):
            key = (watched.theta, watched.delta)
            if watched.kind == "quantity" or key not in seen:
                seen.add(key)
                yield watched if gates else replace(watched, gates=False)


def _watched(claim: Claim, form: Form, shared: SharedNoise | None = None) -> Iterator[Watched]:
    held = [(item, item.allowed) for item in form.watched() if item.allowed is not None]
    floor = form.stated_noise
    for item, delta in held:
        ratio = ratio_of(item.theta, item.label)
        label = ratio.label if ratio else item.label
        quantity = Watched(claim.id, "quantity", label, item.theta, item.replication, delta, floor, shared)
        yield replace(quantity, two_sided=item.two_sided)
    for item, delta in held:
        if item.by_cell and not item.theta.log:
            for weight, cell in item.theta.terms:
                if abs(weight) == 1:
                    label, theta = cell_label(cell), _upwards(cell)
                    yield Watched(claim.id, "cell", label, theta, item.replication, delta, floor, gates=False)


def _upwards(cell: Cell) -> Contrast:
    """The cell, signed so that more is better."""
    return Contrast(((1.0 if cell.metric.better == "higher" else -1.0, cell),))


def few_recorded(suite: Suite, scale: Scale, view: RunView) -> dict[str, int]:
    """Gating claims of a run with fewer than ten seeds, where seeds are what varies.

    Times gate on their own machine only, and units are as many as the data have.
    """
    reader = Reader(view, Coverages(view, declared(suite, scale)))
    seeds: list[tuple[str, int]] = []
    for watched in watch(Gate(suite, scale, view, view)):
        if watched.gates and watched.replication is not Replication.UNITS:
            with suppress(NotMeasuredError):
                quantity = Quantity(reader, watched.theta)
                seeds += [] if quantity.timed else [(watched.claim, len(quantity.keys))]
    return too_few(seeds)
