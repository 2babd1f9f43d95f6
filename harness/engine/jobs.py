"""From planned trials and artifacts to jobs, and from outcomes to records."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from harness.engine.artifact import (
    artifact_folder,
    checkpoints_of,
    cost_of,
    files_behind,
    forget_checkpoints,
    models_of,
)
from harness.engine.framework import needs_framework
from harness.engine.job import ArtifactJob, Outcome, TrialJob
from harness.method.references import Artifact, Reference, Resource
from harness.plan.canonical import canonical_text, class_name, digest
from harness.plan.fingerprint import Code
from harness.plan.limits import Limits
from harness.plan.placement import Placement, Placements
from harness.plan.references import all_references, inputs_of, reference_key
from harness.plan.trial import PlannedTrial
from harness.store.records import TrialRecord
from harness.store.units import units_name

Environment = Callable[[str, int], str]
"""From a device kind and a number of threads to the environment key."""


ANSWERS = "answers"
"""Beside a run's checkpoints, and in the cache: what servers have answered to what is not over."""
LOADING = 2.0
"""Main memory for a model whose need nobody declares, by the size of its files: they are read, and copied."""
_WEIGHTS = (".safetensors", ".gguf")


@lru_cache
def weights_gb(folder: Path) -> float:
    """Size in GB of the weights in a folder: a user may have bound any model."""
    files = [path for path in folder.glob("*") if path.suffix in _WEIGHTS]
    return sum(path.stat().st_size for path in files) / 2**30


@dataclass(frozen=True)
class Preparation:
    """An artifact, and the placement of what needs it: it is built there too."""

    artifact: Artifact
    placement: Placement


