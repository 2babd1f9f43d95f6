"""``corroborate run``: run a suite, judge its claims and write the report."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.claims.forms import form_named
from harness.cli import until_settled
from harness.cli.costs import known_costs
from harness.cli.display import display, duration
from harness.cli.live_page import LivePage
from harness.cli.options import add_cluster, add_workers, check_cluster, check_workers
from harness.cli.request import NEWEST, add_request, make_request
from harness.cli.suites import broken_suites, suite_names
from harness.errors import CorroborateError, ExitCode, UsageError
from harness.text import plural

if TYPE_CHECKING:
    from harness.cli.runs import OpenedRun
    from harness.engine.run import Finished, RunRequest
    from harness.store.records import VerdictsRecord

MISSING_SHOWN = 20
"""Missing trials that ``--gather`` names."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_request(parser, many=True)
    parser.add_argument("--all", action="store_true", help="every suite, one after the other")
    parser.add_argument(
        "--resume",
        metavar="RUN",
        nargs="?",
        const=NEWEST,
        help="go on with a run that was interrupted (default: the newest of this suite and profile)",
    )
    until_settled.add_arguments(parser)
    parser.add_argument("--fresh", action="store_true", help="do not reuse finished trials of other runs")
    parser.add_argument(
        "--gather",
        action="store_true",
        help="execute nothing: put together what is stored, from whatever machine "
        "(with run-trial's trials), and judge it",
    )
    parser.add_argument(
        "--engine",
        choices=("pool", "ray", "inline"),
        default="pool",
        help="ray: on a Ray cluster; inline: in this process, for debugging",
    )
    add_cluster(parser)
    add_workers(parser)
    parser.add_argument(
        "--no-report",
        action="store_true",
        help="judge the claims, but write no report, nor a page while it runs",
    )


def main(args: argparse.Namespace) -> ExitCode:
    """Run, judge, report; with ``--all`` one suite after the other."""
    check_workers(args.workers)
    check_cluster(args)
    if args.gather and args.fresh:
        raise UsageError("--gather takes what --fresh leaves alone", where="corroborate run")
    if not args.all and not args.suite:
        raise UsageError("Nothing to run", where="corroborate run", fix="Name a suite, or give --all.")
    until_settled.check_options(args)
    return _every(args) if args.all else _one(args)


def _every(args: argparse.Namespace) -> ExitCode:
    """All suites; one that fails does not keep the others from running."""
    own = (
        "suite",
        "claim",
        "methods",
        "set",
        "method",
        "bind",
        "endpoint",
        "model",
        "key_variable",
        "resume",
    )
    given = [name for name in own if getattr(args, name) not in (None, [], "")]
    if given:
        raise UsageError(
            f"--all goes with nothing that speaks of one suite: {', '.join(given)}",
            where="corroborate run",
            fix="Name the suite instead.",
        )
    broken = broken_suites()
    codes = dict.fromkeys(broken, ExitCode.USAGE)
    for name, why in broken.items():
        print(f"error: {name} cannot be used: {why}", file=sys.stderr)
    for name in suite_names():
        print(f"\n{name}")
        args.suite = name
        try:
            codes[name] = _one(args)
        except CorroborateError as error:
            print(f"error: {error}", file=sys.stderr)
            codes[name] = error.exit_code
    bad = {name: code for name, code in codes.items() if code}
    print(f"\n{len(codes) - len(bad)} of {len(codes)} suites ran without a fault")
    for name, code in bad.items():
        print(f"  {name}: exit code {int(code)}")
    return max(codes.values(), default=ExitCode.OK)


