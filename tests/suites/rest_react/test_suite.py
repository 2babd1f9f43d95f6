"""The declaration of the suite."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from harness.claims import (
    MEASURED,
    Cell,
    Direction,
    Equivalence,
    NonInferiority,
    NotComparable,
    NotRun,
    Profile,
    Replication,
)
from harness.declared.gating import on_artifacts
from harness.plan.displayed import made_for, planned_rows, planned_series
from harness.plan.references import bound
from harness.plan.selection import cells_of
from harness.suite import Experiment, Scale, Standing
from methods.rest_react.cloning import Cloning
from methods.rest_react.measures import FALL
from methods.rest_react.method import Pilot, Prompted, SelfImprove
from methods.rest_react.sabotage import StandIn
from methods.rest_react.task import WorldAgents
from suites.rest_react import SUITE
from suites.rest_react.cells import PAIRS_RIGHT
from suites.rest_react.rules import STILL


def _planned(scale: Scale) -> dict[str, Experiment]:
    return {experiment.id: experiment for experiment in SUITE.experiments(scale)}


SMALL = _planned(Scale(profile=Profile.SMALL))


def test_all_claims_of_the_paper_are_there() -> None:
    assert {f"C{number}" for number in range(1, 14)} <= {claim.parent or claim.id for claim in SUITE.claims}


@pytest.mark.parametrize("profile", MEASURED)
def test_every_claim_that_counts_can_be_killed(profile: Profile) -> None:
    killed = {name for control in SUITE.controls for name, what in control.predicts.items() if what == "kill"}
    judged = {
        claim.id
        for claim in SUITE.claims
        if not isinstance(claim.forms.get(profile), NotComparable | NotRun | None)
    }
    assert judged <= killed
    assert len(judged) >= (20 if profile is Profile.PAPER else 10)


def test_with_a_scripted_ranker_no_verdict_says_that_labels_are_not_needed() -> None:
    forms = {claim.id: claim.forms for claim in SUITE.claims}
    for name in ("C11a", "C11b"):
        for profile in (Profile.SMALL, Profile.GPU):
            assert isinstance(forms[name][profile], NotComparable)
        assert not isinstance(forms[name][Profile.PAPER], NotComparable)


SHOWN = ("C1a", "C1b", "C2a", "C2c", "C4b", "C4c", "C9a", "C10a", "C10c", "C12a", "C12b")
"""What the script that ranks, or the one that errs, decides beforehand."""


@pytest.mark.parametrize("name", SHOWN)
def test_what_a_script_decides_is_shown_only(name: str) -> None:
    forms = {claim.id: claim.forms for claim in SUITE.claims}[name]
    assert forms[Profile.PAPER].decides
    for profile in (Profile.SMALL, Profile.GPU):
        assert isinstance(forms[profile], NotComparable)


def test_no_agent_without_ranked_targets_is_compared_with_one_that_has_them() -> None:
    """Where a script ranks, counted claims about accuracy lie between agents of one kind."""
    ranked = {"rest", "oracle", "noise"}
    for claim in SUITE.claims:
        form = claim.forms.get(Profile.SMALL)
        if isinstance(form, Direction | NonInferiority | Equivalence) and claim.id != "C9c":
            methods = {cell.method for cell in cells_of(form.theta) if cell.experiment == "agents"}
            assert methods <= ranked or not methods & ranked, claim.id


def test_copies_are_ranked_and_trained_as_self_improvement_s_data() -> None:
    wide = _planned(Scale(profile=Profile.SMALL, full=True))
    main, copied = (wide["agents"].methods[name] for name in ("rest", "copied"))
    assert _differing(main, copied) <= {"sizes", "everywhere", "shown"}


def test_counted_claims_about_toy_agents_ask_whether_these_had_settled() -> None:
    """The threshold is the one that training goes by, and every agent of such a claim is asked about."""
    assert Cloning().least == STILL
    for claim in SUITE.claims:
        form = claim.forms.get(Profile.SMALL)
        if isinstance(form, NotComparable | NotRun | None):
            continue
        asked = [
            cell
            for one in form.preconditions  # type: ignore[attr-defined]
            for cell in cells_of(one.theta)
            if cell.metric == FALL
        ]
        trained = {(cell.method, cell.part) for cell in cells_of(form) if cell.part != "agents"}
        compared = {(cell.method, dict(cell.where)["unit_id"]) for cell in asked}
        room_only = {("prompted", "gen0-L")}
        assert trained - room_only <= compared, claim.id
        for one in form.preconditions:  # type: ignore[attr-defined]
            if {cell.metric for cell in cells_of(one.theta)} == {FALL}:
                assert one.below == STILL


def test_only_toy_agents_in_generated_worlds_are_asked() -> None:
    for profile in (Profile.GPU, Profile.PAPER):
        for claim in SUITE.claims:
            cells = cells_of([claim.forms.get(profile)])
            assert FALL not in {cell.metric for cell in cells}, claim.id


def test_exams_of_generation_0_are_those_of_the_trials() -> None:
    task = SMALL["agents"].tasks["worlds"]
    assert isinstance(task, WorldAgents)
    for name in ("prompted", "one-size", "unchecked", "astray"):
        method = SMALL["agents"].methods[name]
        assert isinstance(method, Prompted | StandIn)
        for seed in SMALL["agents"].seeds:
            exams = bound(method, seed).sat
            assert exams.seed == exams.task.generation_0.seed == seed
            assert exams.task == bound(task, seed)


def test_every_seed_has_a_generation_0_of_its_own() -> None:
    task = SMALL["agents"].tasks["worlds"]
    assert isinstance(task, WorldAgents)
    seeds = SMALL["agents"].seeds
    assert len(seeds) >= 5
    assert [bound(task, seed).generation_0.seed for seed in seeds] == list(seeds)
    assert not on_artifacts(SUITE, Scale(profile=Profile.SMALL)), "nothing built is shared by all seeds"


def test_arms_differ_from_self_improvement_in_what_they_are_named_for() -> None:
    wide = _planned(Scale(profile=Profile.SMALL, full=True))
    methods = wide["agents"].methods
    main = methods["rest"]
    assert isinstance(main, SelfImprove)
    whole = {"sizes", "subsets", "everywhere", "shown"}
    alone = {"noise": "noise", "oracle": "ranker", "no-ranker": "ranker", "random": "ranker"}
    for name, what in alone.items():
        assert type(methods[name]) is SelfImprove
        assert _differing(main, methods[name]) - whole - {"generations"} == {what}
    assert _differing(methods["pilot"], methods["pilot-all"]) <= {"removed", "sizes"}
    assert isinstance(methods["pilot"], Pilot)


def _differing(left: object, right: object) -> set[str]:
    return {
        field.name
        for field in fields(left)  # type: ignore[arg-type]
        if getattr(left, field.name) != getattr(right, field.name)
    }


def test_the_sweep_is_in_order_of_the_rankers_accuracy() -> None:
    shares = list(PAIRS_RIGHT.values())
    assert shares == sorted(shares)
    assert PAIRS_RIGHT["rest"] == pytest.approx(0.921, abs=0.001)
    wide = _planned(Scale(profile=Profile.SMALL, full=True))
    assert set(PAIRS_RIGHT) <= set(wide["agents"].methods)


def test_worlds_are_the_replicates_where_they_are_drawn_again() -> None:
    for claim in SUITE.claims:
        form = claim.forms.get(Profile.SMALL)
        if getattr(form, "replication", None) is not None:
            assert form.replication is Replication.SEEDS, claim.id  # type: ignore[union-attr]


def test_small_needs_no_mirror_and_no_hub() -> None:
    task = SMALL["agents"].tasks["worlds"]
    assert isinstance(task, WorldAgents)
    sources = {type(s).__name__ for table in task.facts for s in table.sources}  # type: ignore[attr-defined]
    assert sources == {"PackageSource"}


def test_sample_views_show_agents_that_keep_their_trajectories() -> None:
    for view in SUITE.sample_views:
        method = SMALL[view.experiment].methods[view.method]
        assert view.part.removesuffix("#steps") in method.shown  # type: ignore[union-attr]


def test_the_paper_s_tables_are_complete_and_verified() -> None:
    reported = SUITE.paper.reported
    for name in ("t1-gen2-l", "t2-bamtwoogle-gen2-xs", "t3-gen2-4x", "t4-gen1-xs"):
        assert reported[name].standing is Standing.VERIFIED
    for table, count in {"t1": 19, "t3": 18, "t4": 30}.items():
        assert (
            sum(name.startswith(f"{table}-") and row.value is not None for name, row in reported.items())
            >= count
        )
    # Table 4's brackets are Table 1 minus Table 4.
    for name in [key for key in reported if key.endswith("-gain")]:
        final, draft = (
            reported[name.replace("t4", "t1").removesuffix("-gain")],
            reported[name.removesuffix("-gain")],
        )
        assert final.value is not None
        assert draft.value is not None
        assert reported[name].value == pytest.approx(final.value - draft.value, abs=0.01)


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("profile", MEASURED)
def test_wherever_an_agent_is_read_it_is_trained(profile: Profile, *, full: bool) -> None:
    """Parts are named after agents: no cell may read one that its method does not have."""
    scale = Scale(profile=profile, full=full)
    experiments = _planned(scale)
    rules = [claim.forms.get(profile) for claim in SUITE.claims]
    rows = [
        row.entries
        for table in made_for(SUITE.tables, profile)
        for row in planned_rows(table, scale, experiments)
    ]
    points = [
        series.points
        for figure in made_for(SUITE.figures, profile)
        for series in planned_series(figure, scale, experiments)
    ]
    entries = [entry for row in rows for entry in row.values()]
    shown = [cell for cell in cells_of([*entries, *points]) if cell.experiment == "agents"]
    ruled = [cell for cell in cells_of(rules) if cell.experiment == "agents"]
    assert len(shown) + len(ruled) > 100
    methods = experiments["agents"].methods
    # A claim may read what is trained with --full only, and has no numbers without; displays may not.
    wider = _planned(replace(scale, full=True))["agents"].methods
    for cell in shown:
        assert _trains(methods[cell.method], cell), cell
    for cell in ruled:
        assert _trains((methods if cell.method in methods else wider)[cell.method], cell), cell


def _trains(method: object, cell: Cell) -> bool:
    name = cell.part if cell.part != "agents" else str(dict(cell.where).get("unit_id", ""))
    if not name or cell.part == "data":
        return True
    agent, _, exam = name.partition("@")
    generation, *middle, size = agent.split("-")
    if exam and agent not in method.everywhere:  # type: ignore[attr-defined]
        return False
    if isinstance(method, SelfImprove):
        enough = not middle or int(middle[0].removesuffix("x")) in method.subsets
        return enough and size in method.sizes and int(generation.removeprefix("gen")) <= method.generations
    assert isinstance(method, Pilot | Prompted)
    return size in method.sizes and generation == ("pilot" if isinstance(method, Pilot) else "gen0")


def test_generated_worlds_show_the_largest_agent_s_pilot_with_full_only() -> None:
    (table,) = [item for item in SUITE.tables if item.id == "agents"]
    shown = {
        (profile, full): "pilot-L" in {row.label for row in planned_rows(table, scale, _planned(scale))}
        for profile in MEASURED
        for full in (False, True)
        for scale in [Scale(profile=profile, full=full)]
    }
    assert {at for at, there in shown.items() if there} == {
        (Profile.SMALL, True),
        (Profile.PAPER, False),
        (Profile.PAPER, True),
    }
