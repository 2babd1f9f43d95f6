"""``run --until-settled``: a run is judged at looks fixed beforehand, and open claims get more seeds."""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Protocol

from harness.cli.standing import NextLook, Standing
from harness.engine.driver import Summary
from harness.engine.run import Display, Finished, RunRequest, execute_run
from harness.errors import UsageError
from harness.plan.looks import Looks, seeds_planned
from harness.store import open_run

_BUDGET = re.compile(r"(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?")
_NOT_BESIDE = ("seeds", "gather")
"""Options that say which trials a run has, as --until-settled does."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--until-settled",
        action="store_true",
        help="give open claims more seeds, at up to 4 looks of 1, 1.6, 2.4 and 4 times the declared seeds; "
        "every p-value is multiplied by the number of looks",
    )
    parser.add_argument(
        "--budget",
        metavar="TIME",
        help="with --until-settled, for each suite: start no further look that would not end in this time "
        "(20m, 90s, 1h30m; default: no limit); the first look always runs, and --resume counts anew",
    )


def check_options(args: argparse.Namespace) -> None:
    """Refuse options that contradict each other.

    Raises:
        UsageError: Which, and why.
    """
    _ = parse_budget(args.budget)
    if args.budget and not args.until_settled and args.resume is None:
        fix = "Add --until-settled, or leave it out."
        raise UsageError("Only a run until settled has a budget", where=f"--budget {args.budget}", fix=fix)
    for name in _NOT_BESIDE if args.until_settled else ():
        if getattr(args, name):
            raise UsageError(
                f"--until-settled says itself how many seeds there are, and executes them: not with --{name}",
                where="corroborate run",
                fix="Leave one of the two out.",
            )


def parse_budget(text: str | None) -> float | None:
    """The value of ``--budget`` in seconds: hours, minutes and seconds, in this order; nothing if not given.

    Raises:
        UsageError: If it is of another form, or no time at all.
    """
    if text is None:
        return None
    match = _BUDGET.fullmatch(text)
    hours, minutes, seconds = (int(part or 0) for part in match.groups()) if match else (0, 0, 0)
    total = 3600 * hours + 60 * minutes + seconds
    if not total:
        raise UsageError(f"'{text}' is no time", where="--budget", fix="Write 20m, 90s or 1h30m.")
    return float(total)


def with_looks(args: argparse.Namespace, request: RunRequest) -> RunRequest:
    """The request with the looks that its run may take: a run that goes on keeps those it was started with.

    Raises:
        UsageError: If a run was not started until settled and is to go on so, or the other way round.
    """
    if request.resume is None:
        looks = Looks(request.suite, request.scale, request.selection).factors if args.until_settled else ()
        return replace(request, looks=looks)
    record, where = open_run(request.resume).record, str(request.resume)
    if not record.looks and (args.until_settled or args.budget):
        raise UsageError(
            "This run was not started with --until-settled, and its p-values do not pay for more looks",
            where=where,
            fix="Go on with it as it was started, or start a new run with --until-settled: "
            "finished trials are reused there.",
        )
    if not record.looks:
        return request
    if request.gather:
        fix = "Go on with it without --gather."
        raise UsageError("A run until settled executes what it needs", where=where, fix=fix)
    extended = seeds_planned(record.planned)
    return replace(
        request, looks=tuple(record.looks), selection=replace(request.selection, extended=extended)
    )


class Shown(Display, Protocol):
    """A display that has seen how long trials take."""

    def expected(self, trials: Iterable[str]) -> float | None:
        """Seconds that more trials would take, if trials like them have ended."""


def run_until_settled(
    request: RunRequest,
    shown: Shown,
    budget: float | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Finished:
    """Execute a run look by look, until no claim is open that more seeds may settle.

    Args:
        request: With the looks that the run may take.
        shown: Told of everything, and after each look how things stand.
        budget: Seconds from now within which a further look has to end; no limit without it.
        clock: Seconds of any clock.

    Returns:
        The run as its last look has left it, with what all looks have executed.

    Raises:
        CorroborateError: As :func:`execute_run`; all looks until then are kept.
    """
    looks, start = Looks(request.suite, request.scale, request.selection, request.looks), clock()
    finished = execute_run(request, shown)
    summaries = [finished.summary]
    while True:
        executed = clock()
        standing = _standing(request, looks, finished)
        now = clock()
        trials, left = shown.expected(standing.added), None if budget is None else budget - (now - start)
        following = NextLook(None if trials is None else trials + (now - executed), left)
        shown.note(f"{standing.text}{following.text if standing.added else ''}")
        if not (standing.added and following.fits):
            return replace(finished, summary=_together(summaries))
        selection = replace(request.selection, extended=standing.more)
        request = replace(request, resume=finished.folder, selection=selection, next_look=True)
        finished = execute_run(request, shown)
        summaries.append(finished.summary)


def _standing(request: RunRequest, looks: Looks, finished: Finished) -> Standing:
    from harness.evidence import judge  # Imports what the options are declared without.

    reader = open_run(finished.folder)
    record = judge(request.suite, request.scale, reader)
    return Standing(looks, seeds_planned(reader.record.planned), record.verdicts)


def _together(summaries: Sequence[Summary]) -> Summary:
    """What all looks have done: each takes over what those before it have executed."""
    last, earlier = summaries[-1], sum(summary.executed for summary in summaries[:-1])
    return replace(last, executed=last.executed + earlier, reused=last.reused - earlier)
