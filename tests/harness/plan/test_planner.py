"""Plans: which trials, under which names and fingerprints."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.claims import Profile
from harness.errors import SuiteError, UsageError
from harness.method import MirrorSource, Resource
from harness.plan import Plan, Planner, Selection
from harness.plan.canonical import canonical_text
from harness.plan.fingerprint import combine, differences
from harness.plan.stored import dump_fields, load_fields
from harness.suite import Scale
from tests.harness.toy import Bad, MeanTask, Noisy, Offset, Shrunk, toy_suite, tuned

SCALE = Scale(profile=Profile.SMALL)
DATA = Resource(name="data", kind="dataset", licence="MIT", version="1", sources=(MirrorSource("data"),))


@dataclass
class Known:
    """Resources as a planner sees them."""

    identities: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    def identity(self, resource: Resource) -> str:
        return self.identities.get(resource.name, "as pinned")

    def blocked(self, resource: Resource) -> str:
        return self.missing.get(resource.name, "")


def plan(selection: Selection | None = None, known: Known | None = None, **settings: Any) -> Plan:
    return Planner(known or Known()).plan(toy_suite(**settings), SCALE, selection)


def fingerprints(made: Plan) -> dict[str, str]:
    return {trial.id: trial.fingerprint for trial in made.trials}


def test_every_method_runs_under_every_seed() -> None:
    assert [trial.id for trial in plan(seeds=(100, 101)).trials] == [
        "e/t/mean/100",
        "e/t/mean/101",
        "e/t/half/100",
        "e/t/half/101",
    ]


def test_fingerprints_do_not_depend_on_order_or_company() -> None:
    forward = plan(methods={"mean": Shrunk(), "half": Shrunk(factor=0.5), "noisy": Noisy()})
    backward = plan(methods={"noisy": Noisy(), "half": Shrunk(factor=0.5), "mean": Shrunk()})
    alone = plan(methods={"mean": Shrunk()})
    assert fingerprints(forward) == fingerprints(backward)
    assert fingerprints(alone).items() <= fingerprints(forward).items()


def test_a_fingerprint_changes_with_whatever_a_result_depends_on() -> None:
    base = fingerprints(plan())["e/t/mean/100"]
    others = [
        plan(methods={"mean": Shrunk(factor=1.01)}),
        plan(task=MeanTask(size=21)),
        plan(task=MeanTask(offset=Offset())),
        plan(task=MeanTask(offset=Offset(value=1.5))),
        plan(task=MeanTask(data=DATA)),
        plan(task=MeanTask(data=DATA), known=Known(identities={"data": "changed"})),
        Planner(Known(), device="cuda").plan(toy_suite(), SCALE),
        Planner(Known(), dtype="bfloat16").plan(toy_suite(), SCALE),
        Planner(Known()).plan(toy_suite(), Scale(profile=Profile.SMOKE)),
    ]
    found = [fingerprints(other)["e/t/mean/100"] for other in others] + [base]
    assert len(set(found)) == len(found)


def test_wider_grids_share_trials_and_limits_do_not_matter() -> None:
    full = Planner(Known()).plan(toy_suite(minutes=9.0), Scale(profile=Profile.SMALL, full=True))
    assert fingerprints(full) == fingerprints(plan())


def test_differences_name_the_field() -> None:
    one, two = plan().trials[0], plan(task=MeanTask(size=21)).trials[0]
    changed = differences(one.fields, two.fields)
    assert list(changed) == ["task parameters"]
    assert '"size":20' in changed["task parameters"][0]
    assert combine(one.fields) == one.fingerprint


def test_fields_survive_storing() -> None:
    trials = plan().trials
    stored = load_fields(dump_fields(trials))
    assert stored.fields == {trial.id: trial.fields for trial in trials}


def test_a_missing_resource_blocks_only_what_needs_it() -> None:
    known = Known(missing={"data": "it is gone"})
    assert plan(known=known, task=MeanTask(data=DATA)).blocked == {"e": "it is gone"}
    inside = MeanTask(offset=Offset(inner=None))
    assert plan(known=known, task=inside).blocked == {}


def test_a_claim_selects_what_it_measures() -> None:
    methods = {"mean": Shrunk(), "half": Shrunk(factor=0.5), "noisy": Noisy()}
    made = plan(Selection(claims=("C1",)), methods=methods)
    assert {trial.method_id for trial in made.trials} == {"mean", "half"}


@pytest.mark.parametrize(("count", "seeds"), [(2, {100, 101}), (6, {100, 101, 102, 103, 104, 105})])
def test_seeds_are_taken_from_the_front_and_continued(count: int, seeds: set[int]) -> None:
    assert {trial.seed for trial in plan(Selection(seeds=count)).trials} == seeds


def test_methods_from_outside_join_where_they_fit() -> None:
    made = plan(Selection(added={"mine": Bad()}))
    assert "e/t/mine/100" in fingerprints(made)
    assert "e/t/mine/100" in fingerprints(plan(Selection(added={"mine": Bad()}, claims=("C1",))))


def test_a_method_from_outside_that_nothing_would_run_is_refused() -> None:
    stranger = type("Stranger", (Bad,), {"problem_type": dict})
    with pytest.raises(UsageError, match="type builtins:dict, and no experiment of toy") as refused:
        plan(Selection(added={"mine": Bad(), "other": stranger()}))
    assert "tests.harness.toy:Numbers" in refused.value.fix
    with pytest.raises(UsageError, match="'mine' takes no part") as refused:
        plan(Selection(added={"mine": Bad()}, methods=("mean",)))
    assert "--methods mean,mine" in refused.value.fix


def test_settings_change_a_method_and_shorten_its_grid() -> None:
    made = plan(Selection(settings={"mean": {"factor": 2.0}}), methods={"mean": tuned()})
    assert made.tunings == ()
    methods = [method for trial in made.trials for method in trial.methods.values()]
    assert {getattr(method, "factor", None) for method in methods} == {2.0}


def test_settings_leave_a_method_that_lacks_the_parameter() -> None:
    methods = {"mean": Shrunk(), "noisy": Noisy()}
    changed = plan(Selection(settings={"noisy": {"factor": 2.0}}), methods=methods)
    assert fingerprints(changed) == fingerprints(plan(methods=methods))


def test_tuning_seeds_may_not_judge() -> None:
    with pytest.raises(SuiteError, match="both tune and judge"):
        plan(methods={"mean": replace(tuned(), seeds=(100,))})


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(values, st.randoms(use_true_random=False))
def test_canonical_text_ignores_the_order_of_insertion(value: object, chance: random.Random) -> None:
    def shuffled(item: object) -> object:
        if isinstance(item, dict):
            entries = [(key, shuffled(inner)) for key, inner in item.items()]
            chance.shuffle(entries)
            return dict(entries)
        return [shuffled(inner) for inner in item] if isinstance(item, list) else item

    assert canonical_text(shuffled(value)) == canonical_text(value)


def test_canonical_text_tells_kinds_apart() -> None:
    texts = [canonical_text(value) for value in (1, 1.0, "1", True, None, [1], {"1": 1}, Shrunk(), Noisy())]
    assert len(set(texts)) == len(texts)
    with pytest.raises(SuiteError, match="cannot be fingerprinted"):
        canonical_text(object())
