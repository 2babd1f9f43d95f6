"""From planned trials and artifacts to jobs, and from outcomes to records."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

from harness.engine.artifact import artifact_folder, checkpoints_of, forget_checkpoints
from harness.engine.job import ArtifactJob, Outcome, TrialJob
from harness.method.references import Artifact, Reference
from harness.plan.canonical import canonical_text, class_name, digest
from harness.plan.fingerprint import Fingerprinter
from harness.plan.references import inputs_of, reference_key
from harness.plan.trial import PlannedTrial
from harness.store.records import TrialRecord
from harness.store.units import units_name

Environment = Callable[[int], str]
"""From a number of threads to the environment key."""


@dataclass(frozen=True)
class JobMaker:
    """Makes jobs for one run.

    Attributes:
        home: The cache, where artifacts are kept.
        resources: Folders of the resources, by reference key.
        checkpoints: The run's folder of the state of trials that are not over.
    """

    fingerprinter: Fingerprinter
    environment: Environment
    home: Path
    resources: Mapping[str, str]
    checkpoints: Path

    def trial(self, trial: PlannedTrial) -> TrialJob:
        """The job of a trial."""
        experiment = trial.experiment
        return TrialJob(
            id=trial.id,
            device=self.fingerprinter.device,
            dtype=self.fingerprinter.dtype,
            paths=self._paths(trial.references),
            threads=experiment.threads,
            minutes=experiment.minutes,
            memory_gb=experiment.memory_gb,
            needs=frozenset(artifact_id(artifact) for artifact in trial.artifacts),
            exclusive=trial.timed is not None,
            checkpoints=self.kept(trial),
            task=trial.task,
            methods=trial.methods,
            seed=trial.seed,
            stage=trial.stage,
            timed=trial.timed,
        )

    def artifact(self, artifact: Artifact) -> ArtifactJob:
        """The job that builds an artifact."""
        inputs = inputs_of(artifact)
        fingerprint = self.fingerprinter.artifact(artifact)
        return ArtifactJob(
            id=artifact_id(artifact),
            device=self.fingerprinter.device,
            dtype=self.fingerprinter.dtype,
            paths=self._paths(inputs),
            threads=artifact.threads,
            minutes=artifact.minutes,
            memory_gb=8.0,
            needs=frozenset(artifact_id(item) for item in inputs if isinstance(item, Artifact)),
            checkpoints=checkpoints_of(self.folder(artifact)),
            artifact=artifact,
            target=self.folder(artifact),
            note={
                "title": artifact.title,
                "class": class_name(type(artifact)),
                "fingerprint": fingerprint,
                "environment": self.environment(artifact.threads),
                "fields": canonical_text(artifact),
            },
        )

    def kept(self, trial: PlannedTrial) -> Path:
        """Where a trial's state is kept: another code, data or environment finds nothing there."""
        name = units_name(trial.id).removesuffix(".parquet")
        world = digest(f"{trial.fingerprint} {self.environment(trial.experiment.threads)}")
        return self.checkpoints / f"{name}.{world[:12]}"

    def forget(self, trial: PlannedTrial) -> None:
        """Remove the state of a trial that is over, and what its earlier forms have left."""
        folder = self.kept(trial)
        for left in folder.parent.glob(f"{folder.name.rpartition('.')[0]}.*"):
            forget_checkpoints(left)
        with contextlib.suppress(OSError):
            folder.parent.rmdir()

    def folder(self, artifact: Artifact) -> Path:
        """Where an artifact is, or will be."""
        fingerprint = self.fingerprinter.artifact(artifact)
        return artifact_folder(self.home, artifact, fingerprint, self.environment(artifact.threads))

    def _paths(self, references: tuple[Reference, ...] | list[Reference]) -> dict[str, str]:
        paths = {}
        for ref in references:
            key = reference_key(ref)
            paths[key] = str(self.folder(ref)) if isinstance(ref, Artifact) else self.resources[key]
        return paths

    def trial_record(self, trial: PlannedTrial, outcome: Outcome) -> TrialRecord:
        """The record of an executed trial."""
        return TrialRecord(
            trial=trial.id,
            status=outcome.status,
            experiment=trial.experiment.id,
            task=trial.task_id,
            method=trial.method_id,
            seed=trial.seed,
            stage=trial.stage,
            params=parameters(trial),
            tuned=tuned_values(trial),
            fingerprint=trial.fingerprint,
            environment=self.environment(trial.experiment.threads),
            error=outcome.error,
            cost=outcome.cost,
        )

    def artifact_record(self, artifact: Artifact, outcome: Outcome, reused_from: str = "") -> TrialRecord:
        """The record of a built artifact."""
        return TrialRecord(
            trial=artifact_id(artifact),
            kind="artifact",
            status=outcome.status,
            method=artifact.title or type(artifact).__name__,
            fingerprint=self.fingerprinter.artifact(artifact),
            environment=self.environment(artifact.threads),
            error=outcome.error,
            cost=outcome.cost,
            reused_from=reused_from,
        )


def artifact_id(artifact: Artifact) -> str:
    """The id of an artifact in records."""
    return f"artifact/{type(artifact).__name__}-{digest(canonical_text(artifact))[:8]}"


def parameters(trial: PlannedTrial) -> dict[str, Any]:
    """Parameters as JSON data: of the method, or of each arm of a timed trial."""
    plain = {name: _plain(method) for name, method in trial.methods.items()}
    return plain if trial.timed else next(iter(plain.values()))


def tuned_values(trial: PlannedTrial) -> dict[str, Any]:
    """What tuning chose (or is trying), and which of it lies at its grid's edge."""
    values = {name: _json_value(value) for name, value in trial.point.items()}
    return {**values, "edge": list(trial.edge)} if trial.edge else values


def _plain(method: Any) -> dict[str, Any]:
    if not is_dataclass(method):
        return {}
    return {item.name: _json_value(getattr(method, item.name)) for item in fields(method)}


def _json_value(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, tuple | list):
        return [_json_value(item) for item in value]
    if isinstance(value, Reference):
        return getattr(value, "name", "") or getattr(value, "title", "") or type(value).__name__
    return canonical_text(value)[:200]
