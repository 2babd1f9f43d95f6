"""The declaration of the suite."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.claims import MEASURED, Equivalence, NotComparable, NotRun, Profile, StatisticalForm
from harness.method import Artifact, Resource
from harness.plan.references import all_references
from harness.suite import Experiment, Scale, Standing
from methods.il_bench.method import LSP, LongPrompt
from methods.il_bench.models import Named, SurrogateWriter
from methods.il_bench.sabotage import Sabotaged
from methods.il_bench.task import SynTreeTask
from suites.il_bench import SUITE
from suites.il_bench.arms import SABOTAGED, SINGLES
from suites.il_bench.cells import SIZES, tree

FORMS = {claim.id: claim.forms for claim in SUITE.claims}
SMALL = {one.id: one for one in SUITE.experiments(Scale(profile=Profile.SMALL))}


def test_all_claims_of_the_paper_are_there_and_can_be_killed() -> None:
    assert {f"C{number}" for number in range(1, 12)} <= {claim.parent or claim.id for claim in SUITE.claims}
    killed = {name for control in SUITE.controls for name, what in control.predicts.items() if what == "kill"}
    for profile in MEASURED:
        judged = {
            name
            for name, forms in FORMS.items()
            if not isinstance(forms.get(profile), NotComparable | NotRun | None)
        }
        assert judged <= killed


def test_no_number_of_the_paper_is_made_up() -> None:
    assert all(row.value is None for row in SUITE.paper.reported.values())
    verified = {name for name, row in SUITE.paper.reported.items() if row.standing is Standing.VERIFIED}
    assert verified == {"prompting", "vision", "transfer", "humans", "shift"}


def test_what_surrogates_and_our_transformers_build_in_is_never_counted() -> None:
    decided = {
        name for name, forms in FORMS.items() if Profile.SMALL in forms and forms[Profile.SMALL].decides
    }
    assert decided == {"C7a", "C7b", "C8b", "C8c"}
    assert all(isinstance(form, NotRun) for form in FORMS["C2"].values())
    assert isinstance(FORMS["C10"][Profile.GPU], Equivalence)


def test_theorems_and_identities_are_shown_and_never_counted() -> None:
    for name in ("C4", "C5a", "C8a", "C9"):
        assert all(isinstance(form, NotComparable) for form in FORMS[name].values())


@pytest.mark.parametrize("profile", MEASURED)
def test_no_two_claims_ask_for_one_quantity(profile: Profile) -> None:
    thetas = [
        str(item.theta)
        for forms in FORMS.values()
        if profile in forms and forms[profile].decides
        for item in forms[profile].measured()
    ]
    assert len(thetas) == len(set(thetas))


def test_no_control_puts_a_baseline_in_the_place_of_the_method() -> None:
    broken = {name for control in SUITE.controls for name in control.replaces.values()}
    assert broken - {"lsp"} <= {arm.method for arm in SABOTAGED}
    assert {control.id for control in SUITE.controls if "lsp" in control.replaces.values()} == {"taught"}


def test_single_instructions_may_be_as_long_as_a_whole_program() -> None:
    methods = SMALL["neural"].methods
    assert set(SINGLES) <= set(methods)
    longest = methods["long-24"]
    assert isinstance(longest, LongPrompt)
    lsp = methods["lsp"]
    assert isinstance(lsp, LSP)
    assert longest.rules >= lsp.expansions * lsp.rules


@pytest.mark.parametrize("profile", MEASURED)
def test_every_search_has_the_budget_of_the_program(profile: Profile) -> None:
    for experiment in SUITE.experiments(Scale(profile=profile)):
        tasks = [task for task in experiment.tasks.values() if isinstance(task, SynTreeTask)]
        lsp = experiment.methods.get("lsp")
        if tasks and isinstance(lsp, LSP):
            assert {task.budget for task in tasks} == {lsp.expansions * lsp.proposals}
            for name in ("lsp-shuffled", "lsp-crossed"):
                broken = experiment.methods.get(name)
                if isinstance(broken, Sabotaged):
                    assert (broken.expansions, broken.proposals) == (lsp.expansions, lsp.proposals)


def test_depths_are_comparable() -> None:
    for depth, (variables, labels) in SIZES.items():
        for name in ("surrogate", "neural"):
            task = SMALL[name].tasks[tree(depth)]
            assert isinstance(task, SynTreeTask)
            assert (task.depth, task.variables, task.labels) == (depth, variables, labels)


def test_verdicts_have_enough_seeds() -> None:
    for experiment in SMALL.values():
        assert len(experiment.seeds) >= 5


def _resources(experiments: list[Experiment]) -> Iterator[Resource]:
    for experiment in experiments:
        for holder in (*experiment.tasks.values(), *experiment.methods.values()):
            for reference in all_references(holder):
                assert isinstance(reference, Resource | Artifact)
                if isinstance(reference, Resource):
                    yield reference


def test_small_needs_nothing_but_a_package_and_smoke_nothing_at_all() -> None:
    assert {one.name for one in _resources(list(SMALL.values()))} == {"all-minilm-l6-v2"}
    smoke = SUITE.experiments(Scale(profile=Profile.SMOKE))
    assert list(_resources(list(smoke))) == []
    judged = [form for forms in FORMS.values() for p, form in forms.items() if p is Profile.SMOKE]
    assert not any(isinstance(form, StatisticalForm) for form in judged)


def test_large_models_are_named_by_the_user_and_write_for_themselves() -> None:
    roles = {SUITE.bindings[role]: role for role in SUITE.served.roles}
    asked = set()
    for experiment in SUITE.experiments(Scale(profile=Profile.PAPER)):
        for task in experiment.tasks.values():
            if isinstance(task, SynTreeTask):
                assert isinstance(task.writer, Named | SurrogateWriter)
                assert isinstance(task.reader, Named)
        for one in _resources([experiment]):
            if one.name in roles:
                # A server is asked for what each experiment needs of it.
                assert SUITE.served.roles[roles[one.name]].needs[experiment.id]
                asked.add(roles[one.name])
    assert asked == {"stronger", "weaker"}


def test_headlines_of_the_abstract_are_primary_and_left_to_language_models() -> None:
    primary = {claim.id: claim for claim in SUITE.claims if claim.primary}
    assert set(primary) == {"C1b", "C3a", "C3b", "C5b", "C5c"}
    for claim in primary.values():
        assert claim.essential
        assert not claim.forms[Profile.SMALL].decides
        assert claim.forms[Profile.GPU].decides
