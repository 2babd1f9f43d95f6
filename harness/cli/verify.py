"""``corroborate verify``: whether verdicts and numbers are what the records give."""

from __future__ import annotations

import argparse
import json
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.options import add_runs
from harness.cli.runs import add_reference, chosen_folder, opened_at, refuse_rehearsal
from harness.errors import ExitCode, RecordError, UsageError
from harness.store.manifest import MANIFEST_FILE
from harness.text import expanded, plural

if TYPE_CHECKING:
    from harness.evidence.proof import Checked

EPILOG = """\
Every verdict, with all that it rests on, and every number that a report prints are derived again, offline and
from the records alone, and compared with what is stored; so are the hashes of files, trials and rules. With
--rerun, trials drawn at random are also executed again in an empty home and their rows compared: bit for bit
in the environment that they were made in, else within the noise floors that the run was started with. Exit
code 5 if anything differs, is missing, or cannot be derived any more.
"""
_MOST = 20
"""Lines that are printed of one kind; --json has them all."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.epilog = EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("run", help="a run's folder or name, or a suite (its newest run)")
    add_reference(parser)
    parser.add_argument(
        "--rerun", metavar="N", type=int, default=0, help="also run N finished trials again, drawn at random"
    )
    parser.add_argument("--seed", metavar="S", type=int, help="of the draw (default: a new one, printed)")
    parser.add_argument(
        "--engine", choices=("pool", "inline"), default="pool", help="of --rerun; inline: without limits"
    )
    parser.add_argument("--json", action="store_true", help="print everything that was checked as JSON")
    add_runs(parser)


def main(args: argparse.Namespace) -> ExitCode:
    """Derive, compare and tell."""
    from harness.cli.proving import check_files, proof_of
    from harness.evidence.proof import Checked

    if args.rerun < 0:
        raise UsageError("Trials to run again are counted from 0", where=f"--rerun {args.rerun}")
    folder = _folder(args)
    try:
        run = opened_at(folder)
        refuse_rehearsal(run)
        checks = proof_of(run)
        if args.rerun:
            from harness.cli.again import run_again

            seed = secrets.randbelow(10**6) if args.seed is None else args.seed
            checks.append(run_again(run, args.rerun, seed, args.engine))
    except RecordError as error:
        checks = [check_files(folder), Checked("records", differ=(str(error),))]
    print(_as_json(folder, checks) if args.json else "\n".join(_lines(folder, checks)))
    return ExitCode.OK if all(check.proved for check in checks) else ExitCode.UNPROVED


def _folder(args: argparse.Namespace) -> Path:
    """What is verified; a folder that lists its files is, also if its very record is gone."""
    path = expanded(args.run)
    return path if (path / MANIFEST_FILE).is_file() else chosen_folder(args.run, args)


def _as_json(folder: Path, checks: Sequence[Checked]) -> str:
    proved = all(check.proved for check in checks)
    told = [{**asdict(check), "total": check.total} for check in checks]
    return json.dumps({"folder": str(folder), "proved": proved, "checks": told}, indent=1)


def _lines(folder: Path, checks: Sequence[Checked]) -> Iterator[str]:
    yield str(folder)
    for check in checks:
        yield f" {'=' if check.proved else '!'} {check.kind}: {_counts(check)}"
        told = [
            *(f"differs: {text}" for text in check.differ),
            *(f"missing: {text}" for text in check.missing),
            *(f"cannot be derived: {text}" for text in check.underivable),
        ]
        yield from (f"     {line}" for line in told[:_MOST])
        if len(told) > _MOST:
            yield f"     and {len(told) - _MOST} more; --json lists them all"
        if check.note:
            yield f"     {check.note}"
    faults = sum(check.total - check.equal for check in checks)
    yield (
        f"not proved: {plural(faults, 'thing')} above"
        if faults
        else "proved: what is stored is what the records give"
    )


def _counts(check: Checked) -> str:
    """How many of a kind were checked, and what became of them."""
    if not check.total:
        return "none"
    faults = {"differ": check.differ, "are missing": check.missing, "cannot be derived": check.underivable}
    said = [f"{len(items)} {name}" for name, items in faults.items() if items]
    return f"{check.total} checked, {check.equal} equal{''.join(f', {text}' for text in said)}"
