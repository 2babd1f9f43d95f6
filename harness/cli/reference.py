"""``corroborate reference``: keep a run as a suite's committed results."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from harness.cli.options import add_runs
from harness.cli.outputs import require_folder
from harness.cli.runs import OpenedRun, judged, opened, refuse_rehearsal
from harness.errors import ExitCode, UsageError
from harness.plan.selection import cells_of
from harness.store import TIMED_METHOD
from harness.store.records import TrialRecord
from harness.store.reference import LIMIT_MB, write_reference
from harness.text import expanded


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("run", help="a run's folder or name, or a suite (its newest run)")
    parser.add_argument(
        "--out", metavar="FOLDER", type=expanded, help="default: reference/PROFILE in the suite's folder"
    )
    parser.add_argument("--limit-mb", metavar="MB", type=float, default=LIMIT_MB, help="largest size")
    add_runs(parser)


def _read_by_claims(run: OpenedRun) -> Callable[[TrialRecord, str], bool]:
    """Whether any claim of the suite reads a part of a trial."""
    forms = [claim.forms.get(run.scale.profile) for claim in run.suite.claims]
    cells = {(c.experiment, c.task, c.method, c.part) for form in forms for c in cells_of(form)}

    def read(record: TrialRecord, part: str) -> bool:
        methods = {method for experiment, _, method, _ in cells if experiment == record.experiment}
        names = methods if record.method == TIMED_METHOD else {record.method}
        return any((record.experiment, task, m, part) in cells for m in names for task in ("", record.task))

    return read


def _refuse_unfinished(run: OpenedRun) -> None:
    """Stop if a planned trial has no result: verdicts would lack it, and every later run would differ."""
    trials = run.reader.trials
    lacking = [
        name
        for name in run.reader.record.planned
        if name not in trials or trials[name].status not in {"ok", "diverged"}
    ]
    if lacking:
        raise UsageError(
            f"{len(lacking)} of the run's planned trials have no result, the first is {lacking[0]}",
            where=str(run.folder),
            fix="Go on with 'corroborate run SUITE --resume' and take the finished run.",
        )


def main(args: argparse.Namespace) -> ExitCode:
    """Judge the run and write it.

    Raises:
        UsageError: If the run is a rehearsal, or not finished, or the folder holds something else.
    """
    require_folder(args.out, "--out")
    run = opened(args.run, args.runs)
    refuse_rehearsal(run)
    _refuse_unfinished(run)
    name = f"{run.scale.profile}-full" if run.scale.full else run.scale.profile.value
    folder = args.out or run.suite.folder / "reference" / name
    omitted = write_reference(run.reader, folder, args.limit_mb, _read_by_claims(run), judged(run))
    size = sum(path.stat().st_size for path in folder.iterdir())
    print(f"{folder}: {size / 1e6:.2f} MB")
    if omitted:
        print(f"left out for their size: {len(omitted)} evaluation sets, listed in omitted.json")
    return ExitCode.OK
