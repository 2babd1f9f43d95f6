"""The IBWS suite as a declaration: complete, consistent, and decidable."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

import pytest

from harness.claims import Cell, Direction, EveryCell, NotComparable, NotRun, Precondition, Profile
from harness.claims.substitute import sabotaged
from harness.errors import UsageError
from harness.method import Method
from harness.plan.selection import Selection, select
from harness.suite import Experiment, Scale, Standing, Tuned
from methods.ibws.redrawn import Redrawn
from methods.ibws.tasks import FIRST_MAIN_SEED
from suites.ibws import SUITE, arms

SCALED = (Profile.SMALL, Profile.GPU)
PARTS = [claim for claim in SUITE.claims if claim.parent]


def _cells(value: Any) -> Iterator[Cell]:
    if isinstance(value, Cell):
        yield value
    elif isinstance(value, tuple | list):
        for item in value:
            yield from _cells(item)
    elif is_dataclass(value) and not isinstance(value, type) and not isinstance(value, Precondition):
        for item in fields(value):
            yield from _cells(getattr(value, item.name))


def _by_id(profile: Profile) -> dict[str, Experiment]:
    return {item.id: item for item in SUITE.experiments(Scale(profile=profile))}


def _is_planned(cell: Cell, experiments: dict[str, Experiment]) -> bool:
    experiment = experiments.get(cell.experiment)
    if experiment is None or cell.method not in experiment.methods:
        return False
    task = cell.task or next(iter(experiment.tasks))
    allowed = experiment.only is None or (task, cell.method) in experiment.only
    return task in experiment.tasks and allowed


@pytest.mark.parametrize("profile", list(Profile))
def test_every_measured_claim_reads_planned_cells(profile: Profile) -> None:
    experiments = _by_id(profile)
    for claim in SUITE.claims:
        for cell in _cells(claim.forms.get(profile)):
            assert _is_planned(cell, experiments), (claim.id, cell)


def test_every_claim_of_the_card_is_measured_under_small() -> None:
    for claim in PARTS:
        assert not isinstance(claim.forms[Profile.SMALL], NotRun)
        assert Profile.PAPER in claim.forms
    wholes = {claim.id for claim in SUITE.claims if claim not in PARTS}
    assert {claim.parent for claim in PARTS} == wholes == {"C1", "C2", "C3", "C4", "C5"}


def test_reported_numbers_exist_and_none_claims_to_be_verified_with_a_value() -> None:
    reported = SUITE.paper.reported
    for claim in SUITE.claims:
        assert set(claim.reported) <= set(reported)
    assert all(row.value is None for row in reported.values() if row.standing is Standing.VERIFIED)


@pytest.mark.parametrize("profile", SCALED)
def test_controls_change_what_they_predict_about_and_are_planned(profile: Profile) -> None:
    experiments = _by_id(profile)
    claims = {claim.id: claim for claim in SUITE.claims}
    for control in SUITE.controls:
        for name in control.predicts:
            form = claims[name].forms[profile]
            broken = sabotaged(form, control)
            assert broken != form, (control.id, name)
            for cell in _cells(broken):
                assert _is_planned(cell, experiments), (control.id, name, cell)


def test_each_claim_that_a_rule_decides_can_be_killed_and_each_sabotage_kills() -> None:
    killed = {name for c in SUITE.controls for name, what in c.predicts.items() if what == "kill"}
    assert killed == {claim.id for claim in PARTS if claim.forms[Profile.SMALL].decides}
    assert all("kill" in control.predicts.values() for control in SUITE.controls)


def test_what_our_crowd_or_arithmetic_decides_is_never_counted() -> None:
    built_in = {claim.id for claim in PARTS if isinstance(claim.forms[Profile.SMALL], NotComparable)}
    biased = {"C4b", "C4c", "C4d", "C4e", "C4f", "C4h"}
    assert built_in == {"C1d", "C1e", "C2a", "C2c", "C2d", "C3d", "C3e", *biased}


def test_thresholds_are_part_of_the_quantity() -> None:
    forms = {claim.id: claim.forms[Profile.SMALL] for claim in PARTS}
    for name, threshold in {"C1b": 0.9, "C3a": 0.9, "C3b": 0.9}.items():
        form = forms[name]
        assert isinstance(form, Direction)
        assert (form.theta.constant, form.delta) == (threshold, 0.005)
    strong = forms["C5e"]
    assert isinstance(strong, EveryCell)
    assert {theta.constant for theta in strong.thetas} == {0.6}


def test_no_two_claims_ask_for_one_quantity() -> None:
    thetas = [
        str(item.theta)
        for claim in PARTS
        if claim.forms[Profile.SMALL].decides
        for item in claim.forms[Profile.SMALL].measured()
    ]
    assert len(thetas) == len(set(thetas))


@pytest.mark.parametrize("count", [1, 2, 3, 8])
def test_as_many_seeds_as_have_items_of_their_own_are_planned(count: int) -> None:
    found = select(SUITE, Scale(profile=Profile.SMALL), Selection(seeds=count))
    assert {len(experiment.seeds) for experiment in found} == {count}


@pytest.mark.parametrize("count", [9, 15, 20])
def test_more_seeds_are_refused_before_anything_runs(count: int) -> None:
    with pytest.raises(UsageError, match="8 in 'ranking'") as caught:
        select(SUITE, Scale(profile=Profile.SMALL), Selection(seeds=count))
    assert "at most 8 (--seeds)" in caught.value.fix


def test_every_seed_that_an_experiment_may_have_has_a_piece_of_the_data() -> None:
    for profile in SCALED:
        for experiment in SUITE.experiments(Scale(profile=profile)):
            inner = [task.task if isinstance(task, Redrawn) else task for task in experiment.tasks.values()]
            folds = {task.items.folds for task in inner if hasattr(task, "items")}
            assert folds == ({experiment.most_seeds} if experiment.most_seeds else set())


def test_verdict_seeds_are_fresh_and_enough() -> None:
    for experiment in SUITE.experiments(Scale(profile=Profile.SMALL)):
        assert min(experiment.seeds) == SUITE.first_seed.seed == FIRST_MAIN_SEED == 200
        assert len(experiment.seeds) >= 5
        budgets = set()
        for method in experiment.methods.values():
            if isinstance(method, Tuned):
                assert not set(method.seeds) & set(experiment.seeds)
                budgets.add(len(method.seeds) * len(next(iter(method.grid.values()))))
        assert len(budgets) <= 1


def test_labels_of_every_kind_get_their_penalty_in_the_same_way() -> None:
    experiment = _by_id(Profile.SMALL)["ranking"]
    methods, draws = experiment.methods, {task.draws for task in experiment.tasks.values()}  # type: ignore[attr-defined]
    for model in ("ridge", "pairwise", "tfidf"):
        tuned = [method for name, method in methods.items() if name.startswith(model)]
        assert all(isinstance(method, Tuned) for method in tuned)
        ways = {(str(one.grid), one.select.name, one.seeds) for one in tuned if isinstance(one, Tuned)}
        assert len(ways) == 1
        assert len(ways.pop()[2]) * min(draws) >= 10, "divisions of the validation texts"


def test_claims_on_protocols_rest_on_averages_over_crowds() -> None:
    """Each arm is the one that is shown, with equal parameters: only how often it is asked differs."""
    experiments = _by_id(Profile.SMALL)
    shown = {**experiments["quality"].methods, **experiments["bias"].methods}
    redrawn = experiments["redrawn"].methods
    for name in arms.REDRAWN:
        one, other = shown[name], redrawn[name]
        assert isinstance(one, Method)
        assert isinstance(other, Method)
        assert vars(one) == vars(other)
        assert isinstance(other, type(one))
    for claim in PARTS:
        form = claim.forms[Profile.SMALL]
        if form.decides:
            assert {cell.experiment for cell in _cells(form)} <= {"redrawn", "ranking"}


def test_headlines_of_the_abstract_are_primary() -> None:
    primary = {claim.id for claim in PARTS if claim.primary}
    assert primary == {"C1a", "C1b", "C2b", "C3a", "C5a", "C5c", "C5e"}
    assert all(claim.essential and claim.forms[Profile.SMALL].decides for claim in PARTS if claim.primary)


def test_no_whole_consists_of_parts_that_cannot_make_it_fall() -> None:
    for whole in {claim.parent for claim in PARTS}:
        counted = [c for c in PARTS if c.parent == whole and c.forms[Profile.SMALL].decides]
        assert any(claim.essential for claim in counted), whole


def test_deviations_name_claims_that_exist() -> None:
    known = {claim.id for claim in SUITE.claims}
    for deviation in SUITE.deviations:
        assert set(deviation.claims) <= known
    assert len({deviation.id for deviation in SUITE.deviations}) == len(SUITE.deviations)


def test_declaring_the_suite_imports_no_heavy_library() -> None:
    code = (
        "import sys; from suites.ibws import SUITE; from harness.suite import Scale; "
        "from harness.claims import Profile; SUITE.experiments(Scale(profile=Profile.SMALL)); "
        "print([m for m in ('torch', 'transformers', 'scipy', 'pandas', 'sklearn') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
