"""From a suite and a scale to trials, each with a fingerprint."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Literal, Protocol

from harness.claims.quantity import CALIBRATION
from harness.errors import SuiteError
from harness.method.contract import Method, Task
from harness.method.references import Artifact, PerSeed, Reference, Resource
from harness.plan.carried import experiment_faults
from harness.plan.declarations import check_declared, with_values
from harness.plan.fingerprint import Identities
from harness.plan.limits import Limits
from harness.plan.placement import Device, Placements
from harness.plan.references import all_references, bound
from harness.plan.selection import Place, Selection, first_seeds, pairs, select
from harness.plan.trial import Plan, PlannedTrial, PlannedTuning
from harness.store.view import TIMED_METHOD, trial_id
from harness.suite import Experiment, Scale, Suite, Tuned
from harness.suite.experiment import numbers


class Resources(Identities, Protocol):
    """What planning needs to know of resources."""

    def blocked(self, resource: Resource) -> str:
        """Why a resource cannot be had here, or nothing if it can."""


@dataclass(frozen=True)
class Planner:
    """Plans runs on one kind of device.

    Attributes:
        lacking: What servers cannot do that experiments need, by resource and experiment.
    """

    resources: Resources
    device: Device = "cpu"
    dtype: str = "float32"
    limits: Limits = field(default_factory=Limits)
    lacking: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def placements(self) -> Placements:
        """Where its trials are computed."""
        return Placements(self.resources, self.device, self.dtype)

    def plan(self, suite: Suite, scale: Scale, selection: Selection | None = None) -> Plan:
        """All trials of a suite under a scale.

        Raises:
            UsageError: If the selection names something that does not exist.
            SuiteError: If the declarations contradict themselves.
        """
        chosen = selection or Selection()
        work = _Work(self, scale, chosen.extended)
        for experiment in select(suite, scale, chosen):
            widest = _widest(experiment, chosen.extended)
            _check_carried(widest, suite.slug)
            _check_budgets(widest)
            work.add(replace(experiment, threads=self.limits.threads_of(experiment.threads)))
        _check_ids([*work.trials, *(point for group in work.tunings for point in group.points)])
        return Plan(
            suite=suite.slug,
            trials=tuple(work.trials),
            tunings=tuple(work.tunings),
            blocked=work.blocked,
        )

    def after_tuning(
        self, group: PlannedTuning, scale: Scale, point: Mapping[str, Any]
    ) -> list[PlannedTrial]:
        """The main trials of a tuned method, with the values that won."""
        work = _Work(self, scale)
        method = with_values(group.tuned.method, point)
        edge = tuple(name for name, value in point.items() if at_edge(group.tuned.grid[name], value))
        return [
            work.trial(
                group.experiment, group.task_id, {group.method_id: method}, seed, point=point, edge=edge
            )
            for seed in group.seeds
        ]


def at_edge(grid: Iterable[Any], value: Any) -> bool:
    """Whether the best value is the smallest or largest of a numeric grid; of two values, each is."""
    values = numbers(grid)
    return len(values) > 1 and value in (values[0], values[-1])


class _Work:
    """A plan in the making."""

    def __init__(
        self, planner: Planner, scale: Scale, extended: Mapping[Place, int] = MappingProxyType({})
    ) -> None:
        self.placements = planner.placements
        self.resources = planner.resources
        self.limits = planner.limits
        self.lacking = planner.lacking
        self.scale = scale
        self.extended = extended
        self.trials: list[PlannedTrial] = []
        self.tunings: list[PlannedTuning] = []
        self.blocked: dict[str, str] = {}
        self._checked: dict[int, Any] = {}

    def _check(self, part: Any) -> None:
        """Check a declaration once: the same objects occur in hundreds of trials."""
        if self._checked.get(id(part)) is not part:
            check_declared(part)
            self._checked[id(part)] = part

    def add(self, experiment: Experiment) -> None:
        free = self._unblocked(experiment)
        if experiment.timed is not None:
            self._add_timed(experiment, free)
            return
        for task_id, method_id in free:
            method = experiment.methods[method_id]
            if isinstance(method, Tuned):
                self.tunings.append(self._tuning(experiment, task_id, method_id, method))
            else:
                self.trials += [
                    self.trial(experiment, task_id, {method_id: method}, seed)
                    for seed in self._seeds(experiment, task_id, method_id)
                ]

    def _seeds(self, experiment: Experiment, task_id: str, method_id: str) -> tuple[int, ...]:
        """The seeds of a place: the experiment's, or more where a look has added some."""
        count = self.extended.get((experiment.id, task_id, method_id), 0)
        return _at_least(experiment, count)

    def _unblocked(self, experiment: Experiment) -> list[tuple[str, str]]:
        """The pairs that can run; the others are noted with their reason."""
        free, blocked = [], {}
        for task_id, method_id in pairs(experiment):
            needs = all_references((experiment.tasks[task_id], experiment.methods[method_id]))
            reason = next(filter(None, self._reasons(experiment, task_id, method_id, needs)), "")
            if reason:
                blocked[f"{experiment.id}/{task_id}/{method_id}"] = reason
            else:
                free.append((task_id, method_id))
        if blocked and not free:
            self.blocked[experiment.id] = next(iter(blocked.values()))
        else:
            self.blocked |= blocked
        return free

    def _reasons(
        self, experiment: Experiment, task_id: str, method_id: str, needs: list[Reference]
    ) -> Iterator[str]:
        """Why a pair cannot run here: what cannot be had, and what does not fit into memory."""
        for ref in needs:
            if isinstance(ref, Resource):
                yield self.resources.blocked(ref)
                yield self.lacking.get(ref.name, {}).get(experiment.id, "")
        device = self.placements.of(experiment).device
        for ref in [need.artifact if isinstance(need, PerSeed) else need for need in needs]:
            if isinstance(ref, Artifact) and (reason := self.limits.refusal(device, ref.device_gb)):
                yield f"its artifact '{ref.title or type(ref).__name__}' cannot be built: {reason}"
        gpus = experiment.gpu_count(task_id, [method_id])
        yield self.limits.too_few(device, gpus)
        yield self.limits.refusal(device, experiment.device_need(task_id, [method_id]), gpus)

    def _add_timed(self, experiment: Experiment, free: list[tuple[str, str]]) -> None:
        for task_id in dict.fromkeys(task for task, _ in free):
            arms = {m: experiment.methods[m] for task, m in free if task == task_id}
            plain = {name: method for name, method in arms.items() if not isinstance(method, Tuned)}
            if len(plain) < len(arms):
                raise SuiteError("A timed experiment cannot tune its methods", where=experiment.id)
            if CALIBRATION in arms:
                fix = "Rename the method: the calibration of times has this name."
                raise SuiteError(
                    f"No timed method may be called '{CALIBRATION}'", where=experiment.id, fix=fix
                )
            seeds = self._seeds(experiment, task_id, TIMED_METHOD)
            self.trials += [self.trial(experiment, task_id, plain, seed) for seed in seeds]

    def _tuning(self, experiment: Experiment, task_id: str, method_id: str, tuned: Tuned) -> PlannedTuning:
        points = [
            self.trial(
                experiment,
                task_id,
                {method_id: with_values(tuned.method, point)},
                seed,
                stage="tune",
                point=point,
            )
            for point in grid_points(tuned)
            for seed in tuned.seeds
        ]
        return PlannedTuning(
            experiment=experiment,
            task_id=task_id,
            method_id=method_id,
            tuned=tuned,
            points=tuple(points),
            seeds=self._seeds(experiment, task_id, method_id),
        )

    def trial(
        self,
        experiment: Experiment,
        task_id: str,
        methods: Mapping[str, Method[Any, Any]],
        seed: int,
        *,
        stage: Literal["tune", "main"] = "main",
        point: Mapping[str, Any] | None = None,
        edge: tuple[str, ...] = (),
    ) -> PlannedTrial:
        """A trial with its id, references and fingerprint."""
        task: Task[Any, Any] = bound(experiment.tasks[task_id], seed)
        methods = {name: bound(method, seed) for name, method in methods.items()}
        method_id = TIMED_METHOD if experiment.timed else next(iter(methods))
        name = trial_id(experiment.id, task_id, method_id, seed)
        if stage == "tune":
            values = ",".join(f"{key}={value}" for key, value in (point or {}).items())
            name = f"{experiment.id}/{task_id}/{method_id}/tune/{values}/{seed}"
        placement = self.placements.of(experiment)
        references = tuple(all_references((task, *methods.values())))
        if any(isinstance(ref, PerSeed) for ref in references):
            raise SuiteError("An artifact of all seeds has an input that belongs to one", where=name)
        parts = [task, *methods.values(), *(ref for ref in references if isinstance(ref, Artifact))]
        for part in parts:
            self._check(part)
        fingerprinter = self.placements.fingerprinter(placement)
        return PlannedTrial(
            id=name,
            experiment=experiment,
            task_id=task_id,
            method_id=method_id,
            seed=seed,
            stage=stage,
            task=task,
            methods=methods,
            references=references,
            placement=placement,
            code=fingerprinter.code(parts),
            fields=fingerprinter.trial(
                task=task,
                methods=methods,
                seed=seed,
                stage=stage,
                profile=self.scale.profile,
                timed=f"{experiment.timed!r} beside {CALIBRATION}" if experiment.timed else "''",
                gpus=experiment.gpu_count(task_id, methods),
            ),
            point=point or {},
            edge=edge,
        )


