"""A run from beginning to end: plan, fetch, execute, judge."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from harness.declared import claims_hash, floors_of, refuse_unjudgeable, unwise
from harness.engine.driver import Driver, RunListener, Summary
from harness.engine.job import Progress
from harness.engine.jobs import JobMaker
from harness.engine.opened import EngineChoice, opened_engine
from harness.engine.resume import begun, check_finished, continued, started_again
from harness.engine.reuse import ReuseIndex, key_of
from harness.engine.single import only_trial, same_trial
from harness.errors import CorroborateError, ResourceError
from harness.method.references import Resource
from harness.plan import Plan, Planner, Selection
from harness.plan.limits import Limits
from harness.plan.placement import DTYPES, Device
from harness.plan.references import reference_key
from harness.plan.selection import seeds_text
from harness.provenance import collect, environment_key, now
from harness.store import RunWriter, list_runs, list_single_trials, new_run_folder, single_trial_folder
from harness.store.model_records import EndpointRecord
from harness.store.records import RehearsalRecord, RunRecord, TrialRecord
from harness.suite import Scale, Suite

if TYPE_CHECKING:
    from harness.resources import Resolver


class Display(RunListener, Protocol):
    """A listener that also hears of running jobs' progress."""

    def progress(self, progress: Progress) -> None:
        """What a running job says of itself."""


@dataclass(frozen=True, kw_only=True)
class RunRequest:
    """What a user asks for.

    Attributes:
        runs: The folder of all runs.
        also: Other folders of runs, whose finished trials count like those of ``runs``.
        device_reason: Why it is this device.
        resume: The run to go on with, instead of starting one.
        fresh: Whether finished trials of other runs are left alone.
        gather: Whether to put together what is stored, from whatever machine, and execute nothing.
        workers: CPU threads that the pool, or a cluster of its own, gives out.
        address: Of a Ray cluster; empty starts one.
        artifact_store: URL of a place for nodes that do not see this machine's cache.
        limits: What the user says of limits, and what the machine has.
        settings: What ``--set`` said, as given, for the record.
        argv: The command line, for provenance.
        lacking: What servers cannot do that experiments need, by resource and experiment.
        dtype: Type of model weights; empty takes the device's own.
        rehearsal: Set if the run only tries the code out.
        looks: The looks that a run until settled may take; ``selection.extended`` says what it has come to.
        next_look: Whether this process goes on with a run of its own: what has failed is left as it is.
        expected: Seconds that trials took on an earlier occasion, by id.
        opened: Told of the run's folder, once there is one.
    """

    suite: Suite
    scale: Scale
    resolver: Resolver
    runs: Path
    also: Sequence[Path] = ()
    device: Device = "cpu"
    device_reason: str = ""
    selection: Selection = field(default_factory=Selection)
    engine: Literal["inline", "pool", "ray"] = "pool"
    workers: int = 2
    address: str = ""
    artifact_store: str = ""
    resume: Path | None = None
    fresh: bool = False
    gather: bool = False
    limits: Limits = field(default_factory=Limits)
    settings: Mapping[str, str] = field(default_factory=dict)
    argv: Sequence[str] = field(default_factory=lambda: tuple(sys.argv))
    lacking: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    dtype: str = ""
    rehearsal: RehearsalRecord | None = None
    looks: tuple[float, ...] = ()
    next_look: bool = False
    expected: Mapping[str, float] = field(default_factory=dict)
    opened: Callable[[Path], None] = field(default=lambda _: None, repr=False, compare=False)

    @property
    def planner(self) -> Planner:
        """The planner for this request's device and resources."""
        resources = PlanningResources(self.resolver)
        dtype = self.dtype or DTYPES[self.device]
        return Planner(resources, self.device, dtype, self.limits, self.lacking)


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


@dataclass(frozen=True)
class Prepared:
    """A plan that can be executed: with its planner, and the folders of its resources."""

    planner: Planner
    plan: Plan
    paths: Mapping[str, str]


