"""Putting a bundle together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from harness.bundle.archive import write_archive
from harness.bundle.contents import files_of_rows, record_files, unfinished
from harness.bundle.crate import Described, metadata
from harness.bundle.files import (
    LICENCES,
    LOCK,
    METADATA,
    PAPER,
    README,
    REPORT,
    SUMS,
    Content,
    stamp_of,
    sums_size,
    sums_text,
)
from harness.bundle.licences import Input, licences_text
from harness.bundle.readme import readme
from harness.declared import claims_hash
from harness.provenance import lock_file
from harness.store import RunReader
from harness.store.records import VerdictsRecord
from harness.suite import Suite

LICENCE = "Apache-2.0"


@dataclass(frozen=True, kw_only=True)
class Extras:
    """What goes with the records.

    Attributes:
        report: The pages of the report, by path in its folder.
        inputs: Models and data that were used.
        licence: SPDX identifier of the licence that the bundle is given away under.
    """

    report: Mapping[str, Path] = field(default_factory=dict)
    inputs: Sequence[Input] = ()
    licence: str = LICENCE


def make_bundle(
    suite: Suite, reader: RunReader, verdicts: VerdictsRecord, archive: Path, extras: Extras
) -> list[str]:
    """Write a run, or committed results, into a new archive. The same content gives the same bytes.

    Args:
        suite: The declarations.
        reader: The run; nothing in it is changed.
        verdicts: Its verdicts.
        archive: The ZIP archive to write.
        extras: What goes with the records.

    Returns:
        What a reader of the bundle should know: what is not in it, and what is not as usual.

    Raises:
        UsageError: If there is a file of that name.
        RecordError: If the run has damaged rows, or the archive cannot be written.
    """
    record = reader.record.without_folders()
    files = record_files(reader, verdicts)
    files |= {f"{REPORT}/{name}": path for name, path in extras.report.items()}
    files[LICENCES] = licences_text(extras.inputs)
    if (paper := suite.folder / PAPER).is_file():
        files[PAPER] = paper
    if (lock := lock_file(record.provenance)) is not None:
        files[LOCK] = lock
    notes = _notes(suite, reader, files)
    files[README] = readme(record, suite.paper, locked=lock is not None, notes=notes)
    stamps = {name: stamp_of(content) for name, content in files.items()}
    files[METADATA] = metadata(
        Described(
            record=record,
            paper=suite.paper,
            stamps=stamps,
            sums_size=sums_size([*stamps, METADATA]),
            rows={} if reader.is_committed else files_of_rows(reader),
            inputs=extras.inputs,
            licence=extras.licence,
            finished=not unfinished(reader),
        )
    )
    stamps[METADATA] = stamp_of(files[METADATA])
    files[SUMS] = sums_text(stamps)
    write_archive(archive, files, {**stamps, SUMS: stamp_of(files[SUMS])})
    return notes


def _notes(suite: Suite, reader: RunReader, files: Mapping[str, Content]) -> list[str]:
    record, made = reader.record, reader.record.provenance
    notes = []
    if LOCK not in files:
        why = (
            "none was recorded"
            if not made.lock_sha256
            else "it is neither in this checkout nor in its history"
        )
        notes.append(f"Without the lock file of the run: {why}.")
    if PAPER not in files:
        notes.append(f"Without the paper's record: the suite has no {PAPER}.")
    if lacking := unfinished(reader):
        notes.append(f"{len(lacking)} planned trials have no result, the first is {lacking[0]}.")
    if record.claims_sha256 != claims_hash(suite):
        notes.append("The rules of the claims have changed since the run was started.")
    if reader.omitted:
        notes.append(f"The rows of {len(reader.omitted)} trials were left out for their size.")
    if record.added:
        names = ", ".join(f"{name} ({place})" for name, place in sorted(record.added.items()))
        notes.append(f"Methods from outside, of which only the hashes of their code are here: {names}.")
    if made.dirty is not False:
        notes.append("The code had changes that are in no commit, or git could not say.")
    if places := _places(reader):
        notes.append(
            f"The records name folders of the machine: {places[0]}{' and others' if places[1:] else ''}."
        )
    return notes


def _places(reader: RunReader) -> list[str]:
    """Folders of a machine in the records: what was bound to resources, and files that trials have read."""
    read = (name for trial in reader.trials.values() for name in trial.files)
    bound = reader.record.bindings.values()
    return list(dict.fromkeys(name for name in (*bound, *read) if PurePath(name).is_absolute()))
