"""``corroborate bundle``: a run in one archive that others can verify and run again; and opening one."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from harness.bundle import Extras, make_bundle, open_bundle
from harness.bundle.licences import inputs_of, spdx
from harness.bundle.make import LICENCE
from harness.bundle.opening import LIMIT_GB
from harness.cli.needs import resources_of
from harness.cli.options import add_runs, check_limit
from harness.cli.outputs import require_file, require_folder
from harness.cli.runs import OpenedRun, add_reference, chosen, judged, notes_on, refuse_rehearsal, tell
from harness.errors import ExitCode, UsageError
from harness.hub import installed_facts
from harness.text import expanded, plural


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("run", nargs="?", help="a run's folder or name, or a suite (its newest run)")
    parser.add_argument(
        "--out",
        metavar="PATH",
        type=expanded,
        help="the archive to write (default: RUN.zip here); with --open the folder to unpack into",
    )
    parser.add_argument(
        "--licence",
        metavar="SPDX",
        default=LICENCE,
        help=f"the licence that you give the bundle away under (default: {LICENCE})",
    )
    parser.add_argument(
        "--open",
        metavar="FILE",
        dest="archive",
        type=expanded,
        help="unpack a bundle into the new folder --out, and check every hash",
    )
    parser.add_argument(
        "--limit-gb",
        metavar="GB",
        type=float,
        default=LIMIT_GB,
        help=f"with --open: how much it may unpack to (default: {LIMIT_GB:g})",
    )
    add_reference(parser)
    add_runs(parser)


def main(args: argparse.Namespace) -> ExitCode:
    """Write a bundle, or open one.

    Raises:
        UsageError: If both a run and an archive are named, or neither; or the run is a rehearsal.
    """
    if bool(args.run) == bool(args.archive):
        raise UsageError(
            "Either a run is bundled or a bundle is opened",
            where="corroborate bundle",
            fix="corroborate bundle RUN, or corroborate bundle --open FILE.zip --out FOLDER.",
        )
    return _open(args) if args.archive else _make(args)


def _open(args: argparse.Namespace) -> ExitCode:
    if args.out is None:
        raise UsageError(
            "--open needs a folder to unpack into", where="corroborate bundle", fix="Give --out FOLDER."
        )
    require_folder(args.out, "--out")
    check_limit("--limit-gb", args.limit_gb)
    count = open_bundle(args.archive, args.out, args.limit_gb)
    print(f"{args.out}: {plural(count, 'file')}, each with the hash that was recorded")
    print(f"read it with: corroborate verdicts {args.out}")
    return ExitCode.OK


def _make(args: argparse.Namespace) -> ExitCode:
    licence = spdx(args.licence)
    if not licence:
        raise UsageError(
            "This is no SPDX identifier of a licence",
            where=f"--licence {args.licence}",
            fix="For example CC0-1.0.",
        )
    run = chosen(args.run, args)
    refuse_rehearsal(run)
    archive = args.out or Path(f"{run.reader.record.run}.zip")
    require_file(archive, "--out")
    notes = _bundle(run, archive, licence)
    tell([*notes_on(run), *notes])
    print(f"{archive}: {archive.stat().st_size / 1e6:.2f} MB")
    return ExitCode.OK


def _bundle(run: OpenedRun, archive: Path, licence: str) -> list[str]:
    from reports import write_report

    verdicts = judged(run)
    resources = resources_of(run.suite, run.scale).values()
    with tempfile.TemporaryDirectory(prefix="corroborate-") as scratch:
        pages = write_report(run.suite, run.scale, run.reader, verdicts, Path(scratch), formats=("html",))
        extras = Extras(
            report={page.relative_to(scratch).as_posix(): page for page in pages},
            inputs=inputs_of(resources, run.reader.record.bindings, installed_facts()),
            licence=licence,
        )
        return make_bundle(run.suite, run.reader, verdicts, archive, extras)
