"""Devices, precision and limits of planned trials."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from harness.claims import Profile
from harness.errors import SuiteError
from harness.plan import Plan, Planner
from harness.plan.limits import Limits
from harness.suite import Experiment, Scale, Timed, on_cpu
from tests.harness.plan.test_planner import Known
from tests.harness.toy import MeanTask, Offset, Shrunk, toy_suite

SCALE = Scale(profile=Profile.SMALL)


@dataclass(frozen=True)
class Changed:
    """The toy's experiment with other fields, and beside it one that stays on the CPU."""

    task: MeanTask
    changes: dict[str, Any]

    def __call__(self, scale: Scale) -> Sequence[Experiment]:
        (plain,) = toy_suite(task=self.task, seeds=(100,)).experiments(scale)
        plain = replace(plain, **self.changes)
        return (plain, *on_cpu([replace(plain, id="cpu", tf32="")]))


def plan(device: Any, limits: Limits | None = None, task: MeanTask | None = None, **changes: Any) -> Plan:
    suite = replace(toy_suite(), experiments=Changed(task or MeanTask(), changes))
    dtype = "bfloat16" if device == "cuda" else "float32"
    return Planner(Known(), device, dtype, limits or Limits()).plan(suite, SCALE)


def fingerprints(made: Plan) -> dict[str, str]:
    return {trial.id: trial.fingerprint for trial in made.trials}


def test_cpu_experiments_are_the_same_trials_on_every_machine() -> None:
    offset = MeanTask(offset=Offset())
    here, there = fingerprints(plan("cpu", task=offset)), fingerprints(plan("cuda", task=offset))
    assert here["cpu/t/mean/100"] == there["cpu/t/mean/100"]
    assert here["e/t/mean/100"] != there["e/t/mean/100"]
    # Which device an experiment declares is not part of a trial that runs on the CPU anyway.
    assert here["cpu/t/mean/100"] == here["e/t/mean/100"]


def test_a_rehearsal_in_another_type_keeps_cpu_experiments_as_they_will_run() -> None:
    suite = replace(toy_suite(), experiments=Changed(MeanTask(), {}))
    made = Planner(Known(), "cpu", "bfloat16").plan(suite, SCALE)
    assert {trial.id: trial.placement.dtype for trial in made.trials} == {
        "e/t/mean/100": "bfloat16",
        "e/t/half/100": "bfloat16",
        "cpu/t/mean/100": "float32",
        "cpu/t/half/100": "float32",
    }


def test_tf32_counts_on_a_gpu_only() -> None:
    assert fingerprints(plan("cpu", tf32="because")) == fingerprints(plan("cpu"))
    on_gpu, plain = plan("cuda", tf32="because"), plan("cuda")
    assert [trial.placement.tf32 for trial in on_gpu.trials] == [True, True, False, False]
    changed = {name for name, found in fingerprints(on_gpu).items() if fingerprints(plain)[name] != found}
    assert changed == {"e/t/mean/100", "e/t/half/100"}
    assert fingerprints(plan("cuda", tf32="another reason")) == fingerprints(on_gpu)


def test_an_artifact_is_built_where_what_needs_it_computes() -> None:
    made = plan("cuda", task=MeanTask(offset=Offset()), tf32="because")
    by_id = {trial.id: trial for trial in made.trials}
    inputs = {
        name: next(value for key, value in by_id[name].fields.items() if key.startswith("task input Offset"))
        for name in ("e/t/mean/100", "cpu/t/mean/100")
    }
    assert len(set(inputs.values())) == 2


HAVE = {"cpu": 32.0, "cuda": 24.0}


def test_what_cannot_fit_is_left_out_with_need_have_and_flag() -> None:
    made = plan("cuda", Limits(have_gb=HAVE), device_gb={("t", "mean"): 30.0, ("t", "half"): 10.0})
    assert set(fingerprints(made)) == {"e/t/half/100", "cpu/t/mean/100", "cpu/t/half/100"}
    reason = made.blocked["e/t/mean"]
    assert "needs about 30 GB of memory on the GPU and there are 24" in reason
    assert "--memory GB" in reason
    on_cpu_only = plan("cpu", Limits(have_gb=HAVE), device_gb=40.0)
    assert not on_cpu_only.trials
    assert "main memory" in on_cpu_only.blocked["e"]


@pytest.mark.parametrize(("memory_gb", "left"), [(20.0, 4), (28.0, 2), (40.0, 2)])
def test_the_users_word_replaces_what_is_declared(memory_gb: float, left: int) -> None:
    """Of the GPU, that is: 40 GB of its memory leave out nothing that runs beside it on the CPU."""
    made = plan("cuda", Limits(memory_gb=memory_gb, device="cuda", have_gb=HAVE), device_gb=30.0)
    assert len(made.trials) == left


def test_what_is_not_known_refuses_nothing() -> None:
    assert len(plan("cuda", Limits(), device_gb=1000.0).trials) == 4
    assert len(plan("cuda", Limits(have_gb=HAVE)).trials) == 4


