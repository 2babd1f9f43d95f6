"""The verdicts of a run: every claim examined and corrected for the family."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace

import numpy as np

from harness.claims import Claim, Form, Profile
from harness.claims.findings import Corrected, Finding, Settled
from harness.claims.settling import what_settles
from harness.declared import claims_hash
from harness.declared.family import Levels, family_of, twin_of
from harness.evidence.compound import compound_verdicts
from harness.evidence.context import RunContext
from harness.evidence.controls import control_matrix
from harness.evidence.coverage import declared
from harness.evidence.family import correct, corrected_tests
from harness.evidence.scope import scope_of
from harness.evidence.series import shared_reader
from harness.store.records import VerdictRecord, VerdictsRecord
from harness.store.view import RunView, trials_sha256
from harness.suite import Scale, Suite


def judge(suite: Suite, scale: Scale, view: RunView) -> VerdictsRecord:
    """All verdicts of a run.

    Every claim gets one, also if the run was restricted, stopped early or made for another
    profile; the verdict then says so.

    Raises:
        SuiteError: If a claim's form contradicts itself.
    """
    judging = _Judge(suite, scale, view)
    verdicts = [_tried_out(v) if view.record.rehearsal else v for v in judging.verdicts()]
    judged = {verdict.claim for verdict in verdicts if verdict.verdict != "not run"}
    noise = view.record.noise
    controls = control_matrix(suite, scale.profile, judging.context, noise) if judging.fits else []
    return VerdictsRecord(
        run=view.record.run,
        suite=suite.slug,
        profile=scale.profile.value,
        full=view.record.full,
        verdicts=verdicts,
        wholes=compound_verdicts(suite.claims, verdicts),
        controls=[c for c in controls if c.claim in judged and not view.record.rehearsal],
        trials_sha256=trials_sha256(view),
    )


def context_of(suite: Suite, scale: Scale, view: RunView) -> RunContext:
    """A run as the forms of a suite's claims see it, with the whole level for each (``family`` is 1)."""
    return RunContext(
        reader=shared_reader(view, declared(suite, scale)),
        rng=_generator(suite.slug, scale.profile),
        reported={name: item.value for name, item in suite.paper.reported.items()},
        looks=view.record.looks_paid,
    )


