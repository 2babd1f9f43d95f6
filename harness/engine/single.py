"""One trial of a plan, for schedulers and proofs: which it is, and what tuning has chosen for it."""

from __future__ import annotations

from harness.engine.jobs import tuned_values
from harness.engine.reuse import ReuseIndex, key_of
from harness.engine.tuning import TuningState
from harness.errors import ResourceError, UsageError, unknown_name
from harness.plan import Plan, PlannedTrial, PlannedTuning, Planner
from harness.provenance import environment_key
from harness.store.records import TrialRecord
from harness.suite import Scale


def only_trial(plan: Plan, planner: Planner, scale: Scale, trial: str, stored: ReuseIndex) -> Plan:
    """The plan of one trial alone.

    Args:
        plan: The whole plan.
        planner: Plans the main trials of a tuned method once its values are known.
        scale: The scale of the plan.
        trial: The trial's id.
        stored: Finished trials, where the tuning trials of a tuned method are looked up.

    Raises:
        UsageError: If the plan has no such trial, or its tuning has not ended.
        ResourceError: If it cannot run here.
    """
    points = [point for group in plan.tunings for point in group.points]
    known = {item.id: item for item in [*plan.trials, *points]}
    group = next((group for group in plan.tunings if trial in _main_ids(group)), None)
    if trial in known:
        found = known[trial]
    elif group is not None:
        found = _tuned(group, planner, scale, trial, stored)
    else:
        raise _absent(plan, trial, list(dict.fromkeys([*known, *plan.main_ids])))
    return Plan(suite=plan.suite, trials=(found,), tunings=(), blocked={})


def same_trial(plan: Plan, planner: Planner, scale: Scale, record: TrialRecord) -> Plan:
    """The plan of one recorded trial alone, with the values that tuning chose for it then.

    Args:
        plan: The whole plan.
        planner: Plans the main trials of a tuned method.
        scale: The scale of the plan.
        record: The trial as it was recorded.

    Raises:
        UsageError: If the plan has no such trial, or no such point in its grid.
        ResourceError: If it cannot run here.
    """
    group = next((group for group in plan.tunings if record.trial in _main_ids(group)), None)
    if group is None:
        return only_trial(plan, planner, scale, record.trial, ReuseIndex([]))
    chosen = {name: value for name, value in record.tuned.items() if name != "edge"}
    point = next((item.point for item in group.points if tuned_values(item) == chosen), None)
    if point is None:
        raise UsageError(f"The grid has no point {chosen} any more", where=record.trial)
    found = planner.after_tuning(group, scale, point)
    return Plan(
        suite=plan.suite,
        trials=tuple(item for item in found if item.id == record.trial),
        tunings=(),
        blocked={},
    )


def _main_ids(group: PlannedTuning) -> list[str]:
    return [f"{group.experiment.id}/{group.task_id}/{group.method_id}/{seed}" for seed in group.seeds]


def _tuned(
    group: PlannedTuning, planner: Planner, scale: Scale, trial: str, stored: ReuseIndex
) -> PlannedTrial:
    """A main trial with the values that won among the stored tuning trials.

    Raises:
        UsageError: If some of them have not ended, or all have failed.
    """
    state, missing = _tuning(group, stored)
    if missing:
        raise UsageError(
            f"This trial runs with the values that tuning chooses, and {len(missing)} of "
            f"{len(group.points)} tuning trials have not ended yet",
            where=trial,
            fix="Run these first, each with run-trial:\n    " + "\n    ".join(missing),
        )
    winner = state.winner()
    if winner is None:
        raise UsageError("Every tuning trial of this method failed: no values are chosen", where=trial)
    return next(item for item in planner.after_tuning(group, scale, winner) if item.id == trial)


def tuned_trials(
    group: PlannedTuning, planner: Planner, scale: Scale, stored: ReuseIndex
) -> list[PlannedTrial]:
    """The main trials of a tuned method, with the values that won; none before its tuning has ended."""
    state, missing = _tuning(group, stored)
    winner = None if missing else state.winner()
    return [] if winner is None else planner.after_tuning(group, scale, winner)


def _tuning(group: PlannedTuning, stored: ReuseIndex) -> tuple[TuningState, list[str]]:
    """What the stored tuning trials say, and the ids of those that have not ended."""
    state, missing = TuningState(group), []
    for point in group.points:
        key = key_of(point, environment_key(point.placement.device, point.experiment.threads))
        rows = stored.find(key)
        if rows is not None:
            state.add(point.id, rows.units)
        elif stored.failed(key):
            state.add(point.id, None)
        else:
            missing.append(point.id)
    return state, missing


def _absent(plan: Plan, trial: str, known: list[str]) -> UsageError | ResourceError:
    parts = trial.split("/")
    for name in (parts[0], "/".join(parts[:3])):
        if name in plan.blocked:
            return ResourceError(f"This trial cannot run here: {plan.blocked[name]}", where=trial)
    return unknown_name("trial", trial, known, where="corroborate plan --trials lists them")
