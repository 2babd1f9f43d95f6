"""``corroborate report``: write a run's report again, or the index of all runs."""

from __future__ import annotations

import argparse
import os
from hashlib import sha256
from pathlib import Path

from harness.bundle import is_bundle
from harness.cli.options import add_runs
from harness.cli.outputs import require_folder
from harness.cli.runs import REFERENCE, OpenedRun, add_reference, chosen, judged, notes_on, opened_at, tell
from harness.cli.suites import broken_suites, reference_folders
from harness.errors import CorroborateError, ExitCode, UsageError, unknown_name
from harness.store import committed_report, runs_folder
from harness.text import expanded

DEFAULT = ("html", "latex", "markdown", "csv")
FORMATS = (*DEFAULT, "junit")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("run", nargs="?", help="a run's folder or name, or a suite (its newest run)")
    parser.add_argument(
        "--format",
        metavar="NAME",
        action="append",
        default=[],
        help=f"of {', '.join(FORMATS)} (default: all but junit)",
    )
    parser.add_argument(
        "--out",
        metavar="FOLDER",
        type=expanded,
        help="where to write (default: report/ in the run; for committed results a folder of the runs)",
    )
    parser.add_argument("--columns", choices=("single", "double"), default="double", help="width, for LaTeX")
    parser.add_argument("--index", action="store_true", help="write the index: committed results and runs")
    add_reference(parser)
    add_runs(parser)


def main(args: argparse.Namespace) -> ExitCode:
    """Write, and say where."""
    for name in args.format:
        if name not in FORMATS:
            raise unknown_name("format", name, list(FORMATS), where="--format")
    if not args.run and not args.index:
        raise UsageError(
            "Nothing to report on", where="corroborate report", fix="Name a run, or give --index."
        )
    if args.run:
        require_folder(args.out, "--out")
        _report(args)
    if args.index:
        from reports import write_index

        tell(f"without suite '{name}': {reason}" for name, reason in broken_suites().items())
        print(write_index(runs_folder(args.runs), reference_folders(), _thumbnail))
    return ExitCode.OK


def _thumbnail(folder: Path) -> str:
    """The headline figure of committed results; the index does not fail for the want of one."""
    from reports import thumbnail_of

    try:
        run = opened_at(folder)
        stored = run.reader.verdicts
        return thumbnail_of(run.suite, run.scale, run.reader, stored) if stored else ""
    except CorroborateError as error:
        tell([f"no thumbnail for {folder}: {error.what}"])
        return ""


def _report(args: argparse.Namespace) -> None:
    run = chosen(args.run, args)
    from reports import write_report

    folder = args.out or _default_folder(run, runs_folder(args.runs))
    formats = tuple(args.format) or DEFAULT
    written = write_report(
        run.suite, run.scale, run.reader, judged(run), folder, formats=formats, columns=args.columns
    )
    tell(notes_on(run))
    for path in written:
        print(path)


def _default_folder(run: OpenedRun, runs: Path) -> Path:
    """Where a report goes: into its run, but never into committed results or a bundle."""
    if not run.reader.is_committed and not is_bundle(run.folder):
        return run.folder / "report"
    kept = committed_report(runs, run.suite.slug, run.scale.profile, full=run.scale.full)
    folder = run.folder.resolve()
    if run.reader.is_committed and folder.parent == (run.suite.folder / REFERENCE).resolve():
        return kept
    # A bundle, a copy, or another checkout's: the index takes what is in that place for the suite's own.
    return kept.with_name(f"{kept.name}-{sha256(os.fsencode(folder)).hexdigest()[:8]}")
