"""``corroborate doctor``: what is installed, which device, and what each suite would need."""

from __future__ import annotations

import argparse
import os
import shutil
from pathlib import Path

from harness import cuda
from harness.claims import Profile
from harness.cli.doctor_online import check_hub
from harness.cli.needs import artifacts_of, resources_of
from harness.cli.options import add_profile, profile_named
from harness.cli.suites import broken_suites, load_suite, suite_names, usable_suites
from harness.errors import CorroborateError, ExitCode, SuiteError, UsageError
from harness.hub import licence_of, size_mb_of
from harness.method.references import Resource
from harness.provenance import PACKAGES, collect
from harness.resources import Resolver
from harness.resources.environment import hub_is_offline
from harness.store.records import Provenance
from harness.suite import Scale, Suite

_CORE = ("numpy", "scipy", "statsmodels", "pandas", "pyarrow", "torch", "transformers")
_MARKS = {"present": "+", "fetchable": "^", "missing": "-", "blocked": "!"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("suite", nargs="*", help="only these suites (default: all)")
    add_profile(parser, default=None)
    parser.add_argument(
        "--online",
        action="store_true",
        help="ask the Hugging Face hub, without downloading, whether every source there would work",
    )
    parser.add_argument("--json", action="store_true", help="with --online: the findings as JSON")


def main(args: argparse.Namespace) -> ExitCode:
    """Print the findings; fails if runs cannot work here at all."""
    profiles = [profile_named(args.profile)] if args.profile else list(Profile)
    if args.json and not args.online:
        raise UsageError("--json goes with --online", where="doctor")
    if args.online:
        return check_hub(usable_suites(args.suite), profiles, Resolver.from_environment(), as_json=args.json)
    provenance = collect(["doctor"])
    resolver = Resolver.from_environment()
    problems = _machine(provenance) + _storage(resolver)
    for name in args.suite or suite_names():
        print(f"\n{name}")
        try:
            _suite(load_suite(name), profiles, resolver)
        except SuiteError as error:
            problems.append(f"{name}: {error}")
    if not args.suite:
        problems += [f"{name}: {why}" for name, why in broken_suites().items()]
    for problem in problems:
        print(f"\nproblem: {problem}")
    return ExitCode.INFRASTRUCTURE if problems else ExitCode.OK


def _machine(found: Provenance) -> list[str]:
    print(f"corroborate {found.corroborate}, Python {found.python}, {found.platform}")
    print(f"processor   {found.cpu or 'unknown'}, {found.cores} cores, {found.memory_gb} GiB memory")
    for line in _gpu_lines():
        print(line)
    versions = [f"{name} {found.packages.get(name, '(absent)')}" for name in PACKAGES]
    print(f"packages    {', '.join(versions)}")
    absent = [name for name in _CORE if name not in found.packages]
    return [f"These packages are missing: {', '.join(absent)}"] if absent else []


def _gpu_lines() -> list[str]:
    """The GPUs, and which device a run takes when none is asked for."""
    driver, torch = cuda.driver(), cuda.torch_build()
    gpus = [f"GPU         {gpu.name}, {gpu.memory_gb:g} GiB memory" for gpu in driver.gpus]
    versions = [f"driver {driver.version}" if driver.version else "", f"CUDA up to {driver.supports}"]
    if driver.gpus:
        gpus[-1] += f" ({', '.join(filter(None, versions))})"
    build = f"for CUDA {torch.cuda}" if torch.cuda else "without CUDA"
    chosen = cuda.choose(None)
    return [
        *(gpus or [f"GPU         none: {driver.missing}"]),
        f"PyTorch     {f'{torch.version}, built {build}' if torch.version else 'absent'}",
        f"device      {chosen.device} ({chosen.reason})",
    ]


def _storage(resolver: Resolver) -> list[str]:
    home = resolver.home
    existing = next(folder for folder in [home, *home.parents] if folder.exists())
    free_gb = shutil.disk_usage(existing).free / 2**30
    print(f"cache       {home} ({free_gb:.1f} GiB free)")
    print(f"mirror      {resolver.mirror or 'none (CORROBORATE_MIRROR)'}")
    print(f"hub         {'switched off (offline)' if hub_is_offline() else 'allowed'}")
    print(f"licences    accepted: {', '.join(sorted(resolver.accepted)) or 'none'}")
    return [] if _writable(existing) else [f"The cache cannot be written: {home} (set CORROBORATE_HOME)"]


def _writable(folder: Path) -> bool:
    return folder.is_dir() and os.access(folder, os.W_OK)


def _suite(suite: Suite, profiles: list[Profile], resolver: Resolver) -> None:
    for profile in profiles:
        scale = Scale(profile=profile)
        resources = resources_of(suite, scale)
        artifacts = artifacts_of(suite, scale)
        print(f"  {profile:6} {len(resources)} resources, {len(artifacts)} artifacts to build once")
        for resource in resources.values():
            print(f"    {_line(resource, resolver)}")


def _line(resource: Resource, resolver: Resolver) -> str:
    found = size_mb_of(resource, resolver.facts)
    size = f", about {found} MB" if found else ""
    licence = licence_of(resource, resolver.facts)
    try:
        status = resolver.status(resource)
        state, text = status.state, status.text
    except CorroborateError as error:
        state, text = "missing", str(error)
    told = f"{resource.name} ({resource.kind}, {licence}{size}): {text}"
    return f"{_MARKS[state]} {state:9} {' '.join(told.split())}"
