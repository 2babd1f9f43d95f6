"""The driver: decides what runs when, and stores what comes back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from harness.ends import text_of
from harness.engine.artifact import is_built, mark_used
from harness.engine.engines import Engine
from harness.engine.job import ArtifactJob, Job, Outcome, TrialJob
from harness.engine.jobs import JobMaker, Preparation
from harness.engine.reuse import Key, ReuseIndex, Stored, key_of
from harness.engine.tuning import TuningState
from harness.plan.planner import Planner
from harness.plan.stored import FIELDS_FILE, dump_fields
from harness.plan.trial import Plan, PlannedTrial
from harness.store.records import TrialRecord
from harness.store.writer import RunWriter
from harness.suite import Scale

TICK_SECONDS = 1.0
CACHE = "cache"
"""Where an artifact is from that this run has not built."""


class RunListener(Protocol):
    """What a display is told."""

    def total(self, trials: Sequence[str]) -> None:
        """The ids of all trials of the run, those included that wait for tuning."""

    def started(self, job: str) -> None:
        """A job began."""

    def finished(self, record: TrialRecord) -> None:
        """A job ended, or was reused (``reused_from``)."""

    def note(self, text: str) -> None:
        """Something that a reader of the log should know."""


@dataclass
class Summary:
    """What became of a run's trials; one that diverged is a result, with its worst score."""

    executed: int = 0
    reused: int = 0
    diverged: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    """Trials of a gathering run that are stored nowhere."""
    nodes: dict[str, str] = field(default_factory=dict)
    """Nodes of the cluster that executed trials, with their processor or GPU."""


