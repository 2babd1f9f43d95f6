"""``corroborate regress``: the gate for CI. What did a run lose against a baseline?"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from harness.cli.ci import Case, annotation, write_junit
from harness.cli.options import add_runs
from harness.cli.outputs import require_file, writing
from harness.cli.runs import (
    REFERENCE,
    OpenedRun,
    committed_beside,
    judged,
    notes_on,
    opened,
    refuse_rehearsal,
    tell,
)
from harness.declared.gating import few_note
from harness.errors import ExitCode
from harness.text import expanded

if TYPE_CHECKING:
    from harness.evidence.outcomes import Item
    from harness.evidence.regress import Regression

_MARKS = {"regressed": "-", "lost": "-", "improved": "+", "same": "=", "reported": "*", "not comparable": "~"}
_STATUS = {"regressed": "failed", "lost": "failed", "not comparable": "skipped"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("run", help="a run's folder or name, or a suite (its newest run)")
    parser.add_argument(
        "--baseline",
        metavar="RUN",
        default=REFERENCE,
        help="a run's folder or name, or 'reference' for the committed results (default)",
    )
    parser.add_argument(
        "--claim",
        metavar="ID",
        action="append",
        default=[],
        help="ask about this claim only, and what it measures; may be repeated",
    )
    parser.add_argument("--junit", metavar="FILE", type=expanded, help="also write a JUnit file")
    add_runs(parser)


def main(args: argparse.Namespace) -> ExitCode:
    """Compare, report, and fail if something was lost."""
    from harness.evidence.regress import regress_run

    require_file(args.junit, "--junit")
    run = opened(args.run, args.runs)
    refuse_rehearsal(run)
    baseline = _baseline(args, run)
    refuse_rehearsal(baseline)
    before = baseline.reader.verdicts or judged(baseline)
    found = regress_run(
        run.suite,
        run.scale,
        baseline=baseline.reader,
        run=run.reader,
        baseline_verdicts=before,
        verdicts=judged(run),
        claims=args.claim,
    )
    unfinished = _unfinished(run) | {name: _outside(reason) for name, reason in found.barred.items()}
    cases = [*map(_case, found.items), *(Case(name, "error", reason) for name, reason in unfinished.items())]
    _print(run, baseline, found, unfinished, asked=args.claim)
    tell(dict.fromkeys([*notes_on(run), *notes_on(baseline)]))
    if os.environ.get("GITHUB_ACTIONS"):
        _annotate(run.suite.slug, cases)
    if args.junit:
        with writing(args.junit, "The JUnit file"):
            write_junit(args.junit, f"corroborate.{run.suite.slug}", cases, _properties(run, baseline))
    return _exit_code(found, unfinished)


def _baseline(args: argparse.Namespace, run: OpenedRun) -> OpenedRun:
    return committed_beside(run) if args.baseline == REFERENCE else opened(args.baseline, args.runs)


def _unfinished(run: OpenedRun) -> dict[str, str]:
    """Planned trials that say nothing about the code: never finished, or cut off by a limit."""
    found = {}
    for name in run.reader.record.planned:
        record = run.reader.trials.get(name)
        if record is None:
            found[name] = "the trial was not run"
        elif record.status in ("timeout", "memory"):
            found[name] = f"the trial ended by its limit: {record.status}"
    return found


def _outside(reason: str) -> str:
    return f"the baseline has it, and the run could not: {reason}"


def _case(item: Item) -> Case:
    status = _STATUS.get(item.outcome, "passed")
    detail = f"{item.detail}; as logarithms: {item.log}" if item.log else item.detail
    return Case(item.name, status, detail)  # type: ignore[arg-type]


def _print(
    run: OpenedRun,
    baseline: OpenedRun,
    found: Regression,
    unfinished: dict[str, str],
    *,
    asked: Sequence[str],
) -> None:
    print(f"run      {run.folder}\nbaseline {baseline.folder}")
    for item in found.items:
        print(f" {_MARKS[item.outcome]} {item.name}: {item.outcome}\n     {item.detail}")
    for name, reason in unfinished.items():
        print(f" ! {name}: {reason}")
    lost = any(item.outcome == "lost" for item in found.items)
    restricted = {name: values for name, values in run.reader.record.selection.items() if values}
    if lost and restricted:
        told = "; ".join(f"{name}: {', '.join(values)}" for name, values in restricted.items())
        advice = "" if asked else "; 'regress --claim ID' asks about one claim alone"
        print(f" ! the run was restricted to {told}{advice}")
    if note := few_note(found.few):
        print(f" ! {note}")
    print(f"{found.outcome}: {found.reason}")


def _annotate(suite: str, cases: Iterable[Case]) -> None:
    for case in cases:
        if line := annotation(case, f"corroborate {suite}"):
            print(line)


def _properties(run: OpenedRun, baseline: OpenedRun) -> dict[str, str]:
    record = run.reader.record
    return {
        "run": record.run,
        "baseline": baseline.reader.record.run,
        "profile": record.profile,
        "commit": record.provenance.code(),
    }


def _exit_code(found: Regression, unfinished: dict[str, str]) -> ExitCode:
    # A machine that broke down must not be taken for a method that got worse.
    if unfinished:
        return ExitCode.INFRASTRUCTURE
    return {
        "regressed": ExitCode.LOST,
        "nothing comparable": ExitCode.NOTHING_COMPARABLE,
        "too little compared": ExitCode.NOTHING_COMPARABLE,
    }.get(found.outcome, ExitCode.OK)
