"""The declaration of the suite."""

from __future__ import annotations

from typing import Any

import pytest

from harness.claims import NotComparable, NotRun, Profile
from harness.plan.selection import cells_of
from harness.suite import Experiment, Scale, Standing, Tuned
from methods.metric_aware.hidden import HiddenTraining
from methods.metric_aware.training_method import FineTuned
from suites.metric_aware import SUITE
from suites.metric_aware.arms import OBJECTIVES
from suites.metric_aware.cells import ONLY_FULL, TRAINED
from suites.metric_aware.seeds import FRESH


def planned(profile: Profile) -> dict[str, Experiment]:
    return {e.id: e for e in SUITE.experiments(Scale(profile=profile))}


SMALL = planned(Profile.SMALL)


def test_all_claims_of_both_papers_are_there_and_can_be_killed() -> None:
    named = {claim.parent or claim.id for claim in SUITE.claims}
    assert {f"M{number}" for number in range(1, 9)} | {f"R{number}" for number in range(1, 7)} <= named
    killed = {name for control in SUITE.controls for name, what in control.predicts.items() if what == "kill"}
    for profile in (Profile.SMALL, Profile.GPU, Profile.PAPER):
        judged = {
            claim.id
            for claim in SUITE.claims
            if not isinstance(claim.forms.get(profile), NotComparable | NotRun | None)
        }
        assert judged <= killed


def test_no_number_of_the_main_table_is_made_up() -> None:
    reported = SUITE.paper.reported
    assert all(reported[name].value is None for name in ("rmse", "mae", "auc"))
    assert all(row.standing is not Standing.VERIFIED for row in reported.values() if row.value is not None)


def test_every_objective_has_the_same_tuning_budget() -> None:
    tuned = {name: m for name, m in SMALL["raft"].methods.items() if isinstance(m, Tuned)}
    assert set(OBJECTIVES) <= set(tuned)
    assert len({(tuple(m.grid["rate"]), m.seeds, m.select.name) for m in tuned.values()}) == 1
    assert len({m.method.steps for m in tuned.values() if isinstance(m.method, FineTuned)}) == 1
    assert all(seed < 100 for m in tuned.values() for seed in m.seeds)


def test_hidden_states_are_read_for_all_seeds_and_objectives_are_tuned_alike() -> None:
    hidden = SMALL["hidden"]
    (task,) = hidden.tasks.values()
    assert isinstance(task, HiddenTraining)
    tuned = [method for method in hidden.methods.values() if isinstance(method, Tuned)]
    (budget,) = {(tuple(method.grid["rate"]), method.seeds) for method in tuned}
    assert task.states.seeds == (*budget[1], *hidden.seeds)
    assert task.states.texts == task.train + task.valid + task.test
    trained = [m for m in hidden.methods.values() if isinstance(m, FineTuned)]
    inner: list[Any] = [method.method for method in tuned]
    steps = {method.steps for method in [*inner, *trained]}
    assert len(steps) == 1


def test_draws_of_prompts_share_no_text() -> None:
    for task in SMALL["prompted"].tasks.values():
        assert task.answers.own  # type: ignore[attr-defined]
        assert task.answers.draws == SMALL["prompted"].seeds  # type: ignore[attr-defined]


def test_labels_belong_to_tasks() -> None:
    trained = {name for place in ("raft", "pretrained", "hidden") for name in SMALL[place].tasks}
    assert set(TRAINED) | {"scrambled"} == trained | set(ONLY_FULL)


@pytest.mark.parametrize("profile", [Profile.SMALL, Profile.GPU, Profile.PAPER])
def test_what_was_seen_before_the_rules_were_settled_is_drawn_afresh(profile: Profile) -> None:
    # What is proved holds for every seed; the answers of `open` under `small` are those first drawn.
    first_drawn = {"exact", "open"} if profile is Profile.SMALL else {"exact"}
    for name, experiment in planned(profile).items():
        assert name in first_drawn or min(experiment.seeds) >= FRESH.seed


def test_what_is_proved_is_shown_and_never_counted() -> None:
    forms = {claim.id: claim.forms for claim in SUITE.claims}
    for name in ("M1f", "X1a", "R3", "R4a", "R6a"):
        assert all(isinstance(forms[name][profile], NotComparable) for profile in Profile)


def test_what_the_world_decides_is_shown_and_never_counted() -> None:
    forms = {claim.id: claim.forms for claim in SUITE.claims}
    own_law = ("M1a", "M1d", "M2a", "M3a", "M4a", "M6a", "M6b")
    for name in (*own_law, "M5a", "M5b", "M5c", "X1b", "R6b", "R6c"):
        assert isinstance(forms[name][Profile.SMALL], NotComparable)


def test_no_quantity_is_judged_twice() -> None:
    forms = {claim.id: claim.forms for claim in SUITE.claims}
    for name in ("M7a", "R2c", "R2e"):
        assert isinstance(forms[name][Profile.SMALL], NotComparable)
    thetas = [
        item.theta
        for form in (claim.forms.get(Profile.SMALL) for claim in SUITE.claims)
        if form is not None and form.decides
        for item in form.measured()
    ]
    assert len({repr(theta) for theta in thetas}) == len(thetas)


def test_small_needs_no_mirror_and_no_hub() -> None:
    text = repr([task for e in SMALL.values() for task in e.tasks.values()])
    assert "MirrorSource" not in text


def test_gpu_is_planned_for_minutes() -> None:
    experiments = planned(Profile.GPU)
    prompts = sum(
        len(task.answers.draws) * (task.answers.test + task.answers.held)  # type: ignore[attr-defined]
        for task in experiments["public"].tasks.values()
    )
    (open_task,) = experiments["open"].tasks.values()
    texts = open_task.answers.test * (open_task.answers.count + 1)  # type: ignore[attr-defined]
    # A large GPU reads some hundred prompts a second, and generates as many short texts.
    assert prompts + texts < 20_000


@pytest.mark.parametrize("profile", [Profile.GPU, Profile.PAPER])
def test_real_models_are_bound_by_name(profile: Profile) -> None:
    text = repr([task for e in planned(profile).values() for task in e.tasks.values()])
    bound = set(SUITE.bindings.values())
    assert any(name in text for name in bound - {"all-minilm-l6-v2"})


def test_no_control_is_a_method_that_the_claim_itself_compares() -> None:
    forms = {claim.id: claim.forms for claim in SUITE.claims}
    for control in SUITE.controls:
        for name in control.predicts:
            for form in forms[name].values():
                cells = {cell.method for cell in cells_of(form)}
                stand_ins = {control.replaces[method] for method in cells & set(control.replaces)}
                assert not stand_ins & cells, (control.id, name)