def grid_points(tuned: Tuned) -> Iterator[dict[str, Any]]:
    """All combinations of a grid's values, in the order of declaration."""
    names = list(tuned.grid)
    for values in itertools.product(*tuned.grid.values()):
        yield dict(zip(names, values, strict=True))


def _widest(experiment: Experiment, extended: Mapping[Place, int]) -> Experiment:
    """The experiment with all seeds that any of its places has."""
    most = max((count for place, count in extended.items() if place[0] == experiment.id), default=0)
    return replace(experiment, seeds=_at_least(experiment, most))


def _at_least(experiment: Experiment, count: int) -> tuple[int, ...]:
    """The declared seeds, continued upwards if that is fewer than ``count``."""
    more = count > len(experiment.seeds)
    return first_seeds(experiment.seeds, count) if more else experiment.seeds


def _check_carried(experiment: Experiment, suite: str) -> None:
    """Refuse ids and seeds, also those a user added, that records cannot carry or keep apart."""
    for what, where, fix in experiment_faults(experiment):
        raise SuiteError(what, where=f"{suite}, {where}", fix=fix)


def _check_ids(trials: Iterable[PlannedTrial]) -> None:
    """Refuse two trials of one id, of which records would keep the last only."""
    seen: set[str] = set()
    for trial in trials:
        if trial.id in seen:
            raise SuiteError(
                f"Two trials have the id '{trial.id}'",
                where=f"experiment {trial.experiment.id}",
                fix="Give every experiment of a suite an id of its own, and no value of a grid twice.",
            )
        seen.add(trial.id)


