"""Deriving again, from the records alone, all that is stored of a run or of committed results."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from harness.bundle import check_bundle, is_bundle
from harness.cli.runs import OpenedRun
from harness.errors import CorroborateError, RecordError
from harness.evidence.proof import Checked, check_numbers, check_values, check_verdicts
from harness.store import RunReader
from harness.store.manifest import MANIFEST_FILE, changed_files, listed_in
from harness.store.numbers import PrintedNumber
from harness.store.records import VerdictsRecord
from harness.store.reference import ReferenceReader
from harness.store.view import trials_sha256
from reports.build import build
from reports.document import Document

NUMBERS = Path("report", "csv", "numbers.csv")


def proof_of(run: OpenedRun) -> list[Checked]:
    """Everything that is stored of a run, against what its records give. Nothing is written."""
    return [check_files(run.folder), *check_records(run)]


def check_files(folder: Path) -> Checked:
    """The files of a folder against its list of them; an opened bundle has a list of its own for all."""
    kind = "files"
    if is_bundle(folder):
        try:
            return Checked(kind, check_bundle(folder))
        except RecordError as error:
            return Checked(kind, differ=(str(error),))
    committed = _looks_committed(folder)
    try:
        listed = listed_in(folder)
        if listed is None and _should_be_listed(folder, committed=committed):
            return Checked(kind, missing=(f"{MANIFEST_FILE} is missing",))
        if listed is None:
            return Checked(kind, note=f"there is no {MANIFEST_FILE}: it was written before there were any")
        changed = changed_files(folder, listed, committed=committed)
    except RecordError as error:
        return Checked(kind, differ=(str(error),))
    differ = tuple(f"{item.name} is not as it was listed" for item in changed if item.how == "changed")
    others = {"missing": "is missing", "added": "is not listed"}
    missing = tuple(f"{item.name} {others[item.how]}" for item in changed if item.how in others)
    gone = sum(item.how != "added" for item in changed)
    return Checked(kind, len(listed) - gone, differ, missing)


def _looks_committed(folder: Path) -> bool:
    """Whether a folder is one of committed results, whatever of it is still there."""
    names = {"trials.jsonl.gz", "cells.parquet", "numbers.json.gz", "units.parquet"}
    return any((folder / name).exists() for name in names)


def _should_be_listed(folder: Path, *, committed: bool) -> bool:
    """Whether what is stored says that its files were listed once."""
    if committed and (folder / "cells.parquet").is_file():
        return True
    try:
        verdicts = RunReader(folder).verdicts
    except RecordError:
        return False
    return verdicts is not None and verdicts.manifest


def check_records(run: OpenedRun) -> list[Checked]:
    """Hashes, rows, verdicts and printed numbers."""
    from harness.evidence import judge

    checks = [_rows(run)]
    try:
        stored = run.reader.verdicts
        derived = judge(run.suite, run.scale, run.reader)
        checks.append(_hashes(run, stored))
        if stored is None:
            checks.append(Checked("verdicts", missing=("verdicts.json is missing",)))
        else:
            checks += check_verdicts(stored, derived)
        checks.append(_numbers(run, derived))
        checks += _values(run)
    except CorroborateError as error:
        checks.append(Checked("derivation", differ=(f"stopped: {error}",)))
    return checks


def _rows(run: OpenedRun) -> Checked:
    """The rows of every finished trial: unchanged in a run, readable in committed results."""
    equal, differ = 0, list[str]()
    for name, record in run.reader.trials.items():
        if run.reader.is_committed or not record.units_file:
            continue
        try:
            run.reader.check(name)
            equal += 1
        except RecordError as error:
            differ.append(str(error))
    differ += [str(note) for note in run.reader.damaged]
    return Checked("unit rows of trials", equal, tuple(differ))


def _hashes(run: OpenedRun, stored: VerdictsRecord | None) -> Checked:
    """The trials that verdicts name, and the rules that the run was made under."""
    from harness.declared import claims_hash

    found = {
        "rules of the claims": (run.reader.record.claims_sha256, claims_hash(run.suite)),
        "trials that were judged": (stored.trials_sha256 if stored else "", trials_sha256(run.reader)),
    }
    differ = tuple(
        f"{name}: stored {before[:12] or 'nothing'}, now {now[:12]}"
        for name, (before, now) in found.items()
        if before != now
    )
    return Checked("hashes", len(found) - len(differ), differ)


def printed(document: Document) -> list[PrintedNumber]:
    """All numbers that a report prints."""
    return [
        PrintedNumber(item.handle.kind, item.handle.name, item.value, item.low, item.high)
        for item in document.numbers()
    ]


def _numbers(run: OpenedRun, verdicts: VerdictsRecord) -> Checked:
    stored = run.reader.numbers if isinstance(run.reader, ReferenceReader) else _reported(run.folder)
    if stored is None:
        return Checked("printed numbers", note="none are stored to compare with")
    return check_numbers(stored, printed(build(run.suite, run.scale, run.reader, verdicts)))


def _reported(folder: Path) -> list[PrintedNumber] | None:
    """The numbers of a run's own report, if it has one."""
    path = folder / NUMBERS
    if not path.is_file():
        return None
    try:
        return list(_parsed(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RecordError(f"The numbers of the report are damaged: {error!r}", where=str(path)) from error


def _parsed(text: str) -> Iterator[PrintedNumber]:
    for row in csv.DictReader(io.StringIO(text)):
        low, high = (float(row[end]) if row[end] else None for end in ("low", "high"))
        yield PrintedNumber(row["kind"], row["name"], float(row["value"]), low, high)


def _values(run: OpenedRun) -> list[Checked]:
    from harness.evidence.coverage import declared
    from harness.evidence.series import shared_reader

    kept = run.reader.kept
    if kept is None:
        return []
    return [check_values(kept, shared_reader(run.reader, declared(run.suite, run.scale)))]
