"""The runs that noise is measured from: one process each, since libraries choose their kernels once."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from harness.cli.costs import known_costs
from harness.cli.display import display
from harness.cli.noise_variants import Variant, variants
from harness.cli.request import make_request
from harness.engine.run import RunRequest, execute_run
from harness.errors import CorroborateError, ExitCode, UsageError
from harness.store.noise import BASELINE

FOLDER = "noise"
"""In the folder of runs, so that no other command takes a variant for a suite's newest run."""


def request_of(args: argparse.Namespace) -> RunRequest:
    """The suite's run as it is, with the settings of the variant ``batch`` beside it.

    Raises:
        UsageError: As :func:`harness.cli.request.make_request`.
        DeviceError: If it asks for a GPU that cannot be used.
    """
    full = {**vars(args), "full": False, "methods": "", "method": []}
    return make_request(argparse.Namespace(**full), engine=args.engine, workers=args.workers)


def run_here(args: argparse.Namespace, name: str) -> ExitCode:
    """Run the baseline or a variant in this process, and print its folder.

    Finished trials of ordinary runs are taken as well; artifacts are made anew where the environment is
    another one, since they are a part of what is measured.

    Raises:
        UsageError: If it cannot be run here.
        CorroborateError: If it cannot be stored.
    """
    asked = request_of(args)
    variant = Variant("as it is") if name == BASELINE else variants(asked)[name]
    if variant.missing:
        raise UsageError(f"The variant cannot be run here: {variant.missing}", where=f"--only {name}")
    print(f"\n{name}: {variant.what}", file=sys.stderr)
    os.environ.update(variant.variables)
    if name != "batch":
        asked = replace(asked, settings={}, selection=replace(asked.selection, settings={}))
    request = variant.changed(replace(asked, runs=asked.runs / FOLDER / name, also=(asked.runs,)))
    with display(known_costs(request.suite, request.scale, asked.runs)) as shown:
        finished = execute_run(request, shown)
    print(finished.folder)
    return ExitCode.INFRASTRUCTURE if finished.summary.failed else ExitCode.OK


def run_apart(args: argparse.Namespace, name: str) -> Path:
    """Run the baseline or a variant in a process of its own.

    Returns:
        The folder of the run, in which trials may have failed.

    Raises:
        CorroborateError: If there is none; the process has told why.
    """
    printed = started([*_options(args), "--only", name])
    if not printed.strip():
        raise CorroborateError(f"The run '{name}' did not come to its end", fix="Its own message is above.")
    return Path(printed.strip().splitlines()[-1])


def started(arguments: list[str]) -> str:
    """What a process of this command prints; what it shows meanwhile goes where ours does."""
    command = [sys.executable, "-P", "-m", "harness.cli.main", "noise", *arguments]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False).stdout


def _options(args: argparse.Namespace) -> Iterator[str]:
    """The command line that the arguments stand for."""
    yield from (args.suite, "--profile", args.profile, "--seeds", args.seeds)
    yield from ("--engine", args.engine, "--workers", str(args.workers))
    for name in ("device", "memory", "minutes", "runs"):
        if getattr(args, name) is not None:
            yield from (f"--{name}", str(getattr(args, name)))
    lists = {"claim": args.claim, "set": args.set, "bind": args.bind, "accept-licence": args.accept_licence}
    lists |= {"endpoint": args.endpoint, "model": args.model, "key-variable": args.key_variable}
    for name, values in lists.items():
        for value in values:
            yield from (f"--{name}", value)
