"""Putting a rehearsal on: stand-ins, a cut suite, and a run like any other."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack, redirect_stderr
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from harness.declared import refuse_unjudgeable
from harness.engine.run import Display, Finished, RunRequest, execute_run
from harness.method.asked import Probed
from harness.method.names import named_function
from harness.method.references import Resource
from harness.plan.references import all_references
from harness.plan.served import needs_of
from harness.rehearsal.cut import Cut, cut_suite
from harness.resources import Resolver
from harness.resources.endpoint import endpoint_of
from harness.store.records import RehearsalRecord
from harness.suite import Scale, Suite

STAND_IN = "stand-in"
"""The name by which tiny models are asked."""
NO_KEY = "CORROBORATE_STAND_IN_KEY"
"""An environment variable that nobody sets."""


@dataclass(frozen=True)
class Rehearsed:
    """A rehearsal that has ended.

    Attributes:
        suite: The suite as it was run, cut down.
    """

    suite: Suite
    finished: Finished


def rehearse(
    suite: Suite, scale: Scale, work: Path, display: Display, *, dtype: str, seeds: int = 1, **request: Any
) -> Rehearsed:
    """Run every experiment of a scale on stand-ins.

    Args:
        suite: What to rehearse.
        scale: Under which profile.
        work: An empty folder for stand-ins and artifacts, which nothing reads afterwards.
        display: Is told of the run.
        dtype: Type of model weights.
        seeds: Seeds of an experiment.
        request: Further fields of the run's request, such as ``runs`` and ``device``.

    Returns:
        The suite as it ran, and its run.

    Raises:
        SuiteError: If a run of the whole suite could not be judged.
    """
    refuse_unjudgeable(suite, scale)
    with ExitStack() as open_servers:
        cut = Cut(suite.rehearsal.sizes, seeds)
        small = cut_suite(suite, cut)
        stand_ins = make_stand_ins(small, scale, work / "stand-ins")
        servers, lacking = serve_stand_ins(small, scale, work / "home", open_servers)
        bindings = {**stand_ins, **servers}
        record = RehearsalRecord(dtype=dtype, stand_ins=list(bindings), reduced=cut.made)
        finished = execute_run(
            RunRequest(
                suite=small,
                scale=scale,
                resolver=Resolver(bindings, frozenset(), work / "home", None),
                lacking=lacking,
                dtype=dtype,
                rehearsal=record,
                fresh=True,
                **request,
            ),
            display,
        )
    return Rehearsed(small, finished)


def serve_stand_ins(
    suite: Suite, scale: Scale, home: Path, open_servers: ExitStack
) -> tuple[dict[str, Path], dict[str, Mapping[str, str]]]:
    """Serve tiny models on this machine, as if the user had named them.

    Args:
        suite: Names the roles and what serves them.
        scale: Only roles that it has are served.
        home: Takes the descriptions.
        open_servers: Ends the servers.

    Returns:
        Folders of the descriptions by resource name, and what the servers cannot do, by resource and
        experiment.
    """
    folders, lacking = {}, {}
    for role, serve in suite.rehearsal.servers.items():
        resource = suite.bindings[role]
        needs = needs_of(suite.served.roles[role], resource, suite.experiments(scale))
        if not needs:
            continue
        address = str(open_servers.enter_context(named_function(serve)()))
        probed: Probed = named_function(suite.served.probe)(
            address, STAND_IN, key_variable=NO_KEY, needs=needs
        )
        folders[resource], lacking[resource] = endpoint_of(probed).write(home), probed.lacking
    return folders, lacking


def make_stand_ins(suite: Suite, scale: Scale, folder: Path) -> Mapping[str, Path]:
    """Make what takes the place of the resources of a scale; folders by resource name."""
    names = {
        ref.name
        for experiment in suite.experiments(scale)
        for ref in all_references((experiment.tasks, experiment.methods))
        if isinstance(ref, Resource)
    }
    made = {}
    for name in sorted(names & set(suite.rehearsal.stand_ins)):
        made[name] = folder / name
        made[name].mkdir(parents=True)
        with redirect_stderr(StringIO()):  # Libraries draw a progress bar for each tiny file.
            suite.rehearsal.stand_ins[name].make(made[name])
    return made
