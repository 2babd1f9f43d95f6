"""``corroborate run-trial``: one trial of a plan by itself, for any scheduler."""

from __future__ import annotations

import argparse

from harness.cli.display import display, duration, last_line
from harness.cli.request import add_request, make_request
from harness.errors import ExitCode

EPILOG = """\
Any number of these may run at once, on machines that share the runs folder and the cache. Each keeps
its trial under trials/ in the runs folder; one that was killed goes on when it is started again. What
the trial needs and is not built yet is built first, once for all who wait. 'corroborate run SUITE' (or
run --resume) then takes these trials instead of executing them; with --gather it takes them whatever
machine they come from and executes nothing. Main trials of a tuned method need the values that tuning
chooses: run its tuning trials first ('corroborate plan SUITE --json' lists them with their stage).
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.epilog = EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add_request(parser)
    parser.add_argument("trial", help="the trial's id: 'corroborate plan SUITE --trials' lists them")
    parser.add_argument(
        "--engine", choices=("pool", "inline"), default="pool", help="inline: in this process, without limits"
    )


def main(args: argparse.Namespace) -> ExitCode:
    """Run the trial, unless it is there."""
    from harness.engine.run import execute_one
    from harness.store import open_run

    request = make_request(args, engine=args.engine)
    with display() as shown:
        finished = execute_one(request, args.trial, shown)
    record = open_run(finished.folder).trials[args.trial]
    source = f"reused from {record.reused_from}" if record.reused_from else f"{record.status} before"
    state = source if finished.summary.reused else record.status
    print(f"{record.trial}: {state}, {duration(record.cost.wall_s)} of work: {finished.folder}")
    if finished.summary.failed:
        print(last_line(record.error))
        return ExitCode.INFRASTRUCTURE
    return ExitCode.OK
