"""Whether verdicts are of the run and the trials that a report is about."""

from __future__ import annotations

from harness.errors import CorroborateError
from harness.store.records import VerdictsRecord
from harness.store.view import RunView, trials_sha256
from harness.suite import Scale, Suite

_JUDGE_AGAIN = "Judge the run again, then write its report."


class HandleError(CorroborateError):
    """A number of the report has no evidence, or evidence that is out of date."""


def refuse_stale(suite: Suite, scale: Scale, view: RunView, verdicts: VerdictsRecord) -> None:
    """Stop if the verdicts belong to another run or to other trials.

    Raises:
        HandleError: What they belong to.
    """
    _check_run(suite, scale, view, verdicts)
    _check_trials(suite, view, verdicts)


def resumption(suite: Suite, view: RunView) -> str:
    """The command that executes the trials that a run lacks."""
    return f"corroborate run {suite.slug} --resume {view.record.run}"


def _check_run(suite: Suite, scale: Scale, view: RunView, verdicts: VerdictsRecord) -> None:
    record = view.record
    ours = (record.run, record.suite, record.profile, record.full)
    theirs = (verdicts.run, verdicts.suite, verdicts.profile, verdicts.full)
    asked = (suite.slug, str(scale.profile), scale.full)
    if ours != theirs or ours[1:] != asked:
        raise HandleError(
            f"The verdicts are of run {theirs[0]} ({theirs[1]}, {theirs[2]}), the records of run "
            f"{ours[0]} ({ours[1]}, {ours[2]}), and the report is asked for {asked[0]}, {asked[1]}",
            where=f"run {record.run}",
            fix=_JUDGE_AGAIN,
        )


def _check_trials(suite: Suite, view: RunView, verdicts: VerdictsRecord) -> None:
    known = set(view.trials)
    for verdict in verdicts.verdicts:  # A whole rests on what its parts do.
        lost = [trial for trial in verdict.trials if trial not in known]
        if lost and verdict.cause != "invalid":
            planned = lost[0] in view.record.planned
            raise HandleError(
                f"The verdict on {verdict.claim} rests on {lost[0]}, "
                f"which {'has not finished' if planned else 'the run does not have'}",
                where=f"run {view.record.run}",
                fix=f"Finish the run: {resumption(suite, view)}" if planned else _JUDGE_AGAIN,
            )
    judged = verdicts.trials_sha256
    if judged and judged != trials_sha256(view):
        raise HandleError(
            "The verdicts are stale: trials have been added or rerun since they were given",
            where=f"run {view.record.run}",
            fix=_JUDGE_AGAIN,
        )
