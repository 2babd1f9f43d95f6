"""``corroborate compare``: whether two runs may be compared, and then how they differ."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from harness.claims.wording import change, count, interval
from harness.cli.options import add_runs
from harness.cli.outputs import require_file
from harness.cli.runs import REFERENCE, OpenedRun, committed_beside, judged, notes_on, opened, tell
from harness.cli.verdicts import interval_text
from harness.errors import ExitCode, UsageError
from harness.store.record import Record
from harness.text import expanded

if TYPE_CHECKING:
    from harness.evidence.compare import Comparison, PairedEffect
    from harness.store.records import Interval

_MARKS = {"blocks": "x", "warning": "!", "note": " "}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "left",
        help="a run's folder or name, or a suite (its newest run); 'reference' for the committed results "
        "of the other side's suite and profile",
    )
    parser.add_argument("right", help="what to compare it with; differences are right - left")
    parser.add_argument("--json", action="store_true", help="print the comparison as JSON")
    parser.add_argument(
        "--html", metavar="FILE", type=expanded, help="also write a page with both runs side by side"
    )
    add_runs(parser)


def main(args: argparse.Namespace) -> ExitCode:
    """Compare and print."""
    from harness.evidence.compare import compare_runs

    require_file(args.html, "--html")
    left, right = _sides(args)
    comparison = compare_runs(left.suite, left.scale, left.reader, right.reader)
    if args.json:
        print(json.dumps(asdict(comparison), indent=1, default=_plain))
    else:
        print(f"left  {left.folder}\nright {right.folder}")
        print("\n".join(_lines(comparison)))
    if args.html:
        _write_page(left, right, comparison, args)
    tell(dict.fromkeys([*notes_on(left), *notes_on(right)]))
    comparable = comparison.answer != "not comparable"
    return ExitCode.OK if comparable else ExitCode.NOTHING_COMPARABLE


def _write_page(left: OpenedRun, right: OpenedRun, comparison: Comparison, args: argparse.Namespace) -> None:
    from reports import Side, write_comparison

    one, other = (Side(run.suite, run.scale, run.reader, judged(run)) for run in (left, right))
    path = write_comparison(one, other, comparison, args.html)
    if args.json:
        tell([f"page: {path}"])  # What is printed is for another program to read.
    else:
        print(f"page: {path}")


def _sides(args: argparse.Namespace) -> tuple[OpenedRun, OpenedRun]:
    if args.left == args.right == REFERENCE:
        raise UsageError(
            "Both sides are 'reference', and neither says of which suite",
            where="corroborate compare",
            fix="Name a run on one side.",
        )
    if args.left == REFERENCE:
        right = opened(args.right, args.runs)
        return committed_beside(right), right
    left = opened(args.left, args.runs)
    return left, committed_beside(left) if args.right == REFERENCE else opened(args.right, args.runs)


def _plain(value: object) -> Any:
    return value.model_dump() if isinstance(value, Record) else str(value)


def _lines(comparison: Comparison) -> Iterator[str]:
    yield f"{comparison.answer}: {comparison.because}"
    for item in comparison.fields:
        yield f" {_MARKS[item.weight]} {item.field}: {item.left or 'none'} | {item.right or 'none'}"
    for effect in comparison.effects:
        claim = f"{effect.claim}: " if effect.claim else ""
        yield f"{claim}{effect.ratio.label if effect.ratio else effect.label}"
        yield f"    left {_value(effect, effect.left)}   right {_value(effect, effect.right)}"
        if effect.identical:
            yield f"    the unit rows are equal ({count(effect.seeds, 'seed')})"
        else:
            yield f"    difference {_difference(effect)} ({count(effect.seeds, 'seed')}, {effect.test})"
    for skipped in comparison.skipped:
        yield f"not compared: {skipped.label}: {skipped.reason}"


def _value(effect: PairedEffect, value: Interval) -> str:
    return interval(value, effect.ratio) if effect.ratio else interval_text(value)


def _difference(effect: PairedEffect) -> str:
    """Right − left, of logarithms as the factor between them."""
    return change(effect.difference, log=True) if effect.log else interval_text(effect.difference)
