"""A run from beginning to end: plan, fetch, execute, judge."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from harness.engine.driver import Driver, RunListener, Summary
from harness.engine.engines import Engine, InlineEngine
from harness.engine.job import Progress
from harness.engine.jobs import JobMaker
from harness.engine.reuse import ReuseIndex
from harness.errors import ResourceError, UsageError
from harness.evidence.check import check_suite
from harness.evidence.declared import claims_hash
from harness.method.references import Resource
from harness.plan import Plan, Planner, Selection
from harness.plan.fingerprint import Fingerprinter
from harness.plan.references import reference_key
from harness.provenance import collect, environment_key
from harness.store import RunWriter, list_runs, new_run_folder
from harness.store.records import RehearsalRecord, RunRecord
from harness.suite import Scale, Suite

if TYPE_CHECKING:
    from harness.resources import Resolver

DTYPES = {"cpu": "float32", "cuda": "bfloat16"}
"""Type of model weights by device kind."""


class Display(RunListener, Protocol):
    """A listener that also hears of running jobs' progress."""

    def progress(self, progress: Progress) -> None:
        """What a running job says of itself."""


@dataclass(frozen=True, kw_only=True)
class RunRequest:
    """What a user asks for.

    Attributes:
        runs: The folder of all runs.
        resume: The run to go on with, instead of starting one.
        fresh: Whether finished trials of other runs are left alone.
        workers: Places of the pool.
        settings: What ``--set`` said, as given, for the record.
        argv: The command line, for provenance.
        dtype: Type of model weights; empty takes the device's own.
        rehearsal: Set if the run only tries the code out.
    """

    suite: Suite
    scale: Scale
    resolver: Resolver
    runs: Path
    device: str = "cpu"
    selection: Selection = field(default_factory=Selection)
    engine: Literal["inline", "pool"] = "pool"
    workers: int = 2
    resume: Path | None = None
    fresh: bool = False
    settings: Mapping[str, str] = field(default_factory=dict)
    argv: Sequence[str] = field(default_factory=lambda: tuple(sys.argv))
    dtype: str = ""
    rehearsal: RehearsalRecord | None = None

    @property
    def planner(self) -> Planner:
        """The planner for this request's device and resources."""
        return Planner(PlanningResources(self.resolver), self.device, self.dtype or DTYPES[self.device])


class PlanningResources:
    """What planning asks of the resolver, and what turned out not to be obtainable."""

    def __init__(self, resolver: Resolver, failed: Mapping[str, str] | None = None) -> None:
        self._resolver = resolver
        self._failed = dict(failed or {})
        self._known: dict[str, str] = {}

    def identity(self, resource: Resource) -> str:
        """What a resource's content is."""
        if resource.name not in self._known:
            self._known[resource.name] = self._resolver.identity(resource)
        return self._known[resource.name]

    def blocked(self, resource: Resource) -> str:
        """Why it cannot be had, or nothing."""
        if resource.name in self._failed:
            return self._failed[resource.name]
        status = self._resolver.status(resource)
        return status.text if status.state in ("missing", "blocked") else ""


@dataclass(frozen=True)
class Finished:
    """A run that has ended."""

    folder: Path
    plan: Plan
    summary: Summary


def execute_run(request: RunRequest, display: Display) -> Finished:
    """Plan, fetch what is needed, and execute everything that is not there yet.

    Raises:
        CorroborateError: If the request is wrong or the run cannot be stored. What has finished
            by then is kept.
    """
    # A rehearsal has fewer seeds and blocks than its claims ask for.
    for contradiction in [] if request.rehearsal else check_suite(request.suite, request.scale):
        # The verdicts concerned will say so too; what can be measured is still worth a run.
        display.note(f"declaration: {contradiction}")
    planner, plan, paths = _plan_and_fetch(request, display)
    others = [run for run in list_runs(request.runs) if run != request.resume]
    folder = request.resume or new_run_folder(request.runs, request.suite.slug, request.scale.profile)
    with RunWriter(folder) as writer:
        _open(request, plan, writer, display)
        maker = JobMaker(
            fingerprinter=Fingerprinter(planner.resources, planner.device, planner.dtype),
            environment=lambda threads: environment_key(request.device, threads),
            home=request.resolver.home,
            resources=paths,
        )
        engine = make_engine(request, display)
        try:
            driver = Driver(
                plan,
                planner=planner,
                scale=request.scale,
                maker=maker,
                engine=engine,
                writer=writer,
                reuse=ReuseIndex([] if request.fresh else others),
                listener=display,
            )
            summary = driver.run()
        finally:
            engine.close()
    return Finished(folder, plan, summary)