def test_an_artifact_that_cannot_be_built_leaves_its_trials_out() -> None:
    made = plan("cpu", Limits(have_gb=HAVE), task=MeanTask(offset=Offset(device_gb=64.0)))
    assert not made.trials
    assert "its artifact 'offset' cannot be built: it needs about 64 GB" in made.blocked["e"]


def test_limits_of_artifacts_are_no_part_of_their_identity() -> None:
    small, large = Offset(), Offset(memory_gb=100.0, device_gb=3.0, minutes=90.0)
    tasks = [MeanTask(offset=offset) for offset in (small, large)]
    assert fingerprints(plan("cpu", task=tasks[0])) == fingerprints(plan("cpu", task=tasks[1]))


def test_the_arms_of_a_timed_trial_need_what_the_largest_needs() -> None:
    (experiment,) = toy_suite(methods={"a": Shrunk(), "b": Shrunk()}).experiments(SCALE)
    several = replace(experiment, device_gb={("t", "a"): 3.0, ("t", "b"): 7.0})
    assert several.device_need("t", ["a", "b"]) == 7.0
    assert several.device_need("t", ["c"]) is None


@pytest.mark.parametrize(
    ("limits", "device", "declared", "expected"),
    [
        (Limits(), "cpu", (6.0, None), 6.0),
        (Limits(), "cpu", (6.0, 10.0), 16.0),
        (Limits(), "cuda", (6.0, 10.0), 16.0),
        (Limits(memory_gb=3.0), "cpu", (6.0, 10.0), 3.0),
        (Limits(memory_gb=3.0), "cuda", (6.0, 10.0), 16.0),
        (Limits(memory_gb=80.0), "cuda", (6.0, 10.0), 80.0),
        (Limits(memory_gb=80.0, device="cuda"), "cpu", (6.0, 10.0), 80.0),
        (Limits(memory_gb=3.0, device="cuda"), "cpu", (6.0, 10.0), 16.0),
    ],
)
def test_main_memory_is_limited_by_what_is_declared_or_said(
    limits: Limits, device: str, declared: tuple[float, float | None], expected: float
) -> None:
    assert limits.main_gb(device, *declared) == expected


def test_more_gpus_than_there_are_will_never_fit_and_are_told_before() -> None:
    asked = {("t", "mean"): 4, ("t", "half"): 2}
    two = Limits(have_gb=HAVE, have_gpus=2)
    experiment = {"gpus": asked}
    suite = replace(toy_suite(), experiments=_Alone(experiment))
    made = Planner(Known(), "cuda", "bfloat16", two).plan(suite, SCALE)
    assert {trial.id: trial.gpus for trial in made.trials} == {"e/t/half/100": 2}
    assert "it needs 4 GPUs and there are 2, so it will never fit here" in made.blocked["e/t/mean"]
    for limits in (Limits(have_gpus=1), Limits(have_gpus=0)):
        assert not Planner(Known(), "cuda", "bfloat16", limits).plan(suite, SCALE).trials
    # What is not known refuses nothing, and on the CPU there are processes.
    for device, limits in (("cuda", Limits()), ("cpu", two)):
        assert len(Planner(Known(), device, "float32", limits).plan(suite, SCALE).trials) == 2  # type: ignore[arg-type]


def test_memory_is_divided_among_gpus() -> None:
    suite = replace(toy_suite(), experiments=_Alone({"gpus": {("t", "mean"): 2}, "device_gb": 40.0}))
    made = Planner(Known(), "cuda", "bfloat16", Limits(have_gb=HAVE, have_gpus=2)).plan(suite, SCALE)
    assert list(fingerprints(made)) == ["e/t/mean/100"]
    assert "needs about 40 GB" in made.blocked["e/t/half"]


def test_a_number_of_gpus_is_part_of_what_a_result_depends_on() -> None:
    plain, two, three = (
        fingerprints(Planner(Known()).plan(replace(toy_suite(), experiments=_Alone({"gpus": count})), SCALE))
        for count in (0, 2, {("t", "mean"): 3})
    )
    assert len({found["e/t/mean/100"] for found in (plain, two, three)}) == 3
    assert three["e/t/half/100"] == plain["e/t/half/100"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"gpus": 1}, "cannot have 1 GPUs"),
        ({"gpus": -2}, "cannot have -2 GPUs"),
        ({"gpus": 2.0}, "cannot have 2.0 GPUs"),
        ({"gpus": True}, "cannot have True GPUs"),
        ({"gpus": {("t", "mean"): "4"}}, "cannot have '4' GPUs"),
        ({"gpus": 2, "device": "cpu"}, "kept on the CPU and asks for GPUs"),
        ({"gpus": 2, "timed": Timed()}, "Times are measured on one device"),
    ],
)
def test_numbers_of_gpus_that_mean_nothing_are_refused(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(SuiteError, match=told):
        Planner(Known()).plan(replace(toy_suite(), experiments=_Alone(changes)), SCALE)


@dataclass(frozen=True)
class _Alone:
    """The toy's experiment with other fields."""

    changes: dict[str, Any]

    def __call__(self, scale: Scale) -> Sequence[Experiment]:
        (plain,) = toy_suite(seeds=(100,)).experiments(scale)
        return (replace(plain, **self.changes),)
