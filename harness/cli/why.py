"""``corroborate why``: why a trial was, or was not, reused, field by field."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from harness.cli.options import add_runs
from harness.cli.runs import tell
from harness.errors import ExitCode, RecordError, unknown_name
from harness.plan.fingerprint import differences
from harness.plan.stored import StoredFields, read_fields
from harness.store import (
    RunReader,
    find_run,
    list_runs,
    list_single_trials,
    open_run,
    readable_runs,
    runs_folder,
)
from harness.store.records import TrialRecord
from harness.text import plural


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("trial", help="experiment/task/method/seed")
    parser.add_argument(
        "--run", metavar="RUN", default="", help="the run to look at (default: the newest with it)"
    )
    add_runs(parser)


def main(args: argparse.Namespace) -> ExitCode:
    """Explain."""
    folder = runs_folder(args.runs)
    runs = [*list_single_trials(folder), *list_runs(folder)]
    passed_over: list[str] = []
    reader = _named(args, folder) if args.run else _newest_with(runs, args.trial, passed_over)
    earlier = _earlier(runs, reader.folder, args.trial, passed_over)
    print("\n".join(explain(reader, reader.trials[args.trial], earlier)))
    tell(dict.fromkeys(passed_over))
    return ExitCode.OK


def _named(args: argparse.Namespace, folder: Path) -> RunReader:
    reader = open_run(find_run(args.run, folder))
    if args.trial not in reader.trials:
        raise unknown_name("trial", args.trial, list(reader.trials), where=reader.folder.name)
    return reader


def _newest_with(runs: list[Path], trial: str, passed_over: list[str]) -> RunReader:
    known: set[str] = set()
    for reader in readable_runs(reversed(runs), passed_over):
        if trial in reader.trials:
            return reader
        known |= set(reader.trials)
    tell(passed_over)
    raise unknown_name("trial", trial, sorted(known), where="all runs")


def _earlier(runs: list[Path], chosen: Path, trial: str, passed_over: list[str]) -> list[RunReader]:
    """Earlier runs with the same trial, the newest first."""
    names = [folder.name for folder in runs]
    before = runs[: names.index(chosen.name)] if chosen.name in names else runs
    return [reader for reader in readable_runs(reversed(before), passed_over) if trial in reader.trials]


def explain(reader: RunReader, record: TrialRecord, earlier: list[RunReader]) -> list[str]:
    """The reasons, as lines of text."""
    lines = [f"{record.trial} in {reader.folder.name}: {record.status}, fingerprint {record.fingerprint}"]
    if record.reused_from:
        return [*lines, f"It was reused from {record.reused_from}: fingerprint and environment are equal."]
    lines.append("It was executed in this run.")
    if record.unsure:
        lines.append(f"It is not reused by other runs: {record.unsure}.")
    lines += [f"It depends on a file that is not declared: {name}" for name in record.files]
    if record.passes > 1:
        lines.append("The GPU's memory did not suffice at first: its passes were halved, at equal batches.")
    lines += list(_asked(record))
    lines += [f"It left state of the process changed: {text}" for text in record.left]
    if not earlier:
        return [*lines, "No earlier run has a trial of this name."]
    here = _stored(reader)
    for other in earlier[:3]:
        lines += _against(here, record, other)
    return lines


def _asked(record: TrialRecord) -> Iterator[str]:
    """The language models that it asked, and what went wrong there."""
    for model in record.models:
        usage = model.usage
        sent = f"{plural(usage.requests, 'request')}, " if model.address else ""
        tokens = f"{usage.prompt_tokens:,} tokens read, {usage.completion_tokens:,} written"
        kept = f", {usage.cached:,} answers kept from before" if usage.cached else ""
        yield f"It asked {model.told}: {sent}{plural(usage.calls, 'call')}, {tokens}{kept}."
        for words, (bad, of) in usage.troubles().items():
            yield f"  {bad:,} of {of:,} {words}."


def _against(here: StoredFields, record: TrialRecord, other: RunReader) -> list[str]:
    before, there = other.trials[record.trial], _stored(other)
    lines = [f"Against {other.folder.name}:"]
    if before.status != "ok":
        lines.append(f"  that trial ended as '{before.status}', so there was nothing to reuse")
    if before.environment != record.environment:
        lines.append(f"  environment: '{before.environment}' became '{record.environment}'")
    if doubt := _doubt(before):
        lines.append(f"  that trial is not reused: {doubt}")
    libraries = _libraries(before, there, record, here)
    lines += [f"  library {name}: {_change(old, new)}" for name, (old, new) in libraries.items()]
    changed = differences(there.fields.get(record.trial, {}), here.fields.get(record.trial, {}))
    lines += [f"  {name}: {_change(old, new)}" for name, (old, new) in changed.items()]
    if len(lines) == 1:
        same = "nothing differs; reuse was switched off (--fresh) or its rows were damaged"
        lines.append(f"  {same}")
    return lines


def _stored(reader: RunReader) -> StoredFields:
    try:
        return read_fields(reader.folder)
    except RecordError as error:
        tell([f"{error.what} ({error.where}), so those of this run are not compared"])
        return StoredFields()


def _doubt(record: TrialRecord) -> str:
    from harness.engine.reuse import doubt

    return doubt(record)


def _libraries(
    before: TrialRecord, there: StoredFields, record: TrialRecord, here: StoredFields
) -> dict[str, tuple[str, str]]:
    """Versions of libraries that differ from those of an earlier run."""
    if before.libraries == record.libraries:
        return {}
    known = there.libraries.get(before.libraries)
    changed = differences(dict(known), dict(here.libraries.get(record.libraries, {}))) if known else {}
    return changed or {"versions": (before.libraries or "not recorded", record.libraries)}


def _change(old: str, new: str) -> str:
    if not old:
        return f"new: {new}"
    return f"gone (was {old})" if not new else f"'{old}' became '{new}'"
