"""``corroborate why``: why a trial was, or was not, reused, field by field."""

from __future__ import annotations

import argparse
from pathlib import Path

from harness.cli.options import add_runs
from harness.cli.runs import tell
from harness.errors import ExitCode, unknown_name
from harness.plan.fingerprint import Fields, differences
from harness.plan.stored import FIELDS_FILE, load_fields, load_libraries
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
    if not earlier:
        return [*lines, "No earlier run has a trial of this name."]
    for other in earlier[:3]:
        lines += _against(reader, record, other)
    return lines


def _against(reader: RunReader, record: TrialRecord, other: RunReader) -> list[str]:
    before = other.trials[record.trial]
    lines = [f"Against {other.folder.name}:"]
    if before.status != "ok":
        lines.append(f"  that trial ended as '{before.status}', so there was nothing to reuse")
    if before.environment != record.environment:
        lines.append(f"  environment: '{before.environment}' became '{record.environment}'")
    if doubt := _doubt(before):
        lines.append(f"  that trial is not reused: {doubt}")
    libraries = _libraries(other, reader, record)
    lines += [f"  library {name}: {_change(old, new)}" for name, (old, new) in libraries]
    changed = differences(_fields(other, record.trial), _fields(reader, record.trial))
    lines += [f"  {name}: {_change(old, new)}" for name, (old, new) in changed.items()]
    if len(lines) == 1:
        same = "nothing differs; reuse was switched off (--fresh) or its rows were damaged"
        lines.append(f"  {same}")
    return lines


def _fields(reader: RunReader, trial: str) -> Fields:
    path = reader.folder / FIELDS_FILE
    if not path.is_file():
        return {}
    try:
        return load_fields(path.read_text(encoding="utf-8")).get(trial, {})
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        tell([f"{path} is damaged, so fields of this run cannot be compared: {error}"])
        return {}


def _doubt(record: TrialRecord) -> str:
    from harness.engine.reuse import doubt

    return doubt(record)


def _libraries(other: RunReader, reader: RunReader, record: TrialRecord) -> list[tuple[str, tuple[str, str]]]:
    """Versions of libraries that differ from those of an earlier run."""
    before = other.trials[record.trial]
    if before.libraries == record.libraries:
        return []
    versions = [_versions(one, trial) for one, trial in ((other, before), (reader, record))]
    changed = differences(*versions)
    if not versions[0] or not changed:
        return [("versions", (before.libraries or "not recorded", record.libraries))]
    return list(changed.items())


def _versions(reader: RunReader, record: TrialRecord) -> dict[str, str]:
    path = reader.folder / FIELDS_FILE
    if not path.is_file():
        return {}
    return dict(load_libraries(path.read_text(encoding="utf-8")).get(record.libraries, {}))


def _change(old: str, new: str) -> str:
    if not old:
        return f"new: {new}"
    return f"gone (was {old})" if not new else f"'{old}' became '{new}'"
