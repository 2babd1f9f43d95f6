"""The declaration of the suite."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.claims import MEASURED, Direction, EveryCell, NotComparable, NotRun, Profile, Replication
from harness.plan.references import bound
from harness.plan.selection import cells_of
from harness.suite import Scale, Standing, Tuned
from methods.common.causal_lm import Checkpoint
from methods.kaft.facts import WORDINGS, collect
from methods.kaft.method import FineTuned, Kaft
from methods.kaft.task import FactReading, WorldReading
from suites.kaft import SUITE
from suites.kaft.arms import COMMON_RATES, SABOTAGES, TUNING_WORLD, UNSEEN, at_common_rate
from suites.kaft.cells import SIZES
from tests.methods.common.real_tables import atlas, elements, tables
from tests.methods.kaft.worlds import FakeContext

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
    assert {f"C{number}" for number in range(1, 14)} <= {claim.parent or claim.id for claim in SUITE.claims}


def test_numbers_nobody_could_read_are_marked() -> None:
    reported = SUITE.paper.reported
    assert reported["table"].value is None
    assert reported["gain-controllability"].standing is Standing.UNVERIFIED
    assert all(row.value is None for row in reported.values() if row.standing is Standing.VERIFIED)


def test_every_finetuned_method_has_the_same_tuning_budget() -> None:
    for profile in MEASURED:
        for experiment in SUITE.experiments(Scale(profile=profile)):
            tuned = {name: m for name, m in experiment.methods.items() if isinstance(m, Tuned)}
            budgets = {(len(m.grid["rate"]), m.seeds, m.select.name) for m in tuned.values()}
            assert len(budgets) <= 1
            steps = {m.method.steps for m in tuned.values() if isinstance(m.method, FineTuned)}
            assert len(steps) <= 1


def test_targets_are_compared_at_equal_rates() -> None:
    (world,) = (e for e in SUITE.experiments(Scale(profile=Profile.SMALL)) if e.id == "world")
    form = FORMS["C11"][Profile.SMALL]
    assert isinstance(form, Direction)
    assert {cell.method for _, cell in form.theta.terms} == {
        arm.method for rate in COMMON_RATES for arm in at_common_rate(rate)
    }
    for rate, value in COMMON_RATES.items():
        own, gold = (world.methods[f"{name}-{rate}"] for name in ("kaft", "gold"))
        assert isinstance(own, Kaft)
        assert (own.rate, own.targets) == (value, "model")
        assert replace(own, targets="gold") == gold
    for bug in SABOTAGES:
        assert world.methods[bug].rate == COMMON_RATES["higher"]  # type: ignore[union-attr]


def test_gpu_is_planned_for_minutes() -> None:
    trained = 0
    for experiment in SUITE.experiments(Scale(profile=Profile.GPU)):
        for name, method in experiment.methods.items():
            tasks = [t for t in experiment.tasks if experiment.only is None or (t, name) in experiment.only]
            if isinstance(method, Tuned):
                trained += len(tasks) * (len(method.grid["rate"]) + len(experiment.seeds))
            elif isinstance(method, FineTuned):
                trained += len(tasks) * len(experiment.seeds)
    assert trained <= 170


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("profile", MEASURED)
def test_verdicts_rest_on_worlds_that_no_rule_saw(profile: Profile, full: bool) -> None:  # noqa: FBT001
    for experiment in SUITE.experiments(Scale(profile=profile, full=full)):
        assert min(experiment.seeds) == UNSEEN.seed == 300
    assert not any(Profile.SMOKE in claim.forms for claim in SUITE.claims)


def test_each_seed_reads_of_its_own_world_in_all_sizes() -> None:
    for experiment in SUITE.experiments(Scale(profile=Profile.SMALL)):
        readings = [task for task in experiment.tasks.values() if isinstance(task, WorldReading)]
        for seed in (*experiment.seeds, TUNING_WORLD):
            for task in readings:
                own = bound(task, seed)
                assert {own.base.world, *(other.world for other in own.others)} == {seed}
                assert len({(base.layers, base.hidden) for base in (own.base, *own.others)}) == len(SIZES)


def test_tuning_worlds_are_not_judged() -> None:
    experiments = SUITE.experiments(Scale(profile=Profile.SMALL))
    tuned = [m for one in experiments for m in one.methods.values() if isinstance(m, Tuned)]
    assert tuned
    assert all(seed < 100 for method in tuned for seed in method.seeds)


@pytest.mark.parametrize("seed", range(300, 310))
def test_facts_for_a_gpu_can_be_built_for_every_seed(seed: int, tmp_path: Path) -> None:
    (planned,) = (e for e in SUITE.experiments(Scale(profile=Profile.GPU, full=True)) if e.id == "facts")
    assert set(planned.seeds) == set(range(300, 310))
    task = planned.tasks["gemma"]
    assert isinstance(task, FactReading)
    questions = collect(atlas(), elements())
    texts = [WORDINGS[fact.relation][1].format(subject=fact.subject) for fact in questions]
    known = {text: fact.aliases[0] for text, fact in zip(texts, questions, strict=True)}
    objects = dict(zip(task.countries, tables(), strict=True)) | {
        task.elements: elements(),
        task.knowledge: {"beliefs": known, "known": known},
        task.source: Checkpoint(tmp_path),
    }
    task = replace(task, recalled=None)
    for ctx in (FakeContext(objects, seed=seed), FakeContext(objects, seed=TUNING_WORLD, stage="tune")):
        problem = task.problem(ctx)
        tested = {question.entity for question in task.material(ctx).test}
        assert len(problem.train) > 150
        assert len(tested) > 10
        assert not tested & {question.entity for question in problem.train}


def test_no_control_is_a_method_that_the_claim_itself_compares() -> None:
    forms = FORMS
    for control in SUITE.controls:
        for name in control.predicts:
            for form in forms[name].values():
                cells = {cell.method for cell in cells_of(form)}
                stand_ins = {control.replaces[method] for method in cells & set(control.replaces)}
                assert not stand_ins & cells, (control.id, name)


def test_what_our_worlds_decide_is_shown_and_never_counted() -> None:
    for name in ("C1a", "C2a", "C3a", "C3b", "C3c", "C3d", "C7"):
        assert isinstance(FORMS[name][Profile.SMALL], NotComparable)
    for name in ("C1a", "C2a"):
        assert isinstance(FORMS[name][Profile.GPU], EveryCell)
        assert isinstance(FORMS[name][Profile.PAPER], EveryCell)


@pytest.mark.parametrize("name", ["C1b", "C2b"])
def test_a_fifth_is_taken_off_before_it_is_tested(name: str) -> None:
    form = FORMS[name][Profile.SMALL]
    assert isinstance(form, EveryCell)
    # θ is 0.8 − accuracy: contrasts subtract their constant.
    assert {theta.constant for theta in form.thetas} == {-0.8}
    assert form.delta < 0.2


def terms_of(name: str) -> tuple[set[tuple[float, str, str]], float]:
    """Weights, metrics and parts of the pretrained Gemma's cells, and the constant that is taken off."""
    form = FORMS[name][Profile.SMALL]
    assert isinstance(form, Direction)
    assert form.replication == Replication.UNITS
    assert not form.preconditions
    assert {cell.method for _, cell in form.theta.terms} == {"pretrained"}
    return {(weight, cell.metric.name, cell.part) for weight, cell in form.theta.terms}, form.theta.constant


