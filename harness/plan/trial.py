"""What a plan consists of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from harness.method.contract import Method, Task
from harness.method.references import Artifact, Reference
from harness.plan.fingerprint import Code, Fields, combine
from harness.plan.placement import Placement
from harness.suite import Experiment, Timed, Tuned


@dataclass(frozen=True, kw_only=True)
class PlannedTrial:
    """One trial to execute.

    Attributes:
        id: ``experiment/task/method/seed``, for tuning ``…/tune/point/seed``.
        methods: The method by its id, or all arms of a timed trial.
        references: Everything it loads, inputs before outputs.
        fields: What its result depends on.
        code: The code behind it, and behind its artifacts.
        placement: Where it is computed.
        point: The grid point of a tuning trial, or the values that tuning chose.
        edge: Names of chosen values at the edge of their grid.
    """

    id: str
    experiment: Experiment
    task_id: str
    method_id: str
    seed: int
    stage: Literal["tune", "main"]
    task: Task[Any, Any]
    methods: Mapping[str, Method[Any, Any]]
    references: tuple[Reference, ...]
    fields: Fields
    code: Code = field(default_factory=Code)
    placement: Placement = field(default_factory=Placement)
    point: Mapping[str, Any] = field(default_factory=dict)
    edge: tuple[str, ...] = ()

    @cached_property
    def fingerprint(self) -> str:
        """Equal for trials that must give equal results under one environment."""
        return combine(self.fields)

    @property
    def libraries(self) -> str:
        """Changes with the version of any distribution that its code imports."""
        return self.code.versions_key

    @property
    def timed(self) -> Timed | None:
        """How to time it, if seconds are what is measured."""
        return self.experiment.timed

    @property
    def device_gb(self) -> float | None:
        """Memory in GB that its models need on the computing device, if that is declared."""
        return self.experiment.device_need(self.task_id, self.methods)

    @property
    def gpus(self) -> int:
        """GPUs that it has for itself, or 0 where ``device_gb`` says what it takes of one."""
        return self.experiment.gpu_count(self.task_id, self.methods)

    @property
    def artifacts(self) -> tuple[Artifact, ...]:
        """The artifacts that must be built first, in building order."""
        return tuple(ref for ref in self.references if isinstance(ref, Artifact))


@dataclass(frozen=True, kw_only=True)
class PlannedTuning:
    """Tuning trials, and the main trials that wait for their winner."""

    experiment: Experiment
    task_id: str
    method_id: str
    tuned: Tuned
    points: tuple[PlannedTrial, ...]
    seeds: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything that a run will do.

    Attributes:
        trials: Main trials that are known from the start.
        tunings: Groups of tuning trials, each with main trials to follow.
        blocked: What cannot run, with the reason: by experiment, or by
            ``experiment/task/method`` where only part of an experiment is blocked.
    """

    suite: str
    trials: tuple[PlannedTrial, ...]
    tunings: tuple[PlannedTuning, ...]
    blocked: Mapping[str, str]

    @property
    def main_ids(self) -> list[str]:
        """Ids of all main trials, those behind a tuning included."""
        waiting = [
            f"{group.experiment.id}/{group.task_id}/{group.method_id}/{seed}"
            for group in self.tunings
            for seed in group.seeds
        ]
        return [trial.id for trial in self.trials] + waiting

    @property
    def artifacts(self) -> tuple[Artifact, ...]:
        """All artifacts that are needed, in building order."""
        points = [point for group in self.tunings for point in group.points]
        return tuple(dict.fromkeys(a for trial in [*self.trials, *points] for a in trial.artifacts))
