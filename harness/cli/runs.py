"""Opening a run together with the suite it belongs to, and judging it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.claims import Profile
from harness.cli.suites import load_suite
from harness.errors import CorroborateError, RecordError, UsageError, unknown_name
from harness.store import RunReader, find_run, holds_run, open_run, runs_folder
from harness.store.view import not_finished
from harness.suite import Scale, Suite
from harness.text import plural

if TYPE_CHECKING:
    from harness.store.records import VerdictsRecord

REFERENCE = "reference"
"""What stands for the results that are committed with a suite; also their folder's name."""


@dataclass(frozen=True)
class OpenedRun:
    """A run on disk, with what declares it."""

    folder: Path
    reader: RunReader
    suite: Suite
    scale: Scale


def opened(name: str, runs: str | None) -> OpenedRun:
    """The run that a user names.

    Args:
        name: A path, a run's name or the start of one.
        runs: The value of ``--runs``.

    Raises:
        UsageError: If there is no such run or suite.
        RecordError: If it cannot be read.
    """
    return opened_at(find_run(name, runs_folder(runs)))


def opened_at(folder: Path) -> OpenedRun:
    """The run in a folder.

    Raises:
        UsageError: If its suite is not installed.
        RecordError: If it cannot be read.
    """
    reader = open_run(folder)
    record = reader.record
    if record.profile not in {profile.value for profile in Profile}:
        raise RecordError(f"The run is of an unknown profile '{record.profile}'", where=str(folder))
    scale = Scale(profile=Profile(record.profile), full=record.full)
    return OpenedRun(folder, reader, load_suite(record.suite), scale)


def add_reference(parser: argparse.ArgumentParser) -> None:
    """``--reference`` and ``--profile``: the committed results of a suite in the place of a run."""
    parser.add_argument(
        "--reference",
        action="store_true",
        help="read the results that are committed with the suite",
    )
    parser.add_argument(
        "--profile",
        metavar="NAME",
        help="with --reference: of which profile (default: small, or the only one)",
    )


def chosen(name: str, args: argparse.Namespace) -> OpenedRun:
    """What a command reads: a run, or with ``--reference`` a suite's committed results.

    Raises:
        UsageError: If there is no such run, suite or reference.
        RecordError: If it cannot be read.
    """
    return opened_at(chosen_folder(name, args))


def chosen_folder(name: str, args: argparse.Namespace) -> Path:
    """Where that is which a command reads.

    Raises:
        UsageError: If there is no such run, suite or reference.
    """
    if args.reference:
        return committed_folder(load_suite(name), args.profile)
    if args.profile:
        raise UsageError(
            "A run has its own profile; --profile goes with --reference",
            where=f"--profile {args.profile}",
            fix=f"Name the newest run of a profile as {name}-{args.profile}.",
        )
    return find_run(name, runs_folder(args.runs))


def committed(suite: Suite, profile: str | None = None) -> OpenedRun:
    """A suite's committed results.

    Args:
        suite: The suite.
        profile: A profile, or the folder of its wide form (``small-full``); by default small.

    Raises:
        UsageError: If there are none.
        RecordError: If they cannot be read.
    """
    return opened_at(committed_folder(suite, profile))


def committed_folder(suite: Suite, profile: str | None = None) -> Path:
    """The folder of a suite's committed results, as :func:`committed`.

    Raises:
        UsageError: If there are none.
    """
    known = committed_profiles(suite)
    wanted = profile or (Profile.SMALL.value if Profile.SMALL.value in known else next(iter(known), ""))
    if wanted not in known and known:
        raise unknown_name("committed profile", wanted, known, where=f"suite {suite.slug}")
    if not known:
        raise _no_reference(suite, wanted or Profile.SMALL.value)
    return suite.folder / REFERENCE / wanted


def committed_profiles(suite: Suite) -> list[str]:
    """The names of a suite's committed results."""
    folder = suite.folder / REFERENCE
    found = sorted(folder.iterdir()) if folder.is_dir() else []
    return [path.name for path in found if holds_run(path) and not path.name.startswith(".")]


def committed_beside(run: OpenedRun) -> OpenedRun:
    """The committed results of a run's suite and profile.

    Raises:
        UsageError: If there are none.
    """
    found = committed_folders(run.suite, run.scale)
    if not found:
        raise _no_reference(run.suite, run.scale.profile.value)
    return opened_at(found[0])


def committed_folders(suite: Suite, scale: Scale) -> list[Path]:
    """The committed results of a profile, those of the same width first.

    A wide run contains the plain one, so either can stand for the other.
    """
    profile = scale.profile.value
    names = sorted([profile, f"{profile}-full"], key=len, reverse=scale.full)
    return [folder for name in names if holds_run(folder := suite.folder / REFERENCE / name)]


def _no_reference(suite: Suite, profile: str) -> UsageError:
    return UsageError(
        f"Suite '{suite.slug}' has no reference for profile '{profile}'",
        where=str(suite.folder / REFERENCE / profile),
        fix=f"It has: {', '.join(committed_profiles(suite)) or 'none'}. "
        "Make one of a run with 'corroborate reference RUN', or name a run.",
    )


def refuse_rehearsal(run: OpenedRun) -> None:
    """Stop where numbers are to be relied on and the run has none that mean anything.

    Raises:
        UsageError: If the run is a rehearsal.
    """
    if run.reader.record.rehearsal is not None:
        raise UsageError(
            "This run is a rehearsal on stand-ins: its numbers mean nothing",
            where=str(run.folder),
            fix="Use a run made with 'corroborate run'.",
        )


def judged(run: OpenedRun) -> VerdictsRecord:
    """The verdicts on a run, judged now from its records; nothing is written.

    Judging takes seconds, and verdicts that were stored earlier may speak of other trials. Older committed
    results keep the verdicts that they were committed with: rows are left out of them for their size with
    nothing in their place, so that judging again would find trials missing.
    """
    from harness.evidence import judge

    if _is_older(run.reader) and run.reader.verdicts is not None:
        return run.reader.verdicts
    return judge(run.suite, run.scale, run.reader)


def judged_and_stored(run: OpenedRun) -> VerdictsRecord:
    """As :func:`judged`, for the commands that have made the run: its verdicts are stored with it."""
    from harness.store import RunWriter

    verdicts = judged(run)
    try:
        with RunWriter(run.folder) as writer:
            writer.verdicts(verdicts)
    except CorroborateError as error:
        tell([f"the verdicts are not stored with the run: {error.what}"])
    return verdicts


def notes_on(run: OpenedRun) -> list[str]:
    """What a reader should know of where verdicts and numbers come from."""
    notes = list(run.reader.damaged)
    if missing := not_finished(run.reader):
        planned = plural(len(run.reader.record.planned), "planned trial")
        notes.append(f"the run is incomplete: {len(missing)} of {planned} have not finished")
    if run.reader.is_committed and not _is_older(run.reader):
        notes.append(f"these are the results committed in {run.folder}")
    elif run.reader.is_committed:
        left_out = len(run.reader.omitted)
        without = f", without the rows of {left_out} trials, left out for their size" if left_out else ""
        notes.append(
            f"these are the results committed in {run.folder}{without}; "
            "the verdicts are those stored with them, not judged again"
        )
    return notes


def _is_older(reader: RunReader) -> bool:
    """Whether committed results lack what verdicts can be derived from again."""
    return reader.is_committed and reader.kept is None


def tell(notes: Iterable[str]) -> None:
    """Print notes beside a command's output, which other programs may read."""
    for note in notes:
        print(f"note: {note}", file=sys.stderr)
