"""``corroborate verdicts``: the verdicts on a run's claims."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.claims.settling import needed_text
from harness.claims.wording import interval
from harness.cli.evidence_lines import evidence_lines
from harness.cli.options import add_runs
from harness.cli.runs import add_reference, chosen, judged, notes_on, tell
from harness.errors import ExitCode, unknown_name
from harness.text import plural

if TYPE_CHECKING:
    from harness.store.records import Interval, VerdictRecord, VerdictsRecord
    from harness.suite import Suite

MARKS = {
    "reproduced": "+",
    "not reproduced": "-",
    "inconclusive": "?",
    "not comparable": "~",
    "not run": ".",
}
"""One character for each verdict, so that colour is not needed."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("run", help="a run's folder or name, or a suite (its newest run)")
    parser.add_argument(
        "--claim",
        metavar="ID",
        action="append",
        default=[],
        help="only this claim, with what its verdict rests on; may be repeated",
    )
    parser.add_argument("--json", action="store_true", help="print the whole record as JSON")
    add_reference(parser)
    add_runs(parser)


def main(args: argparse.Namespace) -> ExitCode:
    """Judge and print."""
    run = chosen(args.run, args)
    record = judged(run)
    if args.claim:
        record = restricted(record, args.claim)
    if args.json:
        print(record.as_json(indent=1))
    else:
        print("\n".join(verdict_lines(record, run.suite if args.claim else None)))
    tell(notes_on(run))
    return ExitCode.OK


def restricted(record: VerdictsRecord, names: Sequence[str]) -> VerdictsRecord:
    """The verdicts on some claims only.

    Raises:
        UsageError: If there is no such claim.
    """
    known = {verdict.claim for verdict in [*record.verdicts, *record.wholes]}
    for name in names:
        if name not in known:
            raise unknown_name("claim", name, sorted(known), where=f"suite {record.suite}")
    kept = [verdict for verdict in record.verdicts if verdict.claim in names or verdict.parent in names]
    wholes = [verdict for verdict in record.wholes if verdict.claim in names]
    return record.model_copy(update={"verdicts": kept, "wholes": wholes})


def verdict_lines(record: VerdictsRecord, explained: Suite | None = None) -> list[str]:
    """The verdicts as plain text, one claim a line with its reason below; parts below their whole.

    Args:
        record: The verdicts.
        explained: The suite, where what they rest on is to be told as well.
    """
    scale = f"{record.profile}{', full' if record.full else ''}"
    lines = [f"{record.suite}, profile {scale}, run {record.run}"]
    wholes = {whole.claim for whole in record.wholes}
    for verdict in record.in_order():
        indent = "  " if verdict.parent in wholes else ""
        exploratory = " (exploratory)" if verdict.exploratory else ""
        primary = " (primary)" if verdict.primary else ""
        told = f"{verdict.verdict}{primary}{exploratory}{_effect(verdict)}"
        lines.append(f"{indent} {MARKS[verdict.verdict]} {verdict.claim:7} {told}")
        lines.append(f"{indent}           {verdict.reason}")
        if settles := needed_text(verdict):
            lines.append(f"{indent}           settled by {settles}")
        if explained is not None and verdict.claim not in wholes:
            lines += [f"{indent}           {line}" for line in evidence_lines(verdict, explained)]
    parts = [verdict for verdict in record.verdicts if verdict.parent]
    lines.append(_tally("claim", record.top_level()))
    lines += [_tally("part", parts)] if parts else []
    return lines


def _tally(noun: str, verdicts: Sequence[VerdictRecord]) -> str:
    counts: Counter[str] = Counter(verdict.verdict for verdict in verdicts)
    shares = ", ".join(f"{counts[name]} {name}" for name in MARKS if counts[name])
    return f"{plural(len(verdicts), noun)}: {shares}" if verdicts else f"no {noun}s"


def _effect(verdict: VerdictRecord) -> str:
    if not verdict.tests:
        return ""
    test = verdict.tests[0]
    more = f" (first of {len(verdict.tests)} tests)" if len(verdict.tests) > 1 else ""
    if test.ratio:
        return f"   {interval(test.effect, test.ratio)}{more}"
    return f"   θ = {interval_text(test.effect)}{more}"


def interval_text(interval: Interval) -> str:
    """An estimate with its interval, as text."""
    if interval.low is None or interval.high is None:
        return f"{interval.value:.4g}"
    return f"{interval.value:.4g} [{interval.low:.4g}, {interval.high:.4g}]"
