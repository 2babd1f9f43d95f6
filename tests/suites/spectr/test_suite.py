"""The declaration of the suite."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from harness.claims import NotComparable, NotRun, Profile, SamplerLaw
from harness.suite import Scale, Standing
from suites.spectr import SUITE

FORMS = {claim.id: claim.forms for claim in SUITE.claims}


def test_every_claim_can_be_killed_and_every_sabotage_kills() -> None:
    killed = {name for control in SUITE.controls for name, what in control.predicts.items() if what == "kill"}
    judged = {
        claim.id
        for claim in SUITE.claims
        if not isinstance(claim.forms.get(Profile.SMALL), NotComparable | NotRun | None)
    }
    assert judged <= killed
    assert all("kill" in control.predicts.values() for control in SUITE.controls)


def test_all_claims_of_the_paper_are_there() -> None:
    wholes = {claim.parent or claim.id for claim in SUITE.claims}
    assert {f"C{number}" for number in range(1, 13)} <= wholes


def test_law_is_tested_at_every_depth_of_its_experiment() -> None:
    form = FORMS["C4"][Profile.SMALL]
    assert isinstance(form, SamplerLaw)
    experiment = next(
        e for e in SUITE.experiments(Scale(profile=Profile.SMALL)) if e.id == form.cell.experiment
    )
    method = experiment.methods[form.cell.method]
    assert form.depths == method.length + 1  # type: ignore[union-attr]
    assert form.min_tokens >= 10_000
    assert form.margin <= 0.03
    assert form.exact


def test_cost_model_is_never_counted() -> None:
    assert isinstance(FORMS["C1c"][Profile.SMALL], NotComparable)


def test_speed_is_judged_with_a_draft_like_the_paper_s_only() -> None:
    for name in ("C1a", "C1b", "C2a", "C2b", "C3a", "C3b", "C11d"):
        for form in FORMS[name].values():
            assert "quality of the draft" in [one.name for one in form.preconditions], name  # type: ignore[attr-defined]
    form = FORMS["C11d"][Profile.SMALL]
    assert "time is gained at all" in [one.name for one in form.preconditions]  # type: ignore[attr-defined]


def test_second_hand_numbers_are_marked() -> None:
    reported = SUITE.paper.reported
    assert reported["speedup-k8-l8"].standing is Standing.VERIFIED
    assert reported["tau-k8-l8"].standing is Standing.SECONDARY
    assert reported["grid"].value is None


def test_gemma_runs_on_enough_prompts() -> None:
    experiments = {e.id: e for e in SUITE.experiments(Scale(profile=Profile.SMALL))}
    for task in experiments["gemma"].tasks.values():
        assert (task.prompts, task.temperature) == (30, 1.0)  # type: ignore[attr-defined]
    assert set(experiments["gemma"].tasks) == {"trained", "counted"}


@pytest.mark.parametrize(
    "scale", [Scale(profile=Profile.SMALL), Scale(profile=Profile.SMALL, full=True)], ids=repr
)
def test_a_block_of_time_has_ten_prompts_and_every_arm_the_same_choice(scale: Scale) -> None:
    experiments = {e.id: e for e in SUITE.experiments(scale)}
    for name in ("time", "gemma-time"):
        methods: dict[str, Any] = dict(experiments[name].methods)
        assert {method.only for method in methods.values()} == {10}
        assert {method.batch for method in methods.values()} == {1}
    tasks: dict[str, Any] = dict(experiments["gemma-time"].tasks)
    assert all(task.pilots > 1 for task in tasks.values())
    assert all(methods[arm].fastest for arm in ("k1", "k8"))
    assert ("k8-l8" in methods) == scale.full


def test_declaring_imports_nothing_heavy() -> None:
    heavy = ["torch", "transformers", "scipy", "pandas"]
    code = f"import sys, suites.spectr; print([m for m in {heavy} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
