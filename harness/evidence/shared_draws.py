"""Draws that all seeds of a run share, and whose variation they cannot show: chosen values, artifacts."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from harness.claims.wording import number
from harness.store.records import TrialRecord
from harness.store.view import TIMED_METHOD

_REMARKS = frozenset({"edge"})
"""Entries of a trial's ``tuned`` that are no values."""


def tuned_otherwise(
    before: Mapping[str, TrialRecord], after: Mapping[str, TrialRecord], trials: Sequence[str]
) -> str:
    """The methods for which tuning chose other values in a second run, in words; empty if there are none.

    Args:
        before: Records of the first run, by trial.
        after: Of the second.
        trials: Those that a quantity rests on; what only one run has is passed over.
    """
    shared = [name for name in trials if name in before and name in after]
    return "; ".join(dict.fromkeys(told for name in shared for told in _differs(before[name], after[name])))


def built_elsewhere(
    before: Mapping[str, TrialRecord],
    after: Mapping[str, TrialRecord],
    trials: Sequence[str],
    on_artifacts: Collection[tuple[str, str, str]],
) -> bool:
    """Whether trials rest on artifacts that the two runs have built in different environments.

    Args:
        before: Records of the first run, by trial.
        after: Of the second.
        trials: Those that a quantity rests on.
        on_artifacts: Arms that rest on artifacts, by experiment, task and method.
    """
    sides = []
    for records in (before, after):
        own = [records[name] for name in dict.fromkeys(trials) if name in records]
        sides.append({r.environment for r in own if _rests(r, on_artifacts)})
    return sides[0] != sides[1]


def _rests(record: TrialRecord, on_artifacts: Collection[tuple[str, str, str]]) -> bool:
    if record.method == TIMED_METHOD:  # All arms in one trial.
        return any(place[:2] == (record.experiment, record.task) for place in on_artifacts)
    return (record.experiment, record.task, record.method) in on_artifacts


def _differs(before: TrialRecord, after: TrialRecord) -> Iterator[str]:
    names = dict.fromkeys([*before.tuned, *after.tuned])
    changed = [
        f"{name} {_shown(before.tuned.get(name))} before, {_shown(after.tuned.get(name))} now"
        for name in names
        if name not in _REMARKS and before.tuned.get(name) != after.tuned.get(name)
    ]
    if changed:
        yield f"{before.method}: {', '.join(changed)}"


def _shown(value: Any) -> str:
    return number(value) if isinstance(value, float) else "nothing" if value is None else str(value)
