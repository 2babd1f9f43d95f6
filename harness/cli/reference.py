"""``corroborate reference``: keep a run as a suite's committed results."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from harness.cli.options import add_runs, check_limit
from harness.cli.outputs import require_folder
from harness.cli.proving import printed, proof_of
from harness.cli.runs import OpenedRun, opened, opened_at, refuse_rehearsal, tell
from harness.declared.gating import few_note
from harness.errors import ExitCode, RecordError, UsageError
from harness.store.reference import LIMIT_MB, PackedRun, packed_run
from harness.store.replace import refuse_foreign, replace_folder
from harness.text import expanded, plural


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("run", help="a run's folder or name, or a suite (its newest run)")
    parser.add_argument(
        "--out", metavar="FOLDER", type=expanded, help="default: reference/PROFILE in the suite's folder"
    )
    parser.add_argument("--limit-mb", metavar="MB", type=float, default=LIMIT_MB, help="largest size")
    add_runs(parser)


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
    """Judge the run, prove that what is kept gives the same, and write it.

    Raises:
        UsageError: If the run is a rehearsal, or not finished, or the folder holds something else.
        RecordError: If the run is too large, or what is kept would not give what the run gives.
    """
    require_folder(args.out, "--out")
    check_limit("--limit-mb", args.limit_mb)
    run = opened(args.run, args.runs)
    refuse_rehearsal(run)
    _refuse_unfinished(run)
    name = f"{run.scale.profile}-full" if run.scale.full else run.scale.profile.value
    folder = args.out or run.suite.folder / "reference" / name
    refuse_foreign(folder, run.suite.slug)
    packed = _packed(run, args.limit_mb)
    _prove(packed)
    replace_folder(folder, packed.files)
    print(f"{folder}: {packed.size / 1e6:.2f} MB")
    tell(_few(run))
    if packed.without:
        print(f"kept as values by replicate, without their rows: {len(packed.without)} evaluation sets")
    return ExitCode.OK


def _few(run: OpenedRun) -> list[str]:
    """A note, if a gate against these results would see little."""
    from harness.evidence.watched import few_recorded

    note = few_note(few_recorded(run.suite, run.scale, run.reader))
    return [note] if note else []


def _packed(run: OpenedRun, limit_mb: float) -> PackedRun:
    """The run as committed results: with all that its verdicts, its report and comparisons read."""
    from harness.evidence import judge
    from harness.evidence.reading import reading_of
    from reports.build import build

    verdicts = judge(run.suite, run.scale, run.reader)
    numbers = printed(build(run.suite, run.scale, run.reader, verdicts))
    reading = reading_of(run.suite, run.scale, run.reader)
    return packed_run(run.reader, reading, verdicts, numbers, limit_mb)


def _prove(packed: PackedRun) -> None:
    """Derive everything from the files alone, before they take the place of others.

    Raises:
        RecordError: If something is not as in the run.
    """
    with tempfile.TemporaryDirectory() as place:
        for name, data in packed.files.items():
            (Path(place) / name).write_bytes(data)
        checks = proof_of(opened_at(Path(place)))
    faults = [text for check in checks for text in (*check.differ, *check.missing, *check.underivable)]
    if faults:
        raise RecordError(
            f"What would be kept does not give what the run gives in {plural(len(faults), 'place')}: "
            f"{faults[0]}",
            fix="Nothing was written. This is a fault of corroborate itself; please report it.",
        )