def _check_budgets(experiment: Experiment) -> None:
    """Refuse an experiment in which tuned methods get unequal numbers of trials."""
    budgets = {
        name: len(list(grid_points(method))) * len(method.seeds)
        for name, method in experiment.methods.items()
        if isinstance(method, Tuned)
    }
    if len(set(budgets.values())) > 1:
        listing = ", ".join(f"{name}: {count}" for name, count in budgets.items())
        raise SuiteError(
            f"Tuned methods get unequal budgets ({listing} trials)",
            where=f"experiment {experiment.id}",
            fix="Give every method as many grid points times seeds.",
        )
    for name, method in experiment.methods.items():
        if isinstance(method, Tuned):
            _check_tuned(experiment, name, method)


def _check_tuned(experiment: Experiment, name: str, tuned: Tuned) -> None:
    unknown = sorted(set(tuned.grid) - set(getattr(tuned.method, "__dataclass_fields__", {})))
    if unknown:
        raise SuiteError(f"Method '{name}' has no parameter {unknown}", where=f"experiment {experiment.id}")
    overlap = sorted(set(tuned.seeds) & set(experiment.seeds))
    if overlap:
        raise SuiteError(
            f"Seeds {overlap} both tune and judge method '{name}'", where=f"experiment {experiment.id}"
        )