def _one(args: argparse.Namespace) -> ExitCode:
    from harness.cli.runs import judged_and_stored, opened_at
    from harness.engine.run import execute_run

    request = make_request(
        args,
        resume=args.resume,
        engine=args.engine,
        address=args.address,
        artifact_store=args.artifact_store,
        workers=args.workers,
        fresh=args.fresh,
        gather=args.gather,
        executes=not args.gather,
    )
    request = until_settled.with_looks(args, request)
    costs = known_costs(request.suite, request.scale, request.runs)
    request = replace(request, expected=costs)
    with _shown(args, request, costs) as (shown, request):
        if request.looks:
            budget = until_settled.parse_budget(args.budget)
            finished = until_settled.run_until_settled(request, shown, budget)
        else:
            finished = execute_run(request, shown)
    run = opened_at(finished.folder)
    verdicts = judged_and_stored(run)
    _print(run, verdicts, finished)
    if finished.summary.missing:
        print(
            "No report is written before all trials are there: 'run --resume' executes what is missing, and "
            "'report' shows what there is."
        )
        return ExitCode.INFRASTRUCTURE
    if not args.no_report:
        _report(run, verdicts)
    if finished.summary.failed:
        print(
            f"{len(finished.summary.failed)} trials failed: their tracebacks are in trials.jsonl and logs/."
        )
        return ExitCode.INFRASTRUCTURE
    return _lost(verdicts)


@contextmanager
def _shown(
    args: argparse.Namespace, request: RunRequest, costs: Mapping[str, float]
) -> Iterator[tuple[until_settled.Shown, RunRequest]]:
    """What the user sees while it runs: lines or a bar, and unless no report is written, a page."""
    with display(costs) as lines:
        if args.no_report or args.gather:
            yield lines, request
            return
        with LivePage(lines, request, costs) as page:
            yield page, replace(request, opened=page.opened)


def _print(run: OpenedRun, verdicts: VerdictsRecord, finished: Finished) -> None:
    from harness.cli.verdicts import verdict_lines

    print("\n".join(verdict_lines(verdicts)))
    for name, reason in finished.plan.blocked.items():
        print(f"not run: {name}: {reason}")
    summary = finished.summary
    seconds = sum(record.cost.wall_s for record in run.reader.trials.values() if not record.reused_from)
    diverged = f"{len(summary.diverged)} diverged, " if summary.diverged else ""
    for trial in summary.missing[:MISSING_SHOWN]:
        print(f"missing: {trial}")
    if len(summary.missing) > MISSING_SHOWN:
        print(f"missing: {len(summary.missing) - MISSING_SHOWN} more")
    print(
        f"{plural(summary.executed, 'trial')} executed, "
        f"{summary.reused} reused, {diverged}{len(summary.failed)} failed"
        f"{f', {len(summary.missing)} missing' if finished.summary.missing else ''}; "
        f"{duration(seconds)} of work in this run: {run.folder}"
    )


def _report(run: OpenedRun, verdicts: VerdictsRecord) -> None:
    from reports import write_report

    folder = run.folder / "report"
    paths = write_report(
        run.suite, run.scale, run.reader, verdicts, folder, formats=("html", "latex", "markdown", "csv")
    )
    page = next((path for path in paths if path.suffix == ".html"), folder)
    print(f"report: {page}")
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    text = next((path for path in paths if path.suffix == ".md"), None)
    if summary and text:
        try:
            with Path(summary).open("a", encoding="utf-8") as file:
                file.write(text.read_text(encoding="utf-8"))
        except OSError as error:
            # The run, its verdicts and its report are there; only a page of the CI server lacks them.
            print(f"note: GITHUB_STEP_SUMMARY could not be written: {error}", file=sys.stderr)


def _lost(verdicts: VerdictsRecord) -> ExitCode:
    """1 if an exact claim does not hold: that is a fault of the code, whatever the scale."""
    broken = [
        v.claim
        for v in verdicts.verdicts
        if v.form and form_named(v.form).at_any_scale and v.verdict == "not reproduced"
    ]
    for claim in broken:
        print(f"lost: {claim} is exact and does not hold here.")
    return ExitCode.LOST if broken else ExitCode.OK