@dataclass(frozen=True)
class JobMaker:
    """Makes jobs for one run.

    Attributes:
        home: The cache, where artifacts are kept.
        resources: Folders of the resources, by reference key.
        checkpoints: The run's folder of the state of trials that are not over.
    """

    placements: Placements
    environment: Environment
    home: Path
    resources: Mapping[str, str]
    checkpoints: Path
    limits: Limits = field(default_factory=Limits)

    def environment_of(self, trial: PlannedTrial) -> str:
        """The environment key of a trial that runs here."""
        return self.environment(trial.placement.device, trial.experiment.threads)

    def needs(self, trial: PlannedTrial) -> list[Preparation]:
        """The artifacts of a trial, in building order."""
        return [Preparation(artifact, trial.placement) for artifact in trial.artifacts]

    def trial(self, trial: PlannedTrial) -> TrialJob:
        """The job of a trial."""
        experiment, placement = trial.experiment, trial.placement
        return TrialJob(
            id=trial.id,
            device=placement.device,
            dtype=placement.dtype,
            tf32=placement.tf32,
            framework=placement.device != "cpu" or needs_framework(trial.code),
            paths=self._paths(trial.references, placement),
            threads=experiment.threads,
            minutes=self.limits.minutes_of(experiment.minutes),
            memory_gb=self._main_gb(placement, experiment.memory_gb, trial.device_gb, trial.references),
            device_gb=self.limits.device_gb(placement.device, trial.device_gb),
            gpus=trial.gpus,
            needs=frozenset(self.artifact_id(item) for item in self.needs(trial)),
            exclusive=trial.timed is not None,
            checkpoints=self.kept(trial),
            answers=self.answers(trial),
            sources=trial.code.files,
            declared=trial.code.reads,
            task=trial.task,
            methods=trial.methods,
            seed=trial.seed,
            stage=trial.stage,
            timed=trial.timed,
        )

    def artifact(self, item: Preparation) -> ArtifactJob:
        """The job that builds an artifact."""
        artifact, placement = item.artifact, item.placement
        inputs = inputs_of(artifact)
        needs = [Preparation(ref, placement) for ref in inputs if isinstance(ref, Artifact)]
        return ArtifactJob(
            id=self.artifact_id(item),
            device=placement.device,
            dtype=placement.dtype,
            tf32=placement.tf32,
            framework=placement.device != "cpu" or needs_framework(self._code(item)),
            paths=self._paths(inputs, placement),
            threads=self.limits.threads_of(artifact.threads),
            minutes=self.limits.minutes_of(artifact.minutes),
            memory_gb=self._main_gb(placement, artifact.memory_gb, artifact.device_gb, inputs),
            device_gb=self.limits.device_gb(placement.device, artifact.device_gb),
            needs=frozenset(self.artifact_id(needed) for needed in needs),
            checkpoints=checkpoints_of(self.folder(item)),
            # By its parameters, so that other code finds them.
            answers=self.home / ANSWERS / self.artifact_id(item).rpartition("/")[2],
            sources=self._code(item).files,
            declared=self._code(item).reads,
            artifact=artifact,
            target=self.folder(item),
            note={
                "title": artifact.title,
                "class": class_name(type(artifact)),
                "fingerprint": self._fingerprint(item),
                "environment": self._environment(item),
                "fields": canonical_text(artifact),
            },
        )

    def artifact_id(self, item: Preparation) -> str:
        """The id of an artifact in records: one built off the run's main device says where."""
        name = f"{type(item.artifact).__name__}-{digest(canonical_text(item.artifact))[:8]}"
        return f"artifact/{name}{self.placements.suffix(item.placement)}"

    def kept(self, trial: PlannedTrial) -> Path:
        """Where a trial's state is kept: another code, data or environment finds nothing there."""
        name = units_name(trial.id).removesuffix(".parquet")
        state = digest(f"{trial.fingerprint} {self.environment_of(trial)} {trial.libraries}")
        return self.checkpoints / f"{name}.{state[:12]}"

    def answers(self, trial: PlannedTrial) -> Path:
        """Where answers to a trial are kept: by what was asked, so that other code finds them, too."""
        return self.checkpoints.with_name(ANSWERS) / units_name(trial.id).removesuffix(".parquet")

    def forget(self, trial: PlannedTrial) -> None:
        """Remove the state of a trial that is over, and what its earlier forms have left."""
        forget_checkpoints(self.answers(trial))
        with contextlib.suppress(OSError):
            self.answers(trial).parent.rmdir()
        # Most runs have nothing there.
        if not self.checkpoints.is_dir():
            return
        name, _, _ = self.kept(trial).name.rpartition(".")
        for left in list(self.checkpoints.iterdir()):
            if left.name.startswith(f"{name}."):
                forget_checkpoints(left)
        with contextlib.suppress(OSError):
            self.checkpoints.rmdir()

    def folder(self, item: Preparation) -> Path:
        """Where an artifact is, or will be."""
        made_with = f"{self._environment(item)} {self._libraries(item)}"
        return artifact_folder(self.home, item.artifact, self._fingerprint(item), made_with)

    def _fingerprint(self, item: Preparation) -> str:
        return self.placements.fingerprinter(item.placement).artifact(item.artifact)

    def _code(self, item: Preparation) -> Code:
        """The code behind an artifact, and behind those that it is built from."""
        needed = [ref for ref in all_references(item.artifact) if isinstance(ref, Artifact)]
        return self.placements.fingerprinter(item.placement).code(needed)

    def _libraries(self, item: Preparation) -> str:
        return self._code(item).versions_key

    def _environment(self, item: Preparation) -> str:
        return self.environment(item.placement.device, self.limits.threads_of(item.artifact.threads))

    def _main_gb(
        self, placement: Placement, memory_gb: float, device_gb: float | None, references: Iterable[Reference]
    ) -> float:
        """The limit on main memory: as declared, and room for models of which only the files are known."""
        if device_gb is None:
            models = [ref for ref in references if isinstance(ref, Resource) and ref.kind == "model"]
            found = [self.resources.get(reference_key(ref), "") for ref in models]
            device_gb = LOADING * sum(weights_gb(Path(folder)) for folder in found if folder)
        return self.limits.main_gb(placement.device, memory_gb, device_gb)

    def _paths(self, references: Iterable[Reference], placement: Placement) -> dict[str, str]:
        paths = {}
        for ref in references:
            key = reference_key(ref)
            if isinstance(ref, Artifact):
                paths[key] = str(self.folder(Preparation(ref, placement)))
            else:
                paths[key] = self.resources[key]
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
            environment=self.environment_of(trial),
            libraries=trial.libraries,
            files={**self._files_behind(trial), **outcome.files},
            unsure="; ".join(filter(None, [trial.code.unknown, outcome.unsure])),
            device=trial.placement.device,
            gpus=trial.gpus,
            float32_products=products(trial.placement),
            error=outcome.error,
            passes=outcome.passes,
            left=list(outcome.left),
            node=outcome.node,
            cost=outcome.cost,
            models=list(outcome.models),
        )

    def _files_behind(self, trial: PlannedTrial) -> dict[str, str]:
        """Files that the artifacts of a trial have read."""
        folders = [self.folder(item) for item in self.needs(trial)]
        return {name: text for folder in folders for name, text in files_behind(folder).items()}

    def artifact_record(self, item: Preparation, outcome: Outcome, reused_from: str = "") -> TrialRecord:
        """The record of an artifact, with what it cost whoever built it, or what failing to cost."""
        return TrialRecord(
            trial=self.artifact_id(item),
            kind="artifact",
            status=outcome.status,
            method=item.artifact.title or type(item.artifact).__name__,
            fingerprint=self._fingerprint(item),
            environment=self._environment(item),
            libraries=self._libraries(item),
            files=files_behind(self.folder(item)),
            device=item.placement.device,
            float32_products=products(item.placement),
            error=outcome.error,
            passes=outcome.passes,
            left=list(outcome.left),
            node=outcome.node,
            cost=cost_of(self.folder(item)) if outcome.status == "ok" else outcome.cost,
            models=models_of(self.folder(item)) if outcome.status == "ok" else list(outcome.models),
            reused_from=reused_from,
        )


def products(placement: Placement) -> Literal["", "tf32"]:
    """How products of float32 may be computed, as records say it."""
    return "tf32" if placement.tf32 else ""


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
