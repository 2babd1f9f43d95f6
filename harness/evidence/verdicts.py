"""The verdicts of a run: every claim examined, corrected together, and put into words."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace

import numpy as np

from harness.claims import (
    Claim,
    CountCost,
    Exact,
    Existence,
    Form,
    NotComparable,
    NotRun,
    Profile,
    SamplerLaw,
    StatisticalForm,
)
from harness.claims.labels import contrast_label
from harness.errors import SuiteError
from harness.evidence.conclude import Corrected, conclude, correct, corrected_tests, replication_text
from harness.evidence.controls import control_matrix
from harness.evidence.coverage import Coverages, declared
from harness.evidence.declared import claims_hash
from harness.evidence.exact import examine_count, examine_exact, examine_existence, examine_law
from harness.evidence.findings import Finding, Settled
from harness.evidence.inference import as_test, infer
from harness.evidence.quantities import Quantity
from harness.evidence.questions import delta_of
from harness.evidence.rows import NotMeasuredError
from harness.evidence.rules import Scene, examine
from harness.evidence.scope import scope_of
from harness.evidence.series import Reader
from harness.evidence.wholes import wholes
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
    court = _Court(suite, scale, view)
    verdicts = [_tried_out(v) if view.record.rehearsal else v for v in court.verdicts()]
    judged = {verdict.claim for verdict in verdicts if verdict.verdict != "not run"}
    controls = control_matrix(suite, scale.profile, court.scene) if court.fits else []
    return VerdictsRecord(
        run=view.record.run,
        suite=suite.slug,
        profile=scale.profile.value,
        full=view.record.full,
        verdicts=verdicts,
        wholes=wholes(suite.claims, verdicts),
        controls=[c for c in controls if c.claim in judged and not view.record.rehearsal],
        trials_sha256=trials_sha256(view),
    )


@dataclass
class _Court:
    """One judgement of one run."""

    suite: Suite
    scale: Scale
    view: RunView
    scene: Scene = field(init=False)
    fits: bool = field(init=False)

    def __post_init__(self) -> None:
        record = self.view.record
        self.fits = record.suite == self.suite.slug and record.profile == self.scale.profile.value
        self.exploratory = record.claims_sha256 != claims_hash(self.suite)
        self.parents = {claim.parent for claim in self.suite.claims if claim.parent}
        self.claims = [claim for claim in self.suite.claims if claim.id not in self.parents]
        forms = [self.form(claim) for claim in self.claims]
        self.declared = sum(isinstance(form, StatisticalForm) for form in forms)
        self.scene = Scene(
            reader=Reader(self.view, Coverages(self.view, declared(self.suite, self.scale))),
            rng=_generator(self.suite.slug, self.scale.profile),
            reported={name: item.value for name, item in self.suite.paper.reported.items()},
            family=self.declared,
        )

    def form(self, claim: Claim) -> Form | None:
        return claim.forms.get(self.scale.profile)

    def verdicts(self) -> list[VerdictRecord]:
        findings = [self.finding(claim) for claim in self.claims]
        restricted = self.declared if self.view.record.selection else 0
        corrected = correct(findings, restricted)
        found = [
            self.verdict(claim, finding, p)
            for claim, finding, p in zip(self.claims, findings, corrected, strict=True)
        ]
        by_id = {verdict.claim: verdict for verdict in found}
        return [_relying(claim, by_id) for claim in self.claims]

    def finding(self, claim: Claim) -> Finding:
        form = self.form(claim)
        settled = self.unjudged(form)
        if settled is not None or form is None:
            return Finding(settled=settled)
        match form:
            case Exact():
                return examine_exact(form, self.scene.reader)
            case SamplerLaw():
                return examine_law(form, self.scene.reader)
            case Existence():
                return examine_existence(form, self.scene.reader)
            case CountCost():
                return examine_count(form, self.scene.reader)
            case NotComparable():
                return _shown_only(form, self.scene)
            case NotRun():
                return Finding(settled=Settled("not run", form.reason))
            case _:
                rng = _generator(self.suite.slug, self.scale.profile, claim.id)
                return examine(form, replace(self.scene, rng=rng))

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
        if self.scale.profile is Profile.SMOKE and isinstance(form, StatisticalForm):
            return Settled(
                "not comparable", "The smoke profile checks the plumbing; only exact claims count."
            )
        return None

    def verdict(self, claim: Claim, finding: Finding, corrected: Corrected) -> VerdictRecord:
        form = self.form(claim)
        statistical = form if isinstance(form, StatisticalForm) else None
        settled = finding.settled
        if settled is None and statistical is not None:
            settled = conclude(statistical, finding, corrected, self.scale.profile)
        if settled is None:
            raise SuiteError(f"Claim {claim.id} has a form without a rule", where=self.suite.slug)
        delta, reason = _delta(form)
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
            replication=replication_text(form) if form else "",
            tests=corrected_tests(finding, corrected),
            assays=list(finding.assays),
            trials=list(finding.trials),
            needed_seeds=finding.needed if settled.cause in ("power", "multiplicity") else {},
            exploratory=self.exploratory,
        )


def _delta(form: Form | None) -> tuple[float | None, str]:
    if isinstance(form, StatisticalForm):
        return delta_of(form)
    if isinstance(form, CountCost):
        return form.delta, form.delta_reason
    return None, ""


def _shown_only(form: NotComparable, scene: Scene) -> Finding:
    """A proxy's numbers, if the run has them."""
    settled = Settled("not comparable", form.reason)
    try:
        quantity = Quantity(scene.reader, form.theta)
        quantity.refuse_partial()
        inference = infer(quantity, form.replication, rng=scene.rng)
    except NotMeasuredError as error:
        if error.kind == "partial":
            settled = Settled("not comparable", f"{form.reason} Nor is it measured whole: {error.what}.")
        return Finding(settled=settled)
    record = as_test(contrast_label(form.theta), quantity, inference, None, None)
    return Finding(tests=(record,), trials=quantity.trials, settled=settled)


def _relying(claim: Claim, by_id: dict[str, VerdictRecord]) -> VerdictRecord:
    """A claim over an exact property that did not hold has no valid measurement."""
    verdict = by_id[claim.id]
    relied = [v for v in by_id.values() if v.claim in claim.relies_on or v.parent in claim.relies_on]
    broken = [other for other in relied if other.verdict != "reproduced"]
    if not broken or verdict.verdict not in ("reproduced", "not reproduced"):
        return verdict
    first = broken[0]
    reason = f"It relies on {first.claim}, which is {first.verdict}. Otherwise: {verdict.reason}"
    return verdict.model_copy(update={"verdict": "inconclusive", "cause": "invalid", "reason": reason})


def _tried_out(verdict: VerdictRecord) -> VerdictRecord:
    """The verdict of a rehearsal, which decides nothing."""
    if verdict.verdict == "not run":
        return verdict
    reason = f"A rehearsal on stand-ins decides nothing. It was judged to the end: {verdict.verdict}."
    return verdict.model_copy(
        update={"verdict": "not comparable", "reason": reason, "cause": "", "needed_seeds": {}}
    )


def _generator(*names: str) -> np.random.Generator:
    """One stream for each suite and profile, so that a run is judged alike each time."""
    seed = hashlib.blake2b("/".join(names).encode(), digest_size=8).digest()
    return np.random.default_rng(int.from_bytes(seed, "big"))
