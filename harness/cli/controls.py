"""``corroborate controls``: what the negative controls of a run did to its claims."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from harness.cli.options import add_runs
from harness.cli.runs import add_reference, chosen, judged, notes_on, tell
from harness.errors import ExitCode
from harness.text import plural

if TYPE_CHECKING:
    from harness.evidence.control_score import ControlScore, Share
    from harness.store.records import ControlRecord, VerdictsRecord

_SIGNS = {("kill", "kill"): "x", ("keep", "keep"): "o"}
_LEGEND = (
    "x broken and o kept, as predicted; X broken and O kept, against the prediction; ? undecided; "
    "~ open; . nothing predicted"
)
_OPEN = "~"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("run", help="a run's folder or name, or a suite (its newest run)")
    parser.add_argument(
        "--check",
        action="store_true",
        help="fail unless all cells of exact claims and nine in ten of the others are as predicted, open "
        "ones left out, and every reproduced claim was broken by a control",
    )
    parser.add_argument("--json", action="store_true", help="print cells and shares as JSON")
    add_reference(parser)
    add_runs(parser)


def main(args: argparse.Namespace) -> ExitCode:
    """Print the matrix negative control × claim, and how much of it is as predicted."""
    from harness.evidence.control_score import control_score

    run = chosen(args.run, args)
    record = judged(run)
    score = control_score(run.suite, run.scale, record)
    if args.json:
        cells = [cell.model_dump() for cell in record.controls]
        print(json.dumps({"cells": cells, "score": asdict(score)}, indent=1))
    else:
        print("\n".join(_lines(record, score)))
    tell(notes_on(run))
    return ExitCode.LOST if args.check and not score.reached else ExitCode.OK


def _lines(record: VerdictsRecord, score: ControlScore) -> Iterator[str]:
    from harness.evidence.control_score import WHY_OPEN

    cells = {(cell.control, cell.claim): _sign(cell) for cell in record.controls}
    cells |= {(cell.control, cell.claim): _OPEN for cell in score.open}
    yield f"{record.suite}, profile {record.profile}{', full' if record.full else ''}, run {record.run}"
    if not cells:
        yield "no control was judged: the suite has none, or no claim is decided under this profile"
        return
    yield from _matrix(record, cells)
    yield _LEGEND
    for cell in record.controls:
        if cell.outcome != cell.predicted:
            sign = cells[cell.control, cell.claim]
            yield f" {sign} {cell.control} on {cell.claim}: {cell.predicted} predicted, {cell.outcome}"
            yield f"     {cell.detail}"
    yield _told("exact", score.exact)
    yield _told("measured", score.measured)
    if score.open:
        yield f"open, and in neither share: {plural(len(score.open), 'cell')}; {WHY_OPEN}"
    if score.unbroken:
        yield f"reproduced, and broken by no control: {', '.join(score.unbroken)}"


def _matrix(record: VerdictsRecord, cells: dict[tuple[str, str], str]) -> Iterator[str]:
    """One line a control and one column a claim."""
    # The record decides what is shown: committed results may be of controls that the suite has no more.
    names = list(dict.fromkeys(cell.control for cell in record.controls))
    claims = [verdict.claim for verdict in record.verdicts if any(key[1] == verdict.claim for key in cells)]
    claims += [cell.claim for cell in record.controls if cell.claim not in claims]
    width = max(map(len, names))
    yield _row("", claims, claims, width)
    for name in names:
        yield _row(name, [cells.get((name, claim), ".") for claim in claims], claims, width)


def _row(name: str, entries: Sequence[str], columns: Sequence[str], width: int) -> str:
    cells = (entry.ljust(len(column)) for entry, column in zip(entries, columns, strict=True))
    return " ".join([name.ljust(width), *cells]).rstrip()


def _sign(cell: ControlRecord) -> str:
    if cell.outcome == "undecided":
        return "?"
    against = "X" if cell.outcome == "kill" else "O"
    return _SIGNS.get((cell.predicted, cell.outcome), against)


def _told(kind: str, share: Share) -> str:
    percent = f" ({100 * share.as_predicted / share.total:.0f} %)" if share.total else ""
    found = f"{share.as_predicted} of {plural(share.total, 'cell')} as predicted{percent}"
    return f"{kind} claims: {found}, {100 * share.least:.0f} % asked for"
