"""From the options of ``plan`` and ``run`` to a request."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from harness import cuda
from harness.claims import Profile
from harness.cli.bound import require_content
from harness.cli.endpoints import Lacking, add_endpoints, named_servers, put_servers
from harness.cli.needs import resources_of
from harness.cli.options import (
    add_limits,
    add_profile,
    add_resources,
    add_runs,
    check_limit,
    parse_bindings,
    parse_seeds,
    parse_settings,
    profile_named,
)
from harness.cli.suites import load_suite, method_class
from harness.engine.files_read import watch
from harness.engine.run import RunRequest
from harness.errors import DeviceError, ResourceError, UsageError
from harness.foreign import make_method
from harness.method.contract import Method
from harness.plan import Selection
from harness.plan.declarations import check_declared
from harness.plan.limits import Limits
from harness.plan.selection import check_added, plain_id
from harness.provenance import usable_memory_gb
from harness.resources import Resolver
from harness.store import find_run, newest_run, open_run, runs_folder
from harness.store.view import TIMED_METHOD
from harness.suite import Scale, Suite, Tuned

NEWEST = ""
ELSEWHERE = "not on this machine"


def add_request(parser: argparse.ArgumentParser, *, many: bool = False) -> None:
    """The options that say what is run; with ``many`` a suite need not be named."""
    parser.add_argument(
        "suite", nargs="?" if many else None, help="name of the suite: 'corroborate list' shows them"
    )
    add_profile(parser)
    parser.add_argument("--full", action="store_true", help="wider grids and more seeds")
    parser.add_argument(
        "--claim",
        metavar="ID",
        action="append",
        default=[],
        help="only what this claim needs; may be repeated",
    )
    parser.add_argument("--methods", metavar="A,B", default="", help="only these methods")
    parser.add_argument(
        "--seeds",
        metavar="N|LIST",
        help="a number: this many seeds of each experiment; a list (100,103 or 100-104; '100,' for one): "
        "these of the declared seeds",
    )
    parser.add_argument(
        "--set",
        metavar="METHOD.PARAMETER=VALUE",
        action="append",
        default=[],
        help="another value of a parameter; recorded as a deviation",
    )
    parser.add_argument(
        "--method",
        metavar="PACKAGE.MODULE:CLASS",
        action="append",
        default=[],
        help="add a method of your own; may be repeated",
    )
    parser.add_argument(
        "--device",
        choices=("cpu", "cuda"),
        help="default: cuda if PyTorch can use a GPU here; CUDA_VISIBLE_DEVICES chooses among several",
    )
    add_limits(parser)
    add_resources(parser)
    add_endpoints(parser)
    add_runs(parser)


def make_request(
    args: argparse.Namespace,
    *,
    resume: str | None = None,
    engine: Any = "pool",
    workers: int = 2,
    fresh: bool = False,
    gather: bool = False,
    executes: bool = True,
    address: str = "",
    artifact_store: str = "",
) -> RunRequest:
    """The request that the options mean.

    What is only planned or put together may be meant for another machine: with ``executes`` off, any
    device may be named, and what does not fit into this machine's memory is not left out for that.

    Raises:
        UsageError: If an option names something unknown or is of the wrong form.
        DeviceError: If it asks for a GPU that cannot be used.
    """
    suite = load_suite(args.suite)
    scale = Scale(profile=profile_named(args.profile), full=args.full)
    runs = runs_folder(args.runs)
    # Where a cluster executes, this machine's own devices and memory say nothing.
    here = executes and not (engine == "ray" and (address or os.environ.get("RAY_ADDRESS")))
    chosen = cuda.choose(args.device) if here else _planned_device(args.device)
    resolver, lacking = _resolver(args, suite, scale, asks=not gather)
    return RunRequest(
        suite=suite,
        scale=scale,
        selection=_selection(args, suite, scale),
        resolver=resolver,
        lacking=lacking,
        runs=runs,
        device=chosen.device,
        device_reason=chosen.reason,
        limits=_limits(args, chosen.device, check=here and not gather and chosen.reason != ELSEWHERE),
        engine=engine,
        address=address,
        artifact_store=artifact_store,
        workers=workers,
        resume=None if resume is None else _run_to_resume(resume, suite, scale.profile, runs),
        fresh=fresh,
        gather=gather,
        settings=dict(text.split("=", 1) for text in args.set),
        argv=tuple(sys.argv),
    )


def _planned_device(asked: Literal["cpu", "cuda"] | None) -> cuda.Choice:
    """The device that is meant, whether it is here or not."""
    try:
        return cuda.choose(asked)
    except DeviceError:
        return cuda.Choice("cuda", ELSEWHERE)


def _selection(args: argparse.Namespace, suite: Suite, scale: Scale) -> Selection:
    seeds = parse_seeds(args.seeds)
    added = _added(args.method, suite) if args.method else {}
    methods: dict[str, list[Method[Any, Any] | Tuned]] = {name: [method] for name, method in added.items()}
    for experiment in suite.experiments(scale):
        for name, method in experiment.methods.items():
            methods.setdefault(name, []).append(method)
    return Selection(
        claims=tuple(args.claim),
        methods=tuple(filter(None, args.methods.split(","))),
        seeds=seeds,
        settings=parse_settings(args.set, methods),
        added=added,
    )


def _added(names: Sequence[str], suite: Suite) -> dict[str, Method[Any, Any]]:
    """The user's own methods, with their default parameters."""
    watch()  # What a method's module reads when it is imported counts as read by the method.
    kinds = {name: method_class(name) for name in names}
    declared = {method for scale in _scales() for e in suite.experiments(scale) for method in e.methods}
    found = {name: _made(kinds[given], given) for name, given in added_ids(kinds, declared).items()}
    check_added(suite, declared, found)
    return found


