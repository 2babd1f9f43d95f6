"""The regression gate: what a run lost against a baseline."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal

from harness.errors import unknown_name
from harness.evidence.compare import Weight, differences
from harness.evidence.lost import Gate, barred, control_items, trial_items, verdict_items
from harness.evidence.outcomes import Item, Outcome
from harness.evidence.watched import Quantities
from harness.store.records import VerdictsRecord
from harness.store.view import RunView
from harness.suite import Scale, Suite
from harness.text import plural

Overall = Literal["regressed", "improved", "same", "too little compared", "nothing comparable"]

ENOUGH = 0.9
"""Share of the gating metrics that a gate must have compared before it may pass."""

_BLOCKS: Weight = "blocks"


@dataclass(frozen=True)
class Regression:
    """The gate's answer and all that it rests on.

    Attributes:
        outcome: ``regressed`` also if something was lost.
        reason: The counts behind it.
        items: Everything that was looked at.
        barred: What something outside the experiment kept the run from, with the reason.
        gating: Metrics that can make it fail in these environments.
        compared: How many of them were compared.
        few: Seeds by gating claim, where a fall was looked for among fewer than ten.
    """

    outcome: Overall
    reason: str
    items: tuple[Item, ...]
    barred: Mapping[str, str] = field(default_factory=dict)
    gating: int = 0
    compared: int = 0
    few: Mapping[str, int] = field(default_factory=dict)


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

    A quantity whose unit rows are equal is the same. Where they differ in one environment, it regressed
    if the interval of the paired difference lies wholly beyond δ on the wrong side; in another
    environment only if it fell beyond what fresh sampling explains (:mod:`harness.evidence.fresh`). A claim
    that held in the baseline and is *not reproduced* now is a regression as well; one that is merely
    undecided is reported. What the baseline has and the run lacks is lost: claims that held, controls,
    methods, trials and numbers. An improvement is never a failure, and a gate that compared less than nine
    in ten of its metrics does not pass.

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
    quantities = Quantities(gate)
    items = [*trial_items(gate), *quantities.items]
    if baseline_verdicts is not None and verdicts is not None:
        judged = [*verdict_items(gate, baseline_verdicts, verdicts)]
        items = [*judged, *control_items(gate, baseline_verdicts, verdicts), *items]
    counts = {kind: sum(item.outcome == kind for item in items) for kind in _OUTCOMES}
    reason = ", ".join(f"{count} {kind}" for kind, count in counts.items() if count) or "no claim to compare"
    seen = f"{quantities.compared} of {plural(quantities.gating, 'gating metric')} compared"
    seen += f", {quantities.left_out} left out for what all seeds share" * bool(quantities.left_out)
    return Regression(
        _overall(counts, quantities),
        f"{reason}; {seen}",
        tuple(items),
        barred(gate),
        quantities.gating,
        quantities.compared,
        quantities.few,
    )


_OUTCOMES: tuple[Outcome, ...] = ("regressed", "lost", "improved", "same", "reported", "not comparable")


def _check_claims(gate: Gate, before: VerdictsRecord | None) -> None:
    known = {name for claim in gate.suite.claims for name in (claim.id, claim.parent) if name}
    if before is not None:
        known |= {verdict.claim for verdict in [*before.verdicts, *before.wholes]}
    for name in sorted(gate.claims - known):
        raise unknown_name("claim", name, sorted(known), where=f"suite {gate.suite.slug}")


def _overall(counts: dict[Outcome, int], quantities: Quantities) -> Overall:
    if not sum(counts[kind] for kind in _OUTCOMES if kind != "not comparable") - counts["lost"]:
        return "nothing comparable"
    if counts["regressed"] + counts["lost"]:
        return "regressed"
    if quantities.compared < ENOUGH * quantities.gating or (quantities.left_out and not quantities.compared):
        return "too little compared"
    if counts["improved"]:
        return "improved"
    return "same"
