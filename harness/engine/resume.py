"""Beginning a run and going on with it, only with what it was started with; its record says who did.

One run is one configuration. What was asked for must be the same; trials that have finished must still
be those that would be executed now. Another commit or machine is no obstacle where neither has changed
a finished trial, and is recorded beside the first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from harness.engine.files_read import changed_files
from harness.engine.reuse import Key, doubt
from harness.errors import RecordError, UsageError
from harness.plan.fingerprint import Fields, differences
from harness.plan.stored import read_fields
from harness.plan.trial import Plan, PlannedTrial
from harness.provenance import environment_key
from harness.store.locate import after_newest
from harness.store.model_records import EndpointRecord
from harness.store.reader import RunReader
from harness.store.records import RunRecord, TrialRecord

_ASKED = (
    "suite",
    "profile",
    "full",
    "settings",
    "selection",
    "bindings",
    "endpoints",
    "added",
    "device",
    "dtype",
    "claims_sha256",
    "rehearsal",
    "looks",
)
"""Fields of a run's record that decide its results, or what is said of them."""
_SINCE = frozenset({"device", "dtype"})
"""Fields that older records do not have: empty means unknown there."""
_NAMES = {"claims_sha256": "claims as declared", "looks": "number of looks", "endpoints": "server"}
_SHOWN = 3
_FIX = (
    "Resume it with what it was started with, or start a new run: finished trials that are still the same "
    "are reused there."
)


def begun(now: RunRecord, runs: Path, note: Callable[[str], None]) -> RunRecord:
    """The record of a run that begins, which is the newest of a folder of runs whatever the clock says.

    Args:
        now: As if it were alone.
        runs: The folder.
        note: Told if the clock says otherwise.
    """
    follows = after_newest(runs, now.provenance.created)
    if not follows:
        return now
    note(f"The clock is behind that of an older run here: this run counts as begun at {follows}")
    return now.model_copy(update={"follows": follows})


def continued(before: RunRecord, now: RunRecord, folder: Path, *, elsewhere: bool = True) -> RunRecord:
    """The record of a run that goes on: as it began, with what is planned now and who goes on with it.

    Args:
        before: The record so far.
        now: As if the run began now.
        folder: The run's folder.
        elsewhere: Whether another process goes on with it, which is recorded.

    Raises:
        UsageError: If it would become another run; names everything that differs.
    """
    different = list(_different(before, now))
    if different:
        names = ", ".join(name for name, _ in different)
        listing = "".join(f"\n    {name}: {change}" for name, change in different)
        raise UsageError(
            f"This run was started with another {names}{':' + listing}", where=str(folder), fix=_FIX
        )
    newer = {
        name: getattr(now, name) for name in ("planned", "blocked", "limits", "device", "dtype", "ended")
    }
    later = [now.provenance] if elsewhere else []
    return before.model_copy(update={**newer, "continued": [*before.continued, *later]})


def _different(before: RunRecord, now: RunRecord) -> Iterator[tuple[str, str]]:
    for name in _ASKED:
        old, new = getattr(before, name), getattr(now, name)
        if old != new and not (name in _SINCE and not old):
            yield _NAMES.get(name, name), f"{_told(old)}, not {_told(new)}"


def _told(value: Any) -> str:
    if isinstance(value, EndpointRecord):
        return value.told
    if isinstance(value, dict):
        return ", ".join(f"{key}={_told(item)}" for key, item in value.items()) or "none"
    if isinstance(value, list):
        return ",".join(map(str, value))
    return str(value) if value not in ("", None) else "none"


def check_finished(reader: RunReader, plan: Plan, *, anywhere: bool) -> None:
    """Refuse to go on where finished trials would be set beside trials of other code, data or libraries.

    Args:
        reader: The run so far.
        plan: What would be executed now.
        anywhere: Whether versions of libraries may differ, as between the machines of a gathered run.

    Raises:
        UsageError: If the fingerprint, the libraries or the files of a finished trial have changed.
    """
    planned = {trial.id: trial for trial in _known(plan)}
    changed = {}
    for name, record in reader.trials.items():
        if name in planned and record.status == "ok" and not record.unsure:
            reason = _change(reader, record, planned[name], anywhere=anywhere)
            if reason:
                changed[name] = reason
    if changed:
        reasons = list(dict.fromkeys(changed.values()))
        listing = "".join(f"\n    {reason}" for reason in reasons[:_SHOWN])
        more = f"\n    and {len(reasons) - _SHOWN} more" if len(reasons) > _SHOWN else ""
        raise UsageError(
            f"{len(changed)} finished trials of this run would not be the same now:{listing}{more}",
            where=f"{reader.folder}: {next(iter(changed))}",
            fix=_FIX,
        )


def _known(plan: Plan) -> list[PlannedTrial]:
    return [*plan.trials, *(point for group in plan.tunings for point in group.points)]


def _change(reader: RunReader, record: TrialRecord, trial: PlannedTrial, *, anywhere: bool) -> str:
    """What has changed since a trial has finished, or nothing."""
    if record.fingerprint != trial.fingerprint:
        before: Fields = {}
        with suppress(RecordError):  # Damaged, it cannot say in what the fingerprints differ.
            before = read_fields(reader.folder).fields.get(record.trial, {})
        return ", ".join(differences(before, trial.fields)) if before else "fingerprint"
    # What was computed in another environment is computed anew, and its record says where.
    here = record.environment == environment_key(trial.placement.device, trial.experiment.threads)
    if here and record.libraries != trial.libraries and record.libraries and not anywhere:
        return "versions of libraries"
    changed = changed_files(record.files)
    return f"files that were read: {', '.join(changed)}" if changed else ""


def started_again(reader: RunReader, now: RunRecord, key: Key) -> RunRecord:
    """The record of a folder for a trial by itself, in which an earlier process may have worked.

    Args:
        reader: The folder.
        now: The record as if it were new.
        key: What a finished trial must equal.
    """
    try:
        before = reader.record
        trials = list(reader.trials.values())
    except RecordError:
        return now  # It is new.
    asked = {
        "planned": list(dict.fromkeys([*before.planned, *now.planned])),
        "selection": {"trial": list(dict.fromkeys([*before.selection.get("trial", []), *now.planned]))},
    }
    mine = [t for t in trials if t.trial in now.planned and t.status == "ok" and not doubt(t)]
    if any((t.fingerprint, t.environment, t.libraries) == key for t in mine):
        return before.model_copy(update=asked)  # Nothing is left to do.
    return before.model_copy(update={**asked, "continued": [*before.continued, now.provenance]})
