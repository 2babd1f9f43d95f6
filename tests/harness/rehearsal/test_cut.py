"""Declarations cut down: every arm stays, and what became smaller is told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.claims import Profile
from harness.plan import Planner
from harness.rehearsal import Cut, cut_suite
from harness.suite import Scale, Timed, Tuned
from tests.harness.toy import MeanTask, Offset, Shrunk, toy_suite, tuned

SCALE = Scale(profile=Profile.GPU)


class Nothing:
    """Resources of a suite that has none."""

    def identity(self, resource: Any) -> str:
        raise AssertionError

    def blocked(self, resource: Any) -> str:
        raise AssertionError


def test_every_arm_stays_on_one_seed() -> None:
    suite = toy_suite()
    small = cut_suite(suite, Cut())
    (before,), (after,) = suite.experiments(SCALE), small.experiments(SCALE)
    assert (after.methods.keys(), after.tasks) == (before.methods.keys(), before.tasks)
    assert after.seeds == before.seeds[:1]


def test_sizes_are_cut_and_told_wherever_they_are() -> None:
    task = MeanTask(size=500, offset=Offset(value=7.0, inner=Offset(value=3.0)))
    cut = Cut({"MeanTask.size": 4, "Artifact.value": 5})
    (experiment,) = cut_suite(toy_suite(task=task), cut).experiments(SCALE)
    inner = Offset(value=3.0, minutes=10.0, memory_gb=6.0)
    outer = Offset(value=5.0, minutes=10.0, memory_gb=6.0, inner=inner)
    assert experiment.tasks == {"t": MeanTask(size=4, offset=outer)}
    assert cut.made == {"MeanTask.size": "500 → 4", "Artifact.value": "7.0 → 5"}


def test_what_is_small_enough_stays_the_same_object() -> None:
    task = MeanTask(size=3)
    cut = Cut({"MeanTask.size": 4})
    assert cut.value(task) is task
    assert cut.made == {}


def test_limits_fit_a_small_machine() -> None:
    suite = toy_suite(task=MeanTask(offset=Offset(minutes=6000.0, memory_gb=500.0)), memory_gb=400.0)
    (experiment,) = cut_suite(suite, Cut()).experiments(SCALE)
    assert (experiment.memory_gb, experiment.device_gb, experiment.minutes) == (6.0, 1.0, 10.0)
    task = experiment.tasks["t"]
    assert isinstance(task, MeanTask)
    assert task.offset is not None
    assert (task.offset.memory_gb, task.offset.minutes) == (6.0, 10.0)


def test_a_grid_keeps_its_ends() -> None:
    suite = toy_suite(methods={"tuned": tuned(), "plain": Shrunk()})
    (experiment,) = cut_suite(suite, Cut()).experiments(SCALE)
    method = experiment.methods["tuned"]
    assert isinstance(method, Tuned)
    assert (method.grid, method.seeds) == ({"factor": (0.25, 4.0)}, (1,))
    plan = Planner(Nothing()).plan(cut_suite(suite, Cut()), SCALE)
    assert [len(group.points) for group in plan.tunings] == [2]


def test_long_tuples_are_cut() -> None:
    cut = Cut({"Experiment.seeds": 2})
    (experiment,) = toy_suite(methods={"m": Shrunk()}).experiments(SCALE)
    assert cut.value(experiment).seeds == (100, 101)


def test_blocks_of_timed_experiments_are_few() -> None:
    (experiment,) = cut_suite(toy_suite(timed=Timed(blocks=20)), Cut()).experiments(SCALE)
    assert experiment.timed == Timed(blocks=1, warmup=1)


@pytest.mark.parametrize(
    ("declared", "few"),
    [(0, 0), (8, 2), ({("t", "mean"): 8, ("t", "half"): 0}, {("t", "mean"): 2, ("t", "half"): 0})],
)
def test_models_that_are_shared_are_shared_by_two(declared: Any, few: Any) -> None:
    (plain,) = toy_suite().experiments(SCALE)
    assert Cut().experiment(replace(plain, gpus=declared)).gpus == few