def make_engine(request: RunRequest, display: Display) -> Engine:
    """The engine that a request names."""
    if request.engine == "inline":
        return InlineEngine(display.progress)
    from harness.engine.pool import PoolEngine

    # A GPU is one place: two models on it at once would disturb each other.
    workers = 1 if request.device == "cuda" else request.workers
    return PoolEngine(display.progress, workers)


def _plan_and_fetch(request: RunRequest, display: Display) -> tuple[Planner, Plan, dict[str, str]]:
    """The plan without what turned out to be unobtainable, and the folders of the rest."""
    planner = request.planner
    plan = planner.plan(request.suite, request.scale, request.selection)
    paths: dict[str, str] = {}
    failed: dict[str, str] = {}
    for resource in resources_of(plan):
        if request.resolver.status(resource).state != "present":
            display.note(f"Fetching '{resource.name}' ({resource.licence or 'licence unknown'})")
        try:
            paths[reference_key(resource)] = str(request.resolver.path(resource))
        except ResourceError as error:
            failed[resource.name] = str(error)
            display.note(f"Without '{resource.name}': {error}")
    # What was fetched may have another identity than was expected before.
    planner = replace(planner, resources=PlanningResources(request.resolver, failed))
    return planner, planner.plan(request.suite, request.scale, request.selection), paths


def resources_of(plan: Plan) -> list[Resource]:
    """All resources that a plan's trials need."""
    trials = [*plan.trials, *(point for group in plan.tunings for point in group.points)]
    found = (ref for trial in trials for ref in trial.references if isinstance(ref, Resource))
    return list(dict.fromkeys(found))


def _open(request: RunRequest, plan: Plan, writer: RunWriter, display: Display) -> None:
    """Write ``run.json``, or check that a run to go on with is the one that was meant."""
    selection = {
        "claims": list(request.selection.claims),
        "methods": list(request.selection.methods),
        "seeds": [str(request.selection.seeds)] if request.selection.seeds else [],
    }
    record = RunRecord(
        run=writer.folder.name,
        suite=request.suite.slug,
        profile=request.scale.profile,
        full=request.scale.full,
        claims_sha256=claims_hash(request.suite),
        settings=dict(request.settings),
        bindings={name: str(path) for name, path in request.resolver.bindings.items()},
        selection={name: values for name, values in selection.items() if values},
        provenance=collect(request.argv),
        planned=plan.main_ids,
        blocked=dict(plan.blocked),
        rehearsal=request.rehearsal,
    )
    if request.resume is not None:
        for note in writer.repair():
            display.note(note)
        record = _continued(writer.reader().record, record, writer.folder)
    writer.start(record)


def _continued(before: RunRecord, now: RunRecord, folder: Path) -> RunRecord:
    """The record of a run that goes on: as it began, with what is planned now.

    Raises:
        UsageError: If it would become another run.
    """
    for name in ("suite", "profile", "full", "settings", "selection"):
        if getattr(before, name) != getattr(now, name):
            raise UsageError(
                f"This run was started with another {name}: "
                f"{getattr(before, name) or 'none'}, not {getattr(now, name) or 'none'}",
                where=str(folder),
                fix="Resume it with the options it was started with, or start a new run: "
                "finished trials are reused there too.",
            )
    return before.model_copy(update={"planned": now.planned, "blocked": now.blocked})
