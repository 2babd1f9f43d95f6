"""``corroborate rehearse``: try a large profile's experiments on tiny stand-ins, all of them."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from harness import cuda
from harness.claims import Profile
from harness.cli.display import display
from harness.cli.options import add_runs, profile_named
from harness.cli.outputs import require_file, write_file
from harness.cli.suites import broken_suites, suite_names, usable_suites
from harness.errors import ExitCode, UsageError
from harness.store import runs_folder
from harness.suite import Scale, Suite
from harness.text import expanded

if TYPE_CHECKING:
    from harness.rehearsal import Arm, Rehearsed, Report

LARGE = (Profile.GPU, Profile.PAPER)
"""The profiles that few machines can run."""
FOLDER = "rehearsals"
"""In the folder of runs, so that no other command takes a rehearsal for a suite's newest run."""
DTYPES = ("float32", "bfloat16")
_MARKS = {"ran": "+", "stopped": "~", "failed": "-", "not run": "-", "not planned": "!"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("suite", nargs="*", help="names of suites: 'corroborate list' shows them")
    parser.add_argument("--all", action="store_true", help="every suite, one after the other")
    parser.add_argument("--profile", metavar="NAME", help="gpu or paper (default: both)")
    parser.add_argument("--full", action="store_true", help="wider grids, too")
    parser.add_argument("--dtype", choices=DTYPES, help="type of model weights (default: both, in turn)")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="default: cpu")
    parser.add_argument("--seeds", metavar="N", type=int, default=1, help="seeds of each experiment")
    parser.add_argument("--engine", choices=("pool", "inline"), default="pool", help="inline: for debugging")
    parser.add_argument("--workers", metavar="N", type=int, default=2, help="CPU threads of the pool")
    parser.add_argument("--json", metavar="FILE", type=expanded, help="also write what became of every arm")
    parser.add_argument("--no-report", action="store_true", help="judge the claims, but write no report")
    add_runs(parser)


def main(args: argparse.Namespace) -> ExitCode:
    """Rehearse, and fail unless every arm that is planned has run."""
    if bool(args.suite) == args.all:
        raise UsageError("Name suites, or give --all", where="corroborate rehearse")
    if args.seeds < 1 or args.workers < 1:
        raise UsageError("At least one seed and one worker are needed", where="corroborate rehearse")
    require_file(args.json, "--json")
    cuda.choose(args.device)
    profiles = (profile_named(args.profile),) if args.profile else LARGE
    suites = usable_suites(args.suite)
    lacking = 0 if args.suite else len(suite_names()) + len(broken_suites()) - len(suites)
    dtypes = (args.dtype,) if args.dtype else DTYPES
    reports = [
        _one(args, suite, Scale(profile=profile, full=args.full), dtype)
        for suite, profile, dtype in product(suites, profiles, dtypes)
    ]
    if args.json:
        text = json.dumps([report.as_json() for report in reports], indent=1, ensure_ascii=False)
        write_file(args.json, text + "\n", "The account of the rehearsals")
    passed = sum(report.passed for report in reports)
    if len(reports) > 1:
        print(f"\n{passed} of {len(reports)} rehearsals ran every arm")
    return ExitCode.OK if passed == len(reports) and not lacking else ExitCode.INFRASTRUCTURE


def _one(args: argparse.Namespace, suite: Suite, scale: Scale, dtype: str) -> Report:
    from harness.rehearsal import rehearse, report_of
    from harness.store import open_run

    print(f"\n{suite.slug}, profile {scale.profile}, {dtype}")
    with tempfile.TemporaryDirectory(prefix="corroborate-rehearsal-") as work, display() as shown:
        done = rehearse(
            suite,
            scale,
            Path(work),
            shown,
            dtype=dtype,
            seeds=args.seeds,
            runs=runs_folder(args.runs) / FOLDER,
            device=args.device,
            engine=args.engine,
            workers=args.workers,
            argv=tuple(sys.argv),
        )
    finished = done.finished
    # A report on trials that have no result is refused, and would only repeat what is known.
    whole = not finished.summary.failed
    beside = _judged(done, scale, report=whole and not args.no_report)
    view = open_run(finished.folder)
    report = report_of(done.suite, scale, finished.plan, view, dtype=dtype, beside=beside)
    print("\n".join(_lines(report, finished.folder)))
    return report


def _judged(done: Rehearsed, scale: Scale, *, report: bool) -> str:
    """Judge the claims and write the report, as after any run; gives what went wrong."""
    from harness.cli.runs import OpenedRun, judged_and_stored
    from harness.store import open_run

    folder = done.finished.folder
    run = OpenedRun(folder, open_run(folder), done.suite, scale)
    try:
        verdicts = judged_and_stored(run)
        if report:
            from reports import write_report

            formats = ("html", "markdown", "csv")
            write_report(done.suite, scale, run.reader, verdicts, folder / "report", formats=formats)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what a rehearsal looks for
        return "".join(traceback.format_exception(error)).strip()
    return ""


def _lines(report: Report, folder: Path) -> Iterator[str]:
    for name, arms in _by_task(report).items():
        bad = [arm for arm in arms if arm.status != "ran"]
        marks = {_MARKS[arm.status] for arm in bad}
        yield f" {'-' if marks - {'~'} else '~' if marks else '+'} {name}: {_ran(arms)} arms ran"
        # One broken artifact takes many arms down, for one reason.
        for reason in dict.fromkeys((arm.status, arm.reason) for arm in bad):
            alike = [arm for arm in bad if (arm.status, arm.reason) == reason]
            names = ", ".join(arm.method for arm in alike)
            yield f"   {_MARKS[reason[0]]} {names}: {': '.join(reason)}"
            if alike[0].trial:
                yield f"     trial {alike[0].trial}; its traceback is in {folder / 'trials.jsonl'}"
    if report.beside:
        yield f" - judging and reporting: {report.beside}"
    stopped = sum(arm.status == "stopped" for arm in report.arms)
    beside = f", {stopped} stopped where a random model must" if stopped else ""
    outcome = "passed" if report.passed else "failed"
    yield f"{outcome}: {_ran(report.arms)} arms ran{beside}: {folder}"


def _ran(arms: Sequence[Arm]) -> str:
    return f"{sum(arm.status == 'ran' for arm in arms)} of {len(arms)}"


def _by_task(report: Report) -> dict[str, list[Arm]]:
    found: dict[str, list[Arm]] = {}
    for arm in report.arms:
        found.setdefault(f"{arm.experiment}/{arm.task}", []).append(arm)
    return found
