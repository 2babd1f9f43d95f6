"""Opening a run together with the suite it belongs to, and judging it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.claims import Profile
from harness.cli.suites import load_suite
from harness.errors import UsageError
from harness.store import RunReader, find_run, open_run, runs_folder
from harness.suite import Scale, Suite

if TYPE_CHECKING:
    from harness.store.records import VerdictsRecord


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
    """The run in a folder."""
    reader = open_run(folder)
    record = reader.record
    scale = Scale(profile=Profile(record.profile), full=record.full)
    return OpenedRun(folder, reader, load_suite(record.suite), scale)


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


def verdicts_on(run: OpenedRun) -> VerdictsRecord:
    """The verdicts on a run, judged now from its records.

    Judging takes seconds, and verdicts that were stored earlier may speak of other trials.
    """
    from harness.evidence import judge

    return judge(run.suite, run.scale, run.reader)


def judged(run: OpenedRun) -> VerdictsRecord:
    """As :func:`verdicts_on`; the verdicts are stored with the run if that is possible.

    Committed results keep the verdicts that they were committed with: rows are left out of them for
    their size, so that judging again would find trials missing.
    """
    from harness.errors import RecordError
    from harness.store import RunWriter

    if run.reader.is_committed and run.reader.verdicts is not None:
        return run.reader.verdicts
    verdicts = verdicts_on(run)
    if run.reader.is_committed:
        return verdicts
    # A run that is still going on stores its own; one that cannot be written stays as it is.
    with suppress(RecordError, UsageError, OSError), RunWriter(run.folder) as writer:
        writer.verdicts(verdicts)
    return verdicts
