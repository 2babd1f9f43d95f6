"""``corroborate reference``: keep a run as a suite's committed results."""

from __future__ import annotations

import argparse
from pathlib import Path

from harness.cli.options import add_runs
from harness.cli.runs import judged, opened
from harness.errors import ExitCode
from harness.store.reference import LIMIT_MB, write_reference


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("run", help="a run's folder or name, or a suite (its newest run)")
    parser.add_argument(
        "--out", metavar="FOLDER", type=Path, help="default: reference/PROFILE in the suite's folder"
    )
    parser.add_argument("--limit-mb", metavar="MB", type=float, default=LIMIT_MB, help="largest size")
    add_runs(parser)


def main(args: argparse.Namespace) -> ExitCode:
    """Judge the run and write it."""
    run = opened(args.run, args.runs)
    judged(run)
    name = f"{run.scale.profile}-full" if run.scale.full else run.scale.profile.value
    folder = args.out or run.suite.folder / "reference" / name
    run.reader.__dict__.pop("verdicts", None)
    omitted = write_reference(run.reader, folder, args.limit_mb)
    size = sum(path.stat().st_size for path in folder.iterdir())
    print(f"{folder}: {size / 1e6:.2f} MB")
    if omitted:
        print(f"left out for their size: {len(omitted)} evaluation sets, listed in omitted.json")
    return ExitCode.OK
