"""What became of every arm that a profile plans."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from harness.plan.selection import pairs
from harness.plan.trial import Plan
from harness.store.records import TrialRecord
from harness.store.view import TIMED_METHOD, RunView
from harness.suite import Scale, Suite

Status = Literal["ran", "stopped", "failed", "not run", "not planned"]


@dataclass(frozen=True)
class Arm:
    """One method on one task of one experiment.

    Attributes:
        status: ``stopped`` if it ended by the error that the suite declares for random models,
            ``not run`` if it was planned and never began, ``not planned`` if it cannot be had.
        trials: How many of its trials ended well.
        trial: The first that did not.
        reason: Its last line, or why nothing was planned.
        error: Its traceback.
    """

    experiment: str
    task: str
    method: str
    status: Status
    trials: int = 0
    trial: str = ""
    reason: str = ""
    error: str = ""


@dataclass(frozen=True)
class Report:
    """All arms of a rehearsal.

    Attributes:
        beside: What else went wrong: judging the claims, or writing the report.
    """

    suite: str
    profile: str
    dtype: str
    run: str
    arms: tuple[Arm, ...]
    beside: str = ""

    @property
    def passed(self) -> bool:
        """Whether everything that the profile plans has run, or stopped where a random model must."""
        good = ("ran", "stopped")
        return bool(self.arms) and not self.beside and all(arm.status in good for arm in self.arms)

    def as_json(self) -> dict[str, Any]:
        """As plain data."""
        return {**asdict(self), "passed": self.passed}


def report_of(
    suite: Suite, scale: Scale, plan: Plan, view: RunView, *, dtype: str, beside: str = ""
) -> Report:
    """What became of every arm of the experiments of a scale."""
    arms = tuple(_arms(suite, scale, plan, view))
    return Report(suite.slug, scale.profile.value, dtype, view.record.run, arms, beside)


def _arms(suite: Suite, scale: Scale, plan: Plan, view: RunView) -> Iterator[Arm]:
    for experiment in suite.experiments(scale):
        for task, method in pairs(experiment):
            name = f"{experiment.id}/{task}/{method}"
            reason = plan.blocked.get(name) or plan.blocked.get(experiment.id, "")
            if reason:
                yield Arm(experiment.id, task, method, "not planned", reason=reason)
                continue
            wanted = TIMED_METHOD if experiment.timed else method
            records = [
                record
                for record in view.trials.values()
                if (record.experiment, record.task, record.method) == (experiment.id, task, wanted)
            ]
            arm = _arm(experiment.id, task, method, records)
            expected = suite.rehearsal.stops.get(name, "")
            yield replace(arm, status="stopped") if expected and expected in arm.reason else arm


def _arm(experiment: str, task: str, method: str, records: list[TrialRecord]) -> Arm:
    main = [record for record in records if record.stage == "main"]
    # A random model may diverge: that is a result, with its worst score.
    bad = next((record for record in records if record.status not in ("ok", "diverged")), None)
    if bad is not None:
        return Arm(experiment, task, method, "failed", len(records), bad.trial, _message(bad), bad.error)
    if not main:
        return Arm(experiment, task, method, "not run", len(records), reason="no trial of it began")
    return Arm(experiment, task, method, "ran", len(records))


def _message(record: TrialRecord) -> str:
    """The line of a traceback that says what went wrong; advice is indented below it."""
    lines = [line for line in record.error.split("\n") if line.strip() and not line.startswith(" ")]
    return lines[-1].strip() if lines else record.status