def _scales() -> list[Scale]:
    """All scales: a method is to have the same id under each."""
    return [Scale(profile=profile, full=full) for profile in Profile for full in (False, True)]


def _made(kind: type[Method[Any, Any]], name: str) -> Method[Any, Any]:
    method = make_method(kind, name)
    check_declared(method)
    return method


def added_ids(kinds: Mapping[str, type[Method[Any, Any]]], declared: Collection[str]) -> dict[str, str]:
    """The ids of added methods, each with the name that was given for it.

    The name of an entry point, or of the class in lower case with hyphens; if the suite or another added
    method has that id, the class's module goes before it.

    Args:
        kinds: The classes, by the names given: an entry point's, or ``package.module:Class``.
        declared: The suite's own ids.

    Raises:
        UsageError: If even so two of them have the same id.
    """
    # One class that is given twice is one method.
    given = {kind: name for name, kind in reversed(list(kinds.items()))}
    short = {name: name if ":" not in name else method_id(kind.__qualname__) for kind, name in given.items()}
    counts = Counter([*map(plain_id, {TIMED_METHOD, *declared}), *map(plain_id, short.values())])
    found: dict[str, str] = {}
    for name, own in reversed(short.items()):
        unique = own if counts[plain_id(own)] == 1 else _with_module(kinds[name])
        other = found.setdefault(unique, name)
        if other != name:
            raise UsageError(
                f"Two methods would have the id '{unique}'",
                where=f"{other} and {name}",
                fix="Rename one of the classes: the results of one would be taken for the other's.",
            )
    return found


def _with_module(kind: type[Method[Any, Any]]) -> str:
    return f"{kind.__module__.replace('.', '-')}-{method_id(kind.__qualname__)}"


def method_id(class_name: str) -> str:
    """The id of a user's method: its class name in lower case with hyphens."""
    name = class_name.rpartition(".")[2]
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", name).lower()


def _resolver(
    args: argparse.Namespace, suite: Suite, scale: Scale, *, asks: bool
) -> tuple[Resolver, Lacking]:
    """What resources are had from, and what servers cannot do that experiments need."""
    known = resources_of(suite, scale)
    bindings = parse_bindings(args.bind, suite, known)
    require_content(bindings, known)
    servers = named_servers(args, suite, scale, known)
    try:
        resolver = Resolver.from_environment(bindings, accept=args.accept_licence)
    except OSError as error:
        raise ResourceError(
            f"The cache cannot be used: {error.strerror or error}",
            where=str(error.filename or ""),
            fix="Set CORROBORATE_HOME to a folder that can be written.",
        ) from error
    return resolver, put_servers(servers, suite, scale, resolver, asks=asks)


def _run_to_resume(name: str, suite: Suite, profile: Profile, runs: Path) -> Path:
    folder = newest_run(runs, suite.slug, profile.value) if name == NEWEST else find_run(name, runs)
    _ = open_run(folder)
    return folder


def _limits(args: argparse.Namespace, device: str, *, check: bool) -> Limits:
    """What the user says of limits and, to check trials against it, what the machine has."""
    for name in ("memory", "minutes"):
        value = getattr(args, name)
        if value is not None:
            check_limit(f"--{name}", value)
    return Limits(
        memory_gb=args.memory,
        device=device,
        minutes=args.minutes,
        have_gb=machine_gb() if check else {},
        have_gpus=len(cuda.driver().gpus) if check and device == "cuda" else None,
    )


def machine_gb() -> dict[str, float]:
    """Memory in GB by device kind: of this machine, and of the GPU that is used."""
    gpus = cuda.driver().gpus
    return {"cpu": usable_memory_gb()} | ({"cuda": gpus[0].memory_gb} if gpus else {})
