"""What a baseline has and a run lacks: claims, controls, methods and trials.

A gate that only compares what both runs have turns green when a claim is renamed or a method is no
longer run. So everything that the baseline has is looked for, and named if it is not there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from harness.declared.noise import SharedNoise, shared_noise
from harness.errors import RecordError
from harness.evidence.outcomes import Item, Outcome
from harness.plan.selection import cells_of, pairs, seeds_text
from harness.store.records import ControlRecord, VerdictRecord, VerdictsRecord
from harness.store.view import TIMED_METHOD, RunView, main_trials
from harness.suite import Scale, Suite

Place = tuple[str, str, str]
"""Experiment, task and method."""

_NO_NUMBER = ("not run", "not comparable")


@dataclass(frozen=True)
class Gate:
    """Two runs that are set against each other.

    Attributes:
        suite: The suite of both.
        scale: Of the new run.
        baseline: The run that is compared with.
        run: The new run.
        claims: The claims that are asked about; empty means everything.
    """

    suite: Suite
    scale: Scale
    baseline: RunView
    run: RunView
    claims: frozenset[str] = frozenset()

    @property
    def narrower(self) -> bool:
        """Whether the baseline is wide and the run is not, so that some things lack by design."""
        return self.baseline.record.full and not self.run.record.full

    def is_sampled(self, claim: str) -> bool:
        """Whether a claim's rule tests a sample, and does not check every case."""
        forms = (one.forms.get(self.scale.profile) for one in self.suite.claims if one.id == claim)
        return any(form is not None and form.statistical for form in forms)

    def noise(self, claim: str) -> float:
        """The larger of the noise floors that the two runs were started with; 0 where neither had one."""
        return max(view.record.noise.get(claim, 0.0) for view in (self.baseline, self.run))

    @cached_property
    def shared_noise(self) -> Mapping[str, SharedNoise]:
        """What is known of how far environments move each claim's quantity in all seeds alike."""
        return shared_noise(self.suite, self.scale.profile)

    def asks(self, claim: str, parent: str = "") -> bool:
        """Whether a claim is asked about."""
        return not self.claims or claim in self.claims or (parent != "" and parent in self.claims)


def verdict_items(gate: Gate, before: VerdictsRecord, after: VerdictsRecord) -> Iterator[Item]:
    """Every verdict of the baseline, beside the run's."""
    now = {verdict.claim: verdict for verdict in after.verdicts}
    for old in before.verdicts:
        if gate.asks(old.claim, old.parent):
            yield from _verdict_item(gate, old, now.get(old.claim))
    wholes = {verdict.claim: verdict for verdict in [*after.wholes, *after.verdicts]}
    for old in before.wholes:
        new = wholes.get(old.claim)
        if gate.asks(old.claim) and new is None:
            yield _item(old, _gone(old), f"{old.verdict} → the suite has no such claim any more")
        elif gate.asks(old.claim) and new is not None and old.verdict == "reproduced" != new.verdict:
            # What its old parts lost, they say themselves; a new part may be what failed.
            outcome: Outcome = "regressed" if new.verdict == "not reproduced" else "reported"
            yield _item(old, outcome, f"{old.verdict} → {new.verdict}: {new.reason}")


def _verdict_item(gate: Gate, old: VerdictRecord, new: VerdictRecord | None) -> Iterator[Item]:
    if new is None:
        yield _item(old, _gone(old), f"{old.verdict} → the suite has no such claim any more")
    elif not old.verdict == new.verdict == "not run":
        detail = f"{old.verdict} → {new.verdict}: {new.reason}"
        sampled = gate.is_sampled(old.claim)
        yield _item(old, _verdict_outcome(old, new, narrower=gate.narrower, sampled=sampled), detail)


def _item(old: VerdictRecord, outcome: Outcome, detail: str) -> Item:
    return Item(old.claim, "verdict", f"verdict on {old.claim}", outcome, detail)


def _gone(old: VerdictRecord) -> Outcome:
    return "lost" if old.verdict == "reproduced" else "not comparable"


def _verdict_outcome(old: VerdictRecord, new: VerdictRecord, *, narrower: bool, sampled: bool) -> Outcome:
    if old.verdict == new.verdict:
        nothing = old.verdict in _NO_NUMBER or old.cause == new.cause == "invalid"
        return "not comparable" if nothing else "same"
    if new.verdict in _NO_NUMBER:
        excused = narrower and new.verdict == "not run"
        return "lost" if old.verdict == "reproduced" and not excused else "not comparable"
    if old.verdict in _NO_NUMBER:
        return "not comparable"
    if old.verdict == "inconclusive" or new.verdict == "inconclusive":
        if old.verdict == "reproduced" and new.cause == "invalid" and not sampled:
            return "regressed"  # An exact property holds or is broken, whatever the sample.
        # What is decided on one sample of seeds may be open on another: nothing was lost by that.
        return "improved" if new.verdict == "reproduced" else "reported"
    return "improved" if new.verdict == "reproduced" else "regressed"


