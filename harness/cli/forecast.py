"""How long a plan, or the part of it that one claim needs, takes on this machine."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from harness.cli.costs import Costs
from harness.engine.artifact import is_built
from harness.engine.jobs import JobMaker, Preparation
from harness.engine.places import gpu_share
from harness.engine.reuse import ReuseIndex, key_of
from harness.engine.run import RunRequest
from harness.engine.single import tuned_trials
from harness.method.references import Artifact
from harness.plan import Plan, PlannedTrial, PlannedTuning
from harness.plan.selection import is_needed
from harness.provenance import environment_key, usable_cores

Needed = Collection[tuple[str, str, str]]
"""Places that claims measure, as :func:`harness.plan.selection.needed_by` gives them."""


@dataclass(frozen=True)
class Work:
    """A trial or an artifact that a run has to make.

    Attributes:
        id: Of the trial or artifact, as records have it.
        device: Device kind.
        threads: CPU threads.
        device_gb: Memory of its models on the device, if declared.
        gpus: GPUs that it has for itself, or 0.
        alone: Whether nothing may run beside it.
        done: Whether it is stored, and costs nothing.
        trial: The trial, if it is one.
        needs: The artifacts that it is computed from.
    """

    id: str
    device: str
    threads: int
    device_gb: float | None
    gpus: int = 0
    alone: bool = False
    done: bool = False
    trial: PlannedTrial | None = None
    needs: tuple[Work, ...] = ()

    def serves(self, needed: Needed) -> bool:
        """Whether it is a trial that measures one of these places."""
        trial = self.trial
        return trial is not None and any(
            is_needed(trial.experiment, trial.task_id, arm, needed) for arm in trial.methods
        )


@dataclass(frozen=True)
class Span:
    """How long some work takes.

    Attributes:
        seconds: On this machine, from beginning to end, of what is known.
        unknown: Trials and artifacts of which no time is recorded.
        count: Trials and artifacts altogether.
    """

    seconds: float = 0.0
    unknown: int = 0
    count: int = 0


@dataclass(frozen=True)
class Machine:
    """What runs beside each other.

    Attributes:
        workers: CPU threads that a run gives out.
        cores: CPU cores.
        gpu_gb: Memory of the GPU, or ``None`` if unknown.
        gpus: GPUs that there are.
    """

    workers: int
    cores: int
    gpu_gb: float | None = None
    gpus: int = 1

    def elapsed(self, jobs: Iterable[tuple[Work, float]]) -> float:
        """Seconds from beginning to end of jobs that take some seconds each.

        What wants to be alone comes by itself; the CPU's and the GPU's jobs run beside each other, each kind
        as densely as its places allow, and no shorter than its longest job.
        """
        alone = cpu = gpu = longest = 0.0
        lanes = max(min(self.workers, self.cores), 1)
        for work, seconds in jobs:
            if work.alone:
                alone += seconds
                continue
            longest = max(longest, seconds)
            if work.device == "cpu":
                cpu += seconds * min(work.threads * max(1, work.gpus), lanes) / lanes
            elif work.gpus:
                gpu += seconds * min(work.gpus, self.gpus) / self.gpus
            else:
                # The first GPU only is shared by trials that name no number.
                gpu += seconds * gpu_share(work.device_gb, self.gpu_gb)
        return alone + max(cpu, gpu, longest)


class Forecast:
    """Times of a plan.

    Args:
        request: What would be run.
        plan: Its plan.
        reuse: Trials that are stored.
        costs: What is recorded of times.
    """

    def __init__(self, request: RunRequest, plan: Plan, reuse: ReuseIndex, costs: Costs) -> None:
        self.costs = costs
        limits = request.limits
        gpus = max(limits.have_gpus or 1, 1)
        self.machine = Machine(request.workers, usable_cores(), limits.have_gb.get("cuda"), gpus)
        self._request = request
        self._plan = plan
        self._reuse = reuse
        self._stored: dict[str, bool] = {}
        self._artifacts: dict[Preparation, Work] = {}
        self._maker = JobMaker(
            placements=request.planner.placements,
            environment=environment_key,
            home=request.resolver.home,
            resources={},
            checkpoints=Path(),
            limits=request.limits,
        )

    def spans(self, needed: Needed | None = None) -> tuple[Span, Span]:
        """All that is planned, or that some places need; and what of it is not stored yet."""
        chosen = [work for work in self._trials if needed is None or work.serves(needed)]
        left = [work for work in chosen if not work.done]
        built = {need.id: need for work in chosen for need in work.needs}
        wanted = {need.id: need for work in left for need in work.needs if not need.done}
        return self._span([*built.values(), *chosen]), self._span([*wanted.values(), *left])

    def _span(self, works: list[Work]) -> Span:
        times = [(work, self.costs.seconds((work.device, work.id))) for work in works]
        known = [(work, seconds) for work, seconds in times if seconds is not None]
        return Span(self.machine.elapsed(known), len(works) - len(known), len(works))

    @cached_property
    def _trials(self) -> list[Work]:
        plan = self._plan
        points = [self._work(point) for group in plan.tunings for point in group.points]
        return [*points, *map(self._work, plan.trials), *self._tuned()]

    def _tuned(self) -> Iterator[Work]:
        """Main trials behind a tuning: until their values are known, they are as long as any."""
        for group in self._plan.tunings:
            known = tuned_trials(group, self._request.planner, self._request.scale, self._reuse)
            yield from map(self._work, known) if known else self._waiting(group)

    def _waiting(self, group: PlannedTuning) -> Iterator[Work]:
        for seed in group.seeds:
            name = f"{group.experiment.id}/{group.task_id}/{group.method_id}/{seed}"
            yield replace(self._work(group.points[0]), id=name, done=False)

    def _work(self, trial: PlannedTrial) -> Work:
        return Work(
            id=trial.id,
            device=trial.placement.device,
            threads=trial.experiment.threads,
            device_gb=trial.device_gb,
            gpus=trial.gpus,
            alone=trial.timed is not None,
            done=self.is_stored(trial),
            trial=trial,
            needs=tuple(map(self._artifact, self._maker.needs(trial))),
        )

    def artifacts(self) -> Iterator[tuple[Artifact, bool]]:
        """The artifacts of the plan, and whether each is built."""
        _ = self._trials
        for item, work in self._artifacts.items():
            yield item.artifact, work.done

    def _artifact(self, item: Preparation) -> Work:
        if item not in self._artifacts:
            self._artifacts[item] = Work(
                id=self._maker.artifact_id(item),
                device=item.placement.device,
                threads=item.artifact.threads,
                device_gb=item.artifact.device_gb,
                done=is_built(self._maker.folder(item)),
            )
        return self._artifacts[item]

    def is_stored(self, trial: PlannedTrial) -> bool:
        """Whether a run would take an equal trial that is stored."""
        if trial.id not in self._stored:
            key = key_of(trial, self._maker.environment_of(trial))
            self._stored[trial.id] = self._reuse.find(key) is not None
        return self._stored[trial.id]
