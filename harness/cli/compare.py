"""``corroborate compare``: whether two runs may be compared, and then how they differ."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from harness.cli.options import add_runs
from harness.cli.runs import opened
from harness.cli.verdicts import interval_text
from harness.errors import ExitCode
from harness.store.records import Record

if TYPE_CHECKING:
    from harness.evidence.compare import Comparison

_MARKS = {"blocks": "x", "warning": "!", "note": " "}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("left", help="a run's folder or name, or a suite (its newest run)")
    parser.add_argument("right", help="the run to compare it with; differences are right - left")
    parser.add_argument("--json", action="store_true", help="print the comparison as JSON")
    add_runs(parser)


def main(args: argparse.Namespace) -> ExitCode:
    """Compare and print."""
    from harness.evidence.compare import compare_runs

    left, right = opened(args.left, args.runs), opened(args.right, args.runs)
    comparison = compare_runs(left.suite, left.scale, left.reader, right.reader)
    if args.json:
        print(json.dumps(asdict(comparison), indent=1, default=_plain))
    else:
        print(f"left  {left.folder}\nright {right.folder}")
        print("\n".join(_lines(comparison)))
    comparable = comparison.answer != "not comparable"
    return ExitCode.OK if comparable else ExitCode.NOTHING_COMPARABLE


def _plain(value: object) -> Any:
    return value.model_dump() if isinstance(value, Record) else str(value)


def _lines(comparison: Comparison) -> Iterator[str]:
    yield f"{comparison.answer}: {comparison.because}"
    for item in comparison.fields:
        yield f" {_MARKS[item.weight]} {item.field}: {item.left or 'none'} | {item.right or 'none'}"
    for effect in comparison.effects:
        claim = f"{effect.claim}: " if effect.claim else ""
        yield f"{claim}{effect.label}"
        yield f"    left {interval_text(effect.left)}   right {interval_text(effect.right)}"
        if effect.identical:
            yield f"    the unit rows are equal ({effect.seeds} seeds)"
        else:
            yield f"    difference {interval_text(effect.difference)} ({effect.seeds} seeds, {effect.test})"
    for skipped in comparison.skipped:
        yield f"not compared: {skipped.label}: {skipped.reason}"
