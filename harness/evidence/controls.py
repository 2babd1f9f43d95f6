"""The sabotage × claim matrix: which claims each sabotage kills."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from harness.claims import (
    Claim,
    Control,
    CountCost,
    Equivalence,
    Exact,
    Existence,
    Form,
    NotComparable,
    NotRun,
    Profile,
    SamplerLaw,
    StatisticalForm,
    Time,
    Value,
)
from harness.evidence.conclude import conclude, without_family
from harness.evidence.estimates import ALPHA, enough
from harness.evidence.exact import examine_count, examine_exact, examine_existence, examine_law
from harness.evidence.family import holm
from harness.evidence.findings import Finding, Settled
from harness.evidence.inference import infer
from harness.evidence.quantities import Quantity
from harness.evidence.questions import replication_of
from harness.evidence.rows import NotMeasuredError
from harness.evidence.rules import Answer, Scene, ask, weigh
from harness.evidence.series import Reader
from harness.evidence.substitute import sabotaged
from harness.evidence.wording import p_value
from harness.store.records import ControlRecord
from harness.suite import Suite

Outcome = tuple[Literal["kill", "keep", "undecided"], str]


def control_matrix(suite: Suite, profile: Profile, scene: Scene) -> list[ControlRecord]:
    """All predicted cells whose claim is judged under this profile.

    Claims are judged one by one here, without the family's correction: that makes it harder to
    kill, since the sabotage is held to the weaker standard.
    """
    claims = {claim.id: claim for claim in suite.claims}
    records = []
    for control in suite.controls:
        for name, predicted in control.predicts.items():
            form = judged_form(claims.get(name), profile)
            if form is not None:
                outcome, detail = try_control(form, control, scene, profile)
                records.append(
                    ControlRecord(
                        control=control.id, claim=name, predicted=predicted, outcome=outcome, detail=detail
                    )
                )
    return records


def judged_form(claim: Claim | None, profile: Profile) -> Form | None:
    """The form that decides a claim under a profile, if it is one that can be killed."""
    form = claim.forms.get(profile) if claim else None
    if form is None or isinstance(form, NotComparable | NotRun):
        return None
    return None if profile is Profile.SMOKE and isinstance(form, StatisticalForm) else form


def try_control(form: Form, control: Control, scene: Scene, profile: Profile) -> Outcome:
    """What a sabotage does to a claim.

    Killed: under the claim's own rule the sabotage does not give ``reproduced``, and it is shown
    to do worse than the real thing; losing power is no kill. Equivalence has no worse side: there
    the sabotage must be shown outside the margin.
    """
    broken = sabotaged(form, control)
    if broken == form:
        return "undecided", "It replaces nothing that the claim measures."
    if isinstance(form, StatisticalForm) and isinstance(broken, StatisticalForm):
        return _try_statistical(form, broken, scene, profile)
    settled = _examine(broken, scene.reader).settled
    if settled is None or settled.verdict in ("not run", "not comparable"):
        return "undecided", settled.reason if settled else ""
    if settled.verdict == "reproduced":
        return "keep", settled.reason
    killed = settled.verdict == "not reproduced" or settled.cause == "no witness"
    return "kill" if killed else "undecided", settled.reason


def _examine(form: Form, reader: Reader) -> Finding:
    match form:
        case Exact():
            return examine_exact(form, reader)
        case SamplerLaw():
            return examine_law(form, reader)
        case Existence():
            return examine_existence(form, reader)
        case CountCost():
            return examine_count(form, reader)
        case _:
            return Finding(settled=Settled("not run", "This form cannot be killed."))


def _try_statistical(
    form: StatisticalForm, broken: StatisticalForm, scene: Scene, profile: Profile
) -> Outcome:
    try:
        real, fake = ask(form, scene), ask(broken, scene)
        least = form.min_blocks if isinstance(form, Time) else form.min_seeds
        lacking = [enough(a.inference, a.quantity, replication_of(form), least) for a in (*real, *fake)]
        if any(lacking):
            return "undecided", f"Only {next(filter(None, lacking))}."
        finding = weigh(broken, fake)
        settled = conclude(broken, finding, without_family(finding), profile)
        if settled.verdict == "reproduced":
            return "keep", settled.reason
        if isinstance(form, Equivalence | Value):
            return "kill" if settled.verdict == "not reproduced" else "undecided", settled.reason
        return _worse_than_real(form, real, fake, scene)
    except NotMeasuredError as error:
        return "undecided", str(error)


def _worse_than_real(form: StatisticalForm, real: list[Answer], fake: list[Answer], scene: Scene) -> Outcome:
    """Whether real − sabotaged is above zero in a question that the sabotage does not pass."""
    p_values: list[float | None] = []
    labels: list[str] = []
    for good, bad in zip(real, fake, strict=True):
        theta = good.question.theta - bad.question.theta
        if _passes(bad) or not theta.terms:
            continue
        loss = infer(
            Quantity(scene.reader, replace(theta, constant=0.0)),
            replication_of(form),
            rng=scene.rng,
            noise_floor=form.noise_floor,
        )
        p_values.append(loss.p_above(0.0))
        labels.append(f"{good.question.label}: real − sabotaged = {loss.value:.3g}")
    adjusted = holm(p_values)
    known = [(p, label) for p, label in zip(adjusted, labels, strict=True) if p is not None]
    if not known:
        return "undecided", "The claim does not hold under the sabotage, which changes none of its parts."
    p, label = min(known)
    return "kill" if p <= ALPHA else "undecided", f"{label}, {p_value(p)}."


def _passes(answer: Answer) -> bool:
    return answer.p_plus is not None and answer.p_plus <= ALPHA and answer.large_enough