def execute_run(request: RunRequest, display: Display) -> Finished:
    """Plan, fetch what is needed, and execute everything that is not there yet.

    Raises:
        SuiteError: Before anything is run, if its results could not be judged as the suite declares.
        CorroborateError: If the request is wrong or the run cannot be stored. What has finished
            by then is kept.
    """
    refuse_unjudgeable(request.suite, request.scale)
    _tell_unwise(request, display)

    def planned(planner: Planner) -> Plan:
        return planner.plan(request.suite, request.scale, request.selection)

    prepared = plan_and_fetch(request, display, planned)
    folder = request.resume or new_run_folder(request.runs, request.suite.slug, request.scale.profile)
    _tell_added(request, display)
    with RunWriter(folder) as writer:
        record = _record(request, prepared.plan, folder, _selection(request.selection))
        if request.resume is None:
            record = begun(record, request.runs, display.note)
        else:
            for note in writer.repair():
                display.note(note)
            reader = writer.reader()
            record = continued(reader.record, record, folder, elsewhere=not request.next_look)
            check_finished(reader, prepared.plan, anywhere=request.gather)
        writer.start(record)
        request.opened(folder)
        summary = execute_plan(request, prepared, writer, display)
        _compact(writer, display)
        nodes = {**record.nodes, **summary.nodes}
        writer.start(record.model_copy(update={"ended": now(), "nodes": nodes}))
    return Finished(folder, prepared.plan, summary)


def _compact(writer: RunWriter, display: Display) -> None:
    """Pack the rows of the run; a run does not fail for it, since they can be read where they are, too."""
    try:
        writer.compact()
    except (CorroborateError, OSError) as error:
        display.note(f"unit rows stay in one file a trial: {getattr(error, 'what', error)}")


def execute_one(request: RunRequest, trial: str, display: Display) -> Finished:
    """Execute one trial of a plan, in a folder of its own that later runs take it from.

    The folder's name comes from the trial's fingerprint and the environment: any number of such
    processes run at once, and one that was killed goes on in the same place.

    Raises:
        CorroborateError: As :func:`execute_run`, and if the trial is not in the plan, cannot run here,
            or needs tuning trials that are not stored yet.
    """
    refuse_unjudgeable(request.suite, request.scale)
    stored = stored_trials(request)

    def planned(planner: Planner) -> Plan:
        whole = planner.plan(request.suite, request.scale, request.selection)
        return only_trial(whole, planner, request.scale, trial, stored)

    return _execute_single(request, trial, display, planned)


def execute_again(request: RunRequest, record: TrialRecord, display: Display) -> Finished:
    """Execute a recorded trial once more, with the values that tuning chose for it then.

    Raises:
        CorroborateError: As :func:`execute_one`.
    """

    def planned(planner: Planner) -> Plan:
        whole = planner.plan(request.suite, request.scale, request.selection)
        return same_trial(whole, planner, request.scale, record)

    return _execute_single(request, record.trial, display, planned)


def _execute_single(
    request: RunRequest, trial: str, display: Display, planned: Callable[[Planner], Plan]
) -> Finished:
    prepared = plan_and_fetch(request, display, planned)
    (one,) = prepared.plan.trials
    environment = environment_key(one.placement.device, one.experiment.threads)
    _tell_added(request, display)
    place = f"{environment} {one.libraries}"
    folder = single_trial_folder(
        request.runs, request.suite.slug, request.scale.profile, one.fingerprint, place
    )
    with RunWriter(folder) as writer:
        for note in writer.repair():
            display.note(note)
        record = _record(request, prepared.plan, folder, {"trial": [trial]})
        writer.start(started_again(writer.reader(), record, key_of(one, environment)))
        summary = execute_plan(request, prepared, writer, display)
    return Finished(folder, prepared.plan, summary)


def _tell_unwise(request: RunRequest, display: Display) -> None:
    # A rehearsal has fewer seeds and blocks than its claims ask for.
    if request.rehearsal or request.next_look:
        return
    for found in unwise(request.suite, request.scale, request.selection, max(len(request.looks), 1)):
        # The verdicts concerned will say so too; what can be measured is still worth a run.
        display.note(f"declaration: {found}")


def _tell_added(request: RunRequest, display: Display) -> None:
    if not request.next_look:
        for name, place in request.selection.places.items():
            display.note(f"added: {name} is {place}")