def control_items(gate: Gate, before: VerdictsRecord, after: VerdictsRecord) -> Iterator[Item]:
    """Controls that did as predicted in the baseline, and do not now."""
    now = {(control.control, control.claim): control for control in after.controls}
    judged = {verdict.claim: verdict for verdict in after.verdicts}
    for old in before.controls:
        new = now.get((old.control, old.claim))
        if not gate.asks(old.claim) or old.outcome != old.predicted or (new and new.outcome == old.outcome):
            continue
        unjudged = old.claim in judged and judged[old.claim].verdict == "not run"
        yield Item(
            old.claim,
            "control",
            f"control {old.control}",
            # A claim that the run does not judge is named already.
            "not comparable" if unjudged else _control_outcome(new),
            f"{old.outcome}, as predicted → {f'{new.outcome}: {new.detail}' if new else 'not there'}",
        )


def _control_outcome(new: ControlRecord | None) -> Outcome:
    if new is None:
        return "lost"
    return "reported"


def trial_items(gate: Gate) -> Iterator[Item]:
    """Methods that the baseline ran and the run did not, and trials that have no result any more."""
    had, has = _results(gate.baseline), _planned(gate.run)
    for place, seeds in had.items():
        if not _is_asked(gate, place) or barrier(gate.run, place):
            continue
        name = "/".join(place)
        if place not in has:
            if not _by_width(gate, place):
                yield Item("", "trials", name, "lost", f"{_count(seeds)} in the baseline, none in the run")
            continue
        yield from _failed(gate, name, seeds & has[place])
        fewer = seeds - has[place]
        if fewer:
            detail = f"the run leaves out seeds {seeds_text(sorted(fewer))} of the baseline"
            yield Item("", "trials", name, "not comparable", detail)
        yield from _arms(gate, name, sorted(seeds & has[place]))


def _count(seeds: Collection[int]) -> str:
    return f"{len(seeds)} trial{'s' * (len(seeds) != 1)}"


def _failed(gate: Gate, name: str, seeds: Iterable[int]) -> Iterator[Item]:
    for seed in sorted(seeds):
        record = gate.run.trials.get(f"{name}/{seed}")
        if record is not None and record.status == "failed":
            last = record.error.strip().rpartition("\n")[2]
            yield Item("", "trials", record.trial, "lost", f"ok in the baseline, failed in the run: {last}")


def _arms(gate: Gate, name: str, seeds: list[int]) -> Iterator[Item]:
    """Arms of a timed experiment that are no longer timed."""
    if not seeds or not name.endswith(f"/{TIMED_METHOD}"):
        return
    gone = _arms_of(gate.baseline, f"{name}/{seeds[0]}") - _arms_of(gate.run, f"{name}/{seeds[0]}")
    for arm in sorted(gone):
        yield Item("", "trials", f"{name}, arm {arm}", "lost", "timed in the baseline, not in the run")


def _arms_of(view: RunView, trial: str) -> set[str]:
    try:
        return {str(arm) for arm in view.table(trial, "time")["arm"]}
    except (RecordError, KeyError):
        return set()  # Rows that were left out for their size say nothing.


def barrier(run: RunView, place: Place) -> str:
    """Why a run could not include a method, if something outside kept it from that."""
    blocked = run.record.blocked
    return blocked.get("/".join(place)) or blocked.get(place[0], "")


def barred(gate: Gate) -> dict[str, str]:
    """What the baseline ran and something outside kept the run from, with the reason."""
    asked = [place for place in _results(gate.baseline) if _is_asked(gate, place)]
    return {"/".join(place): reason for place in asked if (reason := barrier(gate.run, place))}


def _planned(view: RunView) -> dict[Place, set[int]]:
    found: dict[Place, set[int]] = {}
    for trial in main_trials(view.record.planned):
        found.setdefault((trial.experiment, trial.task, trial.method), set()).add(trial.seed)
    return found


def _results(view: RunView) -> dict[Place, set[int]]:
    """Seeds with a result, of each method on each task."""
    found: dict[Place, set[int]] = {}
    for (experiment, task, method), seeds in _planned(view).items():
        for seed in seeds:
            record = view.trials.get(f"{experiment}/{task}/{method}/{seed}")
            if record is not None and record.status in ("ok", "diverged"):
                found.setdefault((experiment, task, method), set()).add(seed)
    return found


def _is_asked(gate: Gate, place: Place) -> bool:
    """Whether the claims that are asked about measure a method there."""
    if not gate.claims:
        return True
    forms = [
        claim.forms.get(gate.scale.profile)
        for claim in gate.suite.claims
        if gate.asks(claim.id, claim.parent)
    ]
    experiment, task, method = place
    return any(
        cell.experiment == experiment and cell.task in ("", task) and method in (cell.method, TIMED_METHOD)
        for cell in cells_of(forms)
    )


def _by_width(gate: Gate, place: Place) -> bool:
    """Whether only wide runs have it, which this one is not."""
    if not gate.narrower:
        return False
    wide = Scale(profile=gate.scale.profile, full=True)
    return place in _declared(gate.suite, wide) and place not in _declared(gate.suite, gate.scale)


def _declared(suite: Suite, scale: Scale) -> set[Place]:
    return {
        (item.id, task, TIMED_METHOD if item.timed else method)
        for item in suite.experiments(scale)
        for task, method in pairs(item)
    }