@dataclass
class _Judge:
    """One judgement of one run."""

    suite: Suite
    scale: Scale
    view: RunView
    context: RunContext = field(init=False)
    fits: bool = field(init=False)
    levels: Levels = field(init=False)

    def __post_init__(self) -> None:
        record = self.view.record
        self.fits = record.suite == self.suite.slug and record.profile == self.scale.profile.value
        self.exploratory = record.claims_sha256 != claims_hash(self.suite)
        self.parents = {claim.parent for claim in self.suite.claims if claim.parent}
        self.claims = [claim for claim in self.suite.claims if claim.id not in self.parents]
        self.context = context_of(self.suite, self.scale, self.view)
        self.levels = Levels.of(family_of(self.suite, self.scale.profile))

    def form(self, claim: Claim) -> Form | None:
        """The claim's form, with the noise floor that the run was started with."""
        form = claim.forms.get(self.scale.profile)
        return form.floored(self.view.record.noise.get(claim.id, 0.0)) if form else None

    def verdicts(self) -> list[VerdictRecord]:
        twins = {claim.id: twin_of(self.suite, claim, self.scale.profile) for claim in self.claims}
        own = [claim for claim in self.claims if twins[claim.id] is None]
        findings = [self.finding(claim) for claim in own]
        restricted = bool(self.view.record.selection)
        declared = (self.levels.primary, self.levels.secondary) if restricted else (0, 0)
        kinds = [claim.primary for claim in own]
        corrected = correct(findings, kinds, declared=declared, looks=self.view.record.looks_paid)
        found = [
            self.verdict(claim, finding, p)
            for claim, finding, p in zip(own, findings, corrected, strict=True)
        ]
        by_id = {verdict.claim: verdict for verdict in found}
        by_id |= {
            claim.id: _shared(claim, by_id[twin.id]) for claim in self.claims if (twin := twins[claim.id])
        }
        return [_relying(claim, by_id) for claim in self.claims]

    def finding(self, claim: Claim) -> Finding:
        form = self.form(claim)
        settled = self.unjudged(form)
        if settled is not None or form is None:
            return Finding(settled=settled)
        if not form.statistical:
            return form.examine(self.context)
        # Whatever else is judged, a tested claim draws the same samples.
        rng = _generator(self.suite.slug, self.scale.profile, claim.id)
        return form.examine(replace(self.context, rng=rng, family=self.levels.divisor(claim)))

    def unjudged(self, form: Form | None) -> Settled | None:
        """The verdict of claims that nothing is measured for."""
        if form is None:
            return Settled("not run", f"The claim has no form under the {self.scale.profile} profile.")
        if not self.fits:
            record = self.view.record
            return Settled(
                "not comparable",
                f"The run is of suite {record.suite} under the {record.profile} profile, "
                f"not of {self.suite.slug} under {self.scale.profile}.",
            )
        if self.scale.profile is Profile.SMOKE and form.statistical:
            return Settled(
                "not comparable", "The smoke profile checks the plumbing; only exact claims count."
            )
        return None

    def verdict(self, claim: Claim, finding: Finding, corrected: Corrected) -> VerdictRecord:
        form = self.form(claim)
        settled = finding.settled
        if settled is None:
            assert form is not None  # A claim without one is settled.
            settled = form.conclude(finding, corrected, self.scale.profile)
        delta, reason = form.effect if form else (None, "")
        needed = what_settles(settled, finding, tested=form is not None and form.statistical)
        trials = [self.view.trials[name] for name in finding.trials if name in self.view.trials]
        return VerdictRecord(
            claim=claim.id,
            parent=claim.parent,
            form=type(form).__name__ if form else "",
            verdict=settled.verdict,
            reason=settled.reason,
            cause=settled.cause,
            scope=scope_of(self.suite, self.scale, form, self.view.record, trials),
            delta=delta,
            delta_reason=reason,
            replication=form.replicates if form else "",
            noise_floor=form.stated_noise if form else 0.0,
            tests=corrected_tests(finding, corrected),
            assays=list(finding.preconditions),
            trials=list(finding.trials),
            needed_seeds=needed.replicates,
            no_seeds=needed.reason,
            exploratory=self.exploratory,
            primary=claim.primary,
        )


def _shared(claim: Claim, verdict: VerdictRecord) -> VerdictRecord:
    """The verdict of a claim that asks what another one does."""
    reason = f"It asks what {verdict.claim} asks. {verdict.reason}"
    return verdict.model_copy(update={"claim": claim.id, "parent": claim.parent, "reason": reason})


def _relying(claim: Claim, by_id: dict[str, VerdictRecord]) -> VerdictRecord:
    """A claim over an exact property that did not hold has no valid measurement."""
    verdict = by_id[claim.id]
    relied = [v for v in by_id.values() if v.claim in claim.relies_on or v.parent in claim.relies_on]
    broken = [other for other in relied if other.verdict != "reproduced"]
    if not broken or verdict.verdict not in ("reproduced", "not reproduced"):
        return verdict
    first = broken[0]
    reason = f"It relies on {first.claim}, which is {first.verdict}. Otherwise: {verdict.reason}"
    changed = {"verdict": "inconclusive", "cause": "invalid", "reason": reason}
    return verdict.model_copy(update=changed | {"no_seeds": f"{first.claim} has to hold first"})


def _tried_out(verdict: VerdictRecord) -> VerdictRecord:
    """The verdict of a rehearsal, which decides nothing."""
    if verdict.verdict == "not run":
        return verdict
    reason = f"A rehearsal on stand-ins decides nothing. It was judged to the end: {verdict.verdict}."
    return verdict.model_copy(
        update={
            "verdict": "not comparable",
            "reason": reason,
            "cause": "",
            "needed_seeds": {},
            "no_seeds": "",
        }
    )


def _generator(*names: str) -> np.random.Generator:
    """One stream for each suite and profile, so that a run is judged alike each time."""
    seed = hashlib.blake2b("/".join(names).encode(), digest_size=8).digest()
    return np.random.default_rng(int.from_bytes(seed, "big"))
