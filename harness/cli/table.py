"""``corroborate table``: one table of a suite's newest run, ready for a paper or a README."""

from __future__ import annotations

import argparse

from harness.cli.options import add_runs
from harness.cli.outputs import print_document, require_file, write_file
from harness.cli.runs import OpenedRun, add_reference, chosen, judged, notes_on, refuse_rehearsal, tell
from harness.cli.suites import load_suite
from harness.errors import ExitCode, UsageError
from harness.plan.displayed import shown_under
from harness.text import expanded

FORMATS = ("latex", "markdown", "csv", "html")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("suite", help="the suite")
    parser.add_argument("id", help="the table's id; 'corroborate list SUITE' shows them")
    parser.add_argument(
        "--format", default="latex", metavar="NAME", help=f"{', '.join(FORMATS)} (default: latex)"
    )
    parser.add_argument("--columns", choices=("single", "double"), default="single", help="width, for LaTeX")
    parser.add_argument("--run", metavar="RUN", help="the run (default: the suite's newest)")
    parser.add_argument("--out", metavar="FILE", type=expanded, help="write to a file instead of printing")
    add_reference(parser)
    add_runs(parser)


def main(args: argparse.Namespace) -> ExitCode:
    """Render and print."""
    require_file(args.out, "--out")
    suite = load_suite(args.suite)
    if args.run and args.reference:
        raise UsageError("--run and --reference name two places to read from", where="corroborate table")
    run = chosen(args.run or suite.slug, args)
    if run.suite.slug != suite.slug:
        raise UsageError(
            f"The run is of suite '{run.suite.slug}'", where=str(run.folder), fix="Name another --run."
        )
    refuse_rehearsal(run)
    _require_profile(run, args.id)
    text = _rendered(run, args)
    tell(notes_on(run))
    if args.out:
        write_file(args.out, text, "The table")
        print(args.out)
    else:
        print_document(text)
    return ExitCode.OK


def _require_profile(run: OpenedRun, table_id: str) -> None:
    table = next((table for table in run.suite.tables if table.id == table_id), None)
    made = shown_under(table, run.suite) if table else ()
    if table and run.scale.profile not in made:
        raise UsageError(
            f"Table '{table_id}' is not made under profile '{run.scale.profile}'",
            where=str(run.folder),
            fix=f"Name a run under {' or '.join(made)} with --run.",
        )


def _rendered(run: OpenedRun, args: argparse.Namespace) -> str:
    from reports import render_table

    return render_table(
        run.suite, run.scale, run.reader, judged(run), args.id, args.format, columns=args.columns
    )