def execute_plan(request: RunRequest, prepared: Prepared, writer: RunWriter, display: Display) -> Summary:
    """Drive a plan to its end in an open run folder."""
    if request.device_reason and not request.next_look:
        display.note(f"device: {request.device} ({request.device_reason})")
    reuse = stored_trials(request, writer.folder)
    for note in reuse.passed_over:
        display.note(note)
    with opened_engine(_choice(request), writer.folder, display.progress, display.note) as opened:
        driver = Driver(
            prepared.plan,
            planner=prepared.planner,
            scale=request.scale,
            maker=_maker(request, prepared, writer.folder, opened.environment),
            engine=opened.engine,
            writer=writer,
            reuse=reuse,
            listener=display,
            gather=request.gather,
            retry=not request.next_look,
            expected=request.expected,
        )
        summary = driver.run()
        summary.nodes = opened.nodes()
        return summary


def _choice(request: RunRequest) -> EngineChoice:
    return EngineChoice(
        # What only gathers executes nothing, and needs no cluster.
        name="pool" if request.gather else request.engine,
        workers=request.workers,
        limits=request.limits,
        home=request.resolver.home,
        device=request.device,
        address=request.address,
        artifact_store=request.artifact_store,
    )


def _maker(
    request: RunRequest,
    prepared: Prepared,
    folder: Path,
    environment: Callable[[str, int], str] = environment_key,
) -> JobMaker:
    return JobMaker(
        placements=prepared.planner.placements,
        environment=environment,
        home=request.resolver.home,
        resources=prepared.paths,
        checkpoints=folder / "checkpoints",
        limits=request.limits,
    )


def stored_trials(request: RunRequest, own: Path | None = None) -> ReuseIndex:
    """The finished trials that a request may take: of all runs but its own, and of single trials."""
    if request.fresh:
        return ReuseIndex([])
    places = (*request.also, request.runs)
    folders = [run for place in places for run in (*list_single_trials(place), *list_runs(place))]
    return ReuseIndex([folder for folder in folders if folder != own], anywhere=request.gather)


def plan_and_fetch(request: RunRequest, display: Display, planned: Callable[[Planner], Plan]) -> Prepared:
    """The plan without what turned out to be unobtainable, and the folders of the rest."""
    planner = request.planner
    plan = planned(planner)
    if request.gather:
        return Prepared(planner, plan, {})  # Nothing is executed, so nothing is needed.
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
    resources, before = PlanningResources(request.resolver, failed), planner.resources
    if not failed and all(resources.identity(one) == before.identity(one) for one in resources_of(plan)):
        return Prepared(planner, plan, paths)
    planner = replace(planner, resources=resources)
    return Prepared(planner, planned(planner), paths)


def resources_of(plan: Plan) -> list[Resource]:
    """All resources that a plan's trials need."""
    trials = [*plan.trials, *(point for group in plan.tunings for point in group.points)]
    found = (ref for trial in trials for ref in trial.references if isinstance(ref, Resource))
    return list(dict.fromkeys(found))


def _record(request: RunRequest, plan: Plan, folder: Path, selection: Mapping[str, list[str]]) -> RunRecord:
    """What ``run.json`` says."""
    resolver = request.resolver
    endpoints = resolver.endpoints
    return RunRecord(
        run=folder.name,
        suite=request.suite.slug,
        profile=request.scale.profile,
        full=request.scale.full,
        claims_sha256=claims_hash(request.suite),
        settings=dict(request.settings),
        bindings={name: str(path) for name, path in resolver.bindings.items() if name not in endpoints},
        endpoints={name: EndpointRecord.of(one.server) for name, one in endpoints.items()},
        selection={name: values for name, values in selection.items() if values},
        added=request.selection.places,
        device=request.device,
        dtype=request.dtype or DTYPES[request.device],
        limits=_limits_as_given(request.limits),
        provenance=collect(request.argv),
        planned=plan.main_ids,
        blocked=dict(plan.blocked),
        rehearsal=request.rehearsal,
        noise={} if request.rehearsal else floors_of(request.suite, request.scale.profile),
        looks=list(request.looks),
    )


def _selection(selection: Selection) -> dict[str, list[str]]:
    return {
        "claims": list(selection.claims),
        "methods": list(selection.methods),
        "seeds": _seeds_as_given(selection),
    }


def _seeds_as_given(selection: Selection) -> list[str]:
    if not selection.seeds:
        return []
    return [seeds_text(selection.seeds) if isinstance(selection.seeds, tuple) else str(selection.seeds)]


def _limits_as_given(limits: Limits) -> dict[str, float]:
    given = {"memory_gb": limits.memory_gb, "minutes": limits.minutes}
    return {name: value for name, value in given.items() if value is not None}
