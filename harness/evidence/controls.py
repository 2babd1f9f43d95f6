"""The sabotage × claim matrix: which claims each sabotage kills."""

from __future__ import annotations

from collections.abc import Mapping

from harness.claims import Claim, Control, Form, Profile
from harness.claims.findings import ControlOutcome
from harness.claims.judging import JudgingContext
from harness.claims.substitute import sabotaged
from harness.store.records import ControlRecord
from harness.suite import Suite


def control_matrix(
    suite: Suite, profile: Profile, context: JudgingContext, noise: Mapping[str, float]
) -> list[ControlRecord]:
    """All predicted cells whose claim is judged under this profile.

    Claims are judged one by one here, without the family's correction: that makes it harder to
    kill, since the sabotage is held to the weaker standard.

    Args:
        suite: The suite.
        profile: Which is judged.
        context: The run.
        noise: The noise floors that it was started with, by claim.
    """
    claims = {claim.id: claim for claim in suite.claims}
    records = []
    for control in suite.controls:
        for name, predicted in control.predicts.items():
            form = judged_form(claims.get(name), profile)
            if form is None:
                continue
            floored = form.floored(noise.get(name, 0.0))
            outcome, detail = try_control(floored, control, context, profile)
            records.append(
                ControlRecord(
                    control=control.id, claim=name, predicted=predicted, outcome=outcome, detail=detail
                )
            )
    return records


def try_control(form: Form, control: Control, context: JudgingContext, profile: Profile) -> ControlOutcome:
    """What a sabotage does to a claim of this form."""
    broken = sabotaged(form, control)
    if broken == form:
        return "undecided", "It replaces nothing that the claim measures."
    return form.under_control(broken, context, profile)


def judged_form(claim: Claim | None, profile: Profile) -> Form | None:
    """The form that decides a claim under a profile, if it is one that can be killed."""
    form = claim.forms.get(profile) if claim else None
    if form is None or not form.decides:
        return None
    return None if profile is Profile.SMOKE and form.statistical else form
