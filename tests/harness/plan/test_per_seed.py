"""Artifacts of which each seed has its own: planned, fingerprinted and named by seed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from harness.declared.gating import on_artifacts
from harness.errors import SuiteError
from harness.evidence.scope import scope_of
from harness.method import Artifact, PerSeed, param
from harness.plan import Plan, Planner
from harness.plan.limits import Limits
from harness.plan.references import all_references, bound
from harness.store.records import Provenance, RunRecord
from tests.harness.plan.test_planner import SCALE, Known
from tests.harness.toy import MeanTask, Offset, Shrunk, toy_suite, tuned


@dataclass(frozen=True, kw_only=True)
class Own(Offset):
    """An offset for one seed."""

    own_seed: int = param(0, source="ours")


INNER = Offset(value=3.0)
EACH = PerSeed(artifact=Own(inner=INNER), seed_field="own_seed")


def task(offset: Any = EACH) -> MeanTask:
    return MeanTask(offset=offset)


def planned(seeds: tuple[int, ...], **settings: Any) -> Plan:
    return Planner(Known()).plan(toy_suite(seeds=seeds, task=task(), **settings), SCALE)


def test_a_trial_needs_the_artifact_of_its_seed_and_what_that_is_built_from() -> None:
    for trial in planned((100, 101)).trials:
        assert trial.artifacts == (INNER, Own(inner=INNER, own_seed=trial.seed))
        assert trial.task == task(Own(inner=INNER, own_seed=trial.seed))
    assert len(planned((100, 101)).artifacts) == 3


def test_seeds_of_tuning_have_theirs() -> None:
    plan = planned((100,), methods={"tuned": tuned()})
    needed = {point.seed: point.artifacts[-1] for group in plan.tunings for point in group.points}
    assert needed == {seed: Own(inner=INNER, own_seed=seed) for seed in (1, 2)}
    assert not any(trial.seed == 100 for trial in plan.trials), "its main trials wait for the winner"


def test_a_trial_is_the_same_whatever_other_seeds_are_planned() -> None:
    alone = {trial.id: trial.fingerprint for trial in planned((100,)).trials}
    among = {trial.id: trial.fingerprint for trial in planned((100, 101, 102)).trials}
    assert alone.items() <= among.items()
    assert len(set(among.values())) == len(among)


def test_the_artifact_of_a_seed_may_hold_others_of_its_seed() -> None:
    nested = PerSeed(artifact=Offset(inner=EACH), seed_field="value")  # type: ignore[arg-type]
    assert bound(nested, 7) == Offset(value=7, inner=Own(inner=INNER, own_seed=7))
    assert all_references(nested) == [INNER, EACH, nested]


def test_one_of_all_seeds_may_not() -> None:
    suite = toy_suite(task=task(Offset(inner=EACH)))  # type: ignore[arg-type]
    with pytest.raises(SuiteError, match="input that belongs to one"):
        Planner(Known()).plan(suite, SCALE)


def test_the_seed_needs_a_field() -> None:
    with pytest.raises(SuiteError, match="no field 'sead'") as caught:
        PerSeed(artifact=Own(), seed_field="sead")
    assert "own_seed" in str(caught.value)


@pytest.mark.parametrize("wrap", [tuple, list, set, frozenset, lambda items: {"a": items[0]}])
def test_binding_reaches_into_collections(wrap: Any) -> None:
    assert bound(wrap([EACH]), 5) == wrap([EACH.of(5)])


@pytest.mark.parametrize("value", [task(INNER), (1, "a"), [1], {"a": 1}, frozenset({1}), MeanTask, None])
def test_what_has_nothing_of_a_seed_stays_the_same_object(value: Any) -> None:
    assert bound(value, 5) is value


def test_an_artifact_that_does_not_fit_blocks_what_needs_it() -> None:
    heavy = replace(EACH, artifact=Own(device_gb=80.0))
    planner = Planner(Known(), limits=Limits(have_gb={"cpu": 8.0}))
    assert "cannot be built" in planner.plan(toy_suite(task=task(heavy)), SCALE).blocked["e"]


@pytest.mark.parametrize(
    ("offset", "shared", "said"),
    [
        (Offset(), True, "for this model: offset"),
        (replace(EACH, artifact=Own()), False, ""),
        # What they are all built from is shared by all seeds.
        (EACH, True, ""),
    ],
)
def test_what_seeds_do_not_share_is_not_said_to_be_shared(
    offset: Artifact | PerSeed,
    shared: bool,  # noqa: FBT001
    said: str,
) -> None:
    suite = toy_suite(methods={"mean": Shrunk(), "half": Shrunk(factor=0.5)}, task=task(offset))
    assert bool(on_artifacts(suite, SCALE)) is shared
    form = suite.claims[0].forms[SCALE.profile]
    made = Provenance(created="now", command=[], corroborate="0")
    record = RunRecord(run="r", suite="toy", profile="small", claims_sha256="", provenance=made)
    told = scope_of(suite, SCALE, form, record)
    assert said in told
    assert ("for this model" in told) is bool(said)


def test_it_loads_as_its_artifacts_do(tmp_path: Path) -> None:
    (tmp_path / "offset.json").write_text("2.5")
    assert EACH.load(tmp_path) == 2.5
