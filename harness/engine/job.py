"""What crosses the border between the driver and a worker."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from harness.engine.context import TrialContext
from harness.method.contract import Method, Task
from harness.method.references import Artifact
from harness.plan.closure import Stamp
from harness.store.model_records import ModelRecord
from harness.store.records import Cost

if TYPE_CHECKING:
    from harness.suite import Timed

Status = Literal["ok", "failed", "timeout", "memory", "diverged"]


@dataclass(frozen=True, kw_only=True)
class JobBase:
    """One piece of work: a trial, an artifact to build, or a function to call. Picklable.

    Attributes:
        id: The trial's id, or ``artifact/…``.
        paths: Folders of the references that it may load, by reference key.
        needs: Ids of the jobs that must have succeeded before.
        exclusive: Nothing else may run beside it.
        threads: CPU threads it may use.
        minutes: Hard limit.
        memory_gb: Hard limit of resident memory.
        device_gb: Memory that its models need on the computing device; on a GPU that it shares with
            others, a hard limit. ``None`` gives it a GPU for itself.
        gpus: GPUs that it has for itself, each as a whole; 0 where ``device`` and ``device_gb`` say it.
        tf32: Whether products of float32 may be computed in TF32.
        passes: Parts that each pass over a batch is divided into, to spare memory.
        framework: Whether its code may need PyTorch.
        checkpoints: Where its state is kept, for the case that it is killed.
        answers: Where answers of language models are kept that cost money, until it has its result.
        sources: The files of its code, each as it was when it was planned.
        declared: Files and folders that its code says it reads.
    """

    id: str
    device: str
    dtype: str
    paths: Mapping[str, str]
    threads: int = 1
    minutes: float = 10.0
    memory_gb: float = 6.0
    device_gb: float | None = None
    gpus: int = 0
    tf32: bool = False
    framework: bool = True
    passes: int = 1
    needs: frozenset[str] = frozenset()
    exclusive: bool = False
    checkpoints: Path | None = None
    answers: Path | None = None
    sources: Mapping[str, Stamp] = field(default_factory=dict)
    declared: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class TrialJob(JobBase):
    """A trial."""

    task: Task[Any, Any]
    methods: Mapping[str, Method[Any, Any]]
    seed: int
    stage: Literal["tune", "main"]
    timed: Timed | None = None


@dataclass(frozen=True, kw_only=True)
class ArtifactJob(JobBase):
    """An artifact to build at ``target``, unless it is there."""

    artifact: Artifact
    target: Path
    note: Mapping[str, Any] = field(default_factory=dict)
    """What ``artifact.json`` says besides its cost."""


@dataclass(frozen=True, kw_only=True)
class CallJob(JobBase):
    """A function to call where trials are executed, for what is neither a trial nor an artifact.

    What it returns becomes the outcome's ``units``.
    """

    call: Callable[[TrialContext], bytes]


Job = TrialJob | ArtifactJob | CallJob


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a job ended.

    Attributes:
        units: The encoded unit rows, or what a function gave; empty for artifacts and failures.
        parts: Names of the evaluation sets in ``units``.
        error: Traceback or reason.
        log: What it printed.
        found: The artifact had been built meanwhile, by another process.
        files: Hashes of the files that it has read without declaring them, by path.
        unsure: Why it cannot stand for another trial, or empty.
        lost: The reason may lie outside the job (a worker that vanished, or had models loaded already);
            it may be tried again.
        passes: Parts that its passes were divided into.
        smaller: It ran out of the GPU's memory and may not with its passes divided once more.
        left: State of the process that it left changed, in words; it was put back.
        models: Language models that it asked.
        node: The node of a cluster that it was executed on.
    """

    id: str
    status: Status
    units: bytes = b""
    parts: tuple[str, ...] = ()
    cost: Cost = field(default_factory=Cost)
    error: str = ""
    log: str = ""
    lost: bool = False
    passes: int = 1
    smaller: bool = False
    found: bool = False
    files: Mapping[str, str] = field(default_factory=dict)
    unsure: str = ""
    left: tuple[str, ...] = ()
    models: tuple[ModelRecord, ...] = ()
    node: str = ""


@dataclass(frozen=True)
class Progress:
    """A running job's own estimate of the share it has done, from 0 to 1."""

    id: str
    done: float
    message: str = ""