class Driver:
    """Executes a plan.

    Args:
        plan: What to do.
        planner: Plans main trials once tuning is done.
        scale: The scale of the plan.
        maker: Makes jobs and records.
        engine: Executes jobs.
        writer: The open run folder.
        reuse: Finished trials of other runs.
        listener: The display.
        gather: Whether to take what is stored only, and execute nothing.
        retry: Whether what has failed or diverged in this run before is executed again.
        expected: Seconds that trials took on an earlier occasion, by id: the longest are started first.
    """

    def __init__(
        self,
        plan: Plan,
        *,
        planner: Planner,
        scale: Scale,
        maker: JobMaker,
        engine: Engine,
        writer: RunWriter,
        reuse: ReuseIndex,
        listener: RunListener,
        gather: bool = False,
        retry: bool = True,
        expected: Mapping[str, float] | None = None,
    ) -> None:
        self._plan = plan
        self._planner = planner
        self._scale = scale
        self._maker = maker
        self._engine = engine
        self._writer = writer
        self._reuse = reuse
        self._listener = listener
        self._gather = gather
        self._retry = retry
        self._own = writer.reader()
        self._waiting: dict[str, Job] = {}
        self._sorted = True
        self._expected = expected or {}
        self._trials: dict[str, PlannedTrial] = {}
        self._artifacts: dict[str, Preparation] = {}
        self._tunings = [TuningState(group) for group in plan.tunings]
        self._running: dict[str, Job] = {}
        self._built: set[str] = set()
        self._lost: set[str] = set()
        self._left: set[tuple[str, ...]] = set()
        self.summary = Summary()

    def run(self) -> Summary:
        """Execute everything that is not there yet."""
        points = [point for group in self._plan.tunings for point in group.points]
        self._listener.total([*(point.id for point in points), *self._plan.main_ids])
        for trial in [*points, *self._plan.trials]:
            self._add(trial)
        self._store_fields()
        while self._waiting or self._running:
            self._submit()
            for outcome in self._engine.wait(TICK_SECONDS):
                self._ended(outcome)
        self._store_fields()
        self._note_unknown_winners()
        return self.summary

    def _note_unknown_winners(self) -> None:
        """Main trials are missing, too, if tuning trials are."""
        for state in self._tunings:
            if not state.complete:
                group = state.group
                name = f"{group.experiment.id}/{group.task_id}/{group.method_id}"
                self.summary.missing += [f"{name}/{seed}" for seed in group.seeds]
                self._listener.note(f"{name}: tuning trials are missing, so its main trials are not known.")

    def _store_fields(self) -> None:
        self._writer.text(FIELDS_FILE, dump_fields(self._trials.values()))

    def _add(self, trial: PlannedTrial) -> None:
        """Take a trial from this run or another one, or queue it with the artifacts it needs."""
        self._trials[trial.id] = trial
        key = key_of(trial, self._maker.environment_of(trial))
        own = self._own.trials.get(trial.id)
        if own and self._reuse.equal(own, key) and self._is_kept(own):
            kept = own.model_copy(update={"reused_from": self._own.folder.name})
            tunes = own.status == "ok" and own.stage == "tune"
            self._done(kept, self._own.units(trial.id) if tunes else None)
            return
        stored = self._reuse.find(key)
        if stored is not None:
            self._take(trial, stored)
        elif self._gather:
            self._take_failure(trial, key)
        else:
            for item in self._maker.needs(trial):
                self._add_artifact(item)
            self._wait_for_place(self._maker.trial(trial))

    def _is_kept(self, own: TrialRecord) -> bool:
        """Whether a trial of this run has its result, or has failed and is not tried again."""
        return self._own.is_whole(own.trial) if own.status == "ok" else not self._retry

    def _take(self, trial: PlannedTrial, stored: Stored) -> None:
        """Copy an equal trial of another run into this one, under this plan's names."""
        empty = Outcome(id=trial.id, status="ok", cost=stored.record.cost, left=tuple(stored.record.left))
        origin = {"reused_from": stored.run, **_made_with(stored.record)}
        record = self._maker.trial_record(trial, empty).model_copy(update=origin)
        self._maker.forget(trial)  # This run may have been killed in the middle of it.
        self._done(self._writer.append_encoded(record, stored.units, stored.record.parts), stored.units)

    def _take_failure(self, trial: PlannedTrial, key: Key) -> None:
        """Copy the record of an equal trial that diverged or failed, or note that there is none."""
        found = self._reuse.failed(key)
        if found is None:
            self.summary.missing.append(trial.id)
            if reason := self._reuse.refused(key):
                self._listener.note(f"{trial.id}: its stored result is not taken: {reason}.")
            return
        before, run = found
        outcome = Outcome(id=trial.id, status=before.status, error=before.error, cost=before.cost)
        origin = {"reused_from": run, **_made_with(before)}
        record = self._maker.trial_record(trial, outcome).model_copy(update=origin)
        self._done(self._writer.append(record), None)

    def _add_artifact(self, item: Preparation) -> None:
        name = self._maker.artifact_id(item)
        if name in self._artifacts:
            return
        self._artifacts[name] = item
        folder = self._maker.folder(item)
        if not is_built(folder):
            self._wait_for_place(self._maker.artifact(item))
            return
        self._built.add(name)
        mark_used(folder)
        record = self._maker.artifact_record(item, Outcome(id=name, status="ok"), reused_from=CACHE)
        if not self._has(record):
            self._writer.append(record)

    def _has(self, record: TrialRecord) -> bool:
        """Whether this run has recorded an artifact, which it may have built before it was resumed."""
        own = self._own.trials.get(record.trial)
        key = (record.status, record.fingerprint, record.environment, record.libraries)
        return own is not None and key == (own.status, own.fingerprint, own.environment, own.libraries)

    def _wait_for_place(self, job: Job) -> None:
        self._waiting[job.id] = job
        self._sorted = False

    def _in_turn(self) -> list[Job]:
        """What waits: artifacts first, since others wait for them, then tuning, timed trials last."""
        if not self._sorted:
            self._waiting = {job.id: job for job in sorted(self._waiting.values(), key=self._turn)}
            self._sorted = True
        return list(self._waiting.values())

    def _turn(self, job: Job) -> tuple[bool, bool, bool, float]:
        """The longest of a kind first: what begins last should not be what takes longest."""
        main = not (isinstance(job, TrialJob) and job.stage == "tune")
        return (not isinstance(job, ArtifactJob), job.exclusive, main, -self._expected.get(job.id, 0.0))

    def _submit(self) -> None:
        """Start what can start."""
        if not self._engine.room():
            return
        waiting = self._in_turn()
        # They come last, so that the first tells of all.
        alone = bool(waiting) and waiting[0].exclusive
        for job in waiting:
            if not self._engine.room() or (job.exclusive and not alone):
                return
            if job.needs <= self._built and self._engine.accepts(job):
                self._running[job.id] = self._waiting.pop(job.id)
                self._listener.started(job.id)
                self._engine.submit(job)

    def _ended(self, outcome: Outcome) -> None:
        job = self._running.pop(outcome.id)
        if outcome.lost and outcome.id not in self._lost:
            self._lost.add(outcome.id)
            reason = outcome.error.strip().rpartition("\n")[2]
            self._listener.note(f"{outcome.id}: {reason} It is tried once more.")
            self._wait_for_place(job)
            return
        # What is timed is timed as it was declared.
        if outcome.smaller and job.passes == 1 and not job.exclusive:
            reason = outcome.error.strip().rpartition("\n")[2]
            self._listener.note(f"{outcome.id}: {reason} It is executed again with its passes halved.")
            self._wait_for_place(replace(job, passes=2 * job.passes))
            return
        self._name_left(job, outcome)
        if unkept := self._writer.log(outcome.id, outcome.log):
            self._listener.note(unkept)
        if outcome.id in self._artifacts:
            self._artifact_ended(outcome)
        else:
            self._trial_ended(outcome)

    def _name_left(self, job: Job, outcome: Outcome) -> None:
        """Tell of state that a job has left changed: once for all that leave the same."""
        kinds = job.methods.values() if isinstance(job, TrialJob) else [getattr(job, "artifact", job)]
        seen = (*(type(kind).__qualname__ for kind in kinds), *outcome.left)
        if outcome.left and seen not in self._left:
            self._left.add(seen)
            self._listener.note(f"{outcome.id} left state of the process changed: {', '.join(outcome.left)}.")

    def _artifact_ended(self, outcome: Outcome) -> None:
        item, origin = self._artifacts[outcome.id], CACHE if outcome.found else ""
        record = self._writer.append(self._maker.artifact_record(item, outcome, reused_from=origin))
        self._listener.finished(record)
        if outcome.status == "ok":
            self._built.add(outcome.id)
            return
        self.summary.failed.append(outcome.id)
        for job in [job for job in self._waiting.values() if outcome.id in job.needs]:
            if self._waiting.pop(job.id, None) is None:
                continue  # It also needed another artifact that this one's failure has ended.
            reason = f"'{outcome.id}', which it needs, could not be built.\n{outcome.error}"
            self._ended_without_running(Outcome(id=job.id, status="failed", error=reason))

    def _ended_without_running(self, outcome: Outcome) -> None:
        if outcome.id in self._artifacts:
            self._artifact_ended(outcome)
        else:
            self._trial_ended(outcome)

    def _trial_ended(self, outcome: Outcome) -> None:
        trial = self._trials[outcome.id]
        record = self._maker.trial_record(trial, outcome)
        if outcome.status == "ok":
            stored = self._writer.append_encoded(record, outcome.units, list(outcome.parts))
        else:
            stored = self._writer.append(record)
        if outcome.status in ("ok", "diverged"):
            # What failed, or passed a limit, goes on from its last state when it is run again.
            self._maker.forget(trial)
        self._done(stored, outcome.units if outcome.status == "ok" else None)

    def _done(self, record: TrialRecord, units: bytes | None) -> None:
        """Count a trial that has ended, tell the display, and let tuning go on with its rows."""
        self._listener.finished(record)
        if record.status == "diverged":
            self.summary.diverged.append(record.trial)
        elif record.status != "ok":
            self.summary.failed.append(record.trial)
        elif record.reused_from:
            self.summary.reused += 1
        else:
            self.summary.executed += 1
        if record.stage == "tune":
            self._tune(record.trial, units)

    def _tune(self, trial: str, units: bytes | None) -> None:
        owning = (s for s in self._tunings if any(point.id == trial for point in s.group.points))
        state = next(owning, None)
        if state is None:
            return  # A tuning trial that is run by itself.
        group = state.group
        name = f"{group.experiment.id}/{group.task_id}/{group.method_id}"
        try:
            state.add(trial, units)
            winner = state.winner() if state.complete else None
            planned = self._planner.after_tuning(group, self._scale, winner) if winner is not None else []
        except (Exception, SystemExit) as error:  # noqa: BLE001 - metrics and parameters are foreign code
            self._tunings.remove(state)
            self.summary.failed += [f"{name}/{seed}" for seed in group.seeds]
            reason = text_of(error) or type(error).__name__
            self._listener.note(f"{name}: its main trials cannot be planned from its tuning trials: {reason}")
            return
        if state.complete and winner is None:
            self._listener.note(f"{name}: every tuning trial failed, so its main trials cannot run.")
        for main in planned:
            self._add(main)


def _made_with(record: TrialRecord) -> dict[str, object]:
    """The fields of a record that stay as they are where it is taken over."""
    names = ("environment", "libraries", "files", "unsure", "passes", "models")
    return {name: getattr(record, name) for name in names}