def test_gemma_is_held_against_what_it_reads_and_against_chance() -> None:
    # Four fifths of what it reads of unknown facts, minus what it follows.
    assert terms_of("C1c") == ({(0.8, "accuracy", "unread"), (-1.0, "controllability", "main")}, 0.0)
    assert terms_of("C2c") == ({(1.0, "robustness by chance", "main"), (-1.0, "robustness", "main")}, 0.2)


@pytest.mark.parametrize("full", [False, True])
def test_gemma_is_finetuned_on_a_cpu_under_full_only(full: bool) -> None:  # noqa: FBT001
    planned = {e.id: e for e in SUITE.experiments(Scale(profile=Profile.SMALL, full=full))}
    assert ("facts" in planned) is full
    if full:
        methods = planned["facts"].methods
        assert {"pretrained", "relevant", "noisy", "kaft"} < set(methods)
        inner = [m.method if isinstance(m, Tuned) else m for m in methods.values()]
        assert {m.rank for m in inner if isinstance(m, FineTuned)} == {8}


def test_primary_claims_are_those_of_abstract_and_main_table() -> None:
    primary = {claim.id for claim in SUITE.claims if claim.primary}
    assert primary == {"C1b", "C2b", "C4a", "C4c", "C5a", "C5c", "C6a", "C6b"}
    assert all(isinstance(FORMS[name][Profile.SMALL], EveryCell | Direction) for name in primary)


def test_reading_is_asked_for_where_memory_cannot_answer() -> None:
    for name in ("C1b", "C2b", "C4a"):
        form = FORMS[name][Profile.SMALL]
        assert isinstance(form, EveryCell | Direction)
        ((_, cell),) = form.preconditions[0].theta.terms
        assert (cell.method, cell.part) == ("pretrained", "unread")


def test_negative_controls_are_trained_as_what_they_replace() -> None:
    for profile in (Profile.SMALL, Profile.GPU, Profile.PAPER):
        for experiment in SUITE.experiments(Scale(profile=profile)):
            plain = {name: m.method if isinstance(m, Tuned) else m for name, m in experiment.methods.items()}
            for control in SUITE.controls:
                for old, new in control.replaces.items():
                    if old == "pretrained" or {old, new} - set(plain):
                        continue
                    left, right = plain[old], plain[new]
                    assert isinstance(left, FineTuned)
                    assert isinstance(right, FineTuned)
                    assert (left.steps, left.batch, left.rank) == (right.steps, right.batch, right.rank)


@pytest.mark.parametrize("profile", [Profile.SMALL, Profile.GPU, Profile.PAPER])
def test_no_quantity_is_judged_twice(profile: Profile) -> None:
    decided = [forms[profile] for forms in FORMS.values() if profile in forms]
    thetas = [repr(item.theta) for form in decided if form.decides for item in form.measured()]
    assert len(set(thetas)) == len(thetas)
