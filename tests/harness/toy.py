"""A suite small enough to run hundreds of times: estimating the mean of noisy numbers."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from harness.claims import Cell, Claim, Contrast, Direction, Profile, Replication
from harness.method import (
    Artifact,
    Context,
    DivergedError,
    Method,
    Metric,
    Resource,
    Scores,
    Task,
    mean_of,
    param,
)
from harness.suite import Experiment, Paper, Reported, Scale, Standing, Suite, Timed, Tuned


@dataclass(frozen=True)
class Numbers:
    """A problem: numbers with a common mean."""

    training: np.ndarray
    validation: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Offset(Artifact):
    """An artifact: one number that shifts all data."""

    title: ClassVar[str] = "offset"
    value: float = 1.0
    inner: Artifact | None = None
    broken: bool = False

    def build(self, folder: Path, ctx: Context) -> None:
        if self.broken:
            raise RuntimeError("the offset is broken")
        base = ctx.load(self.inner) if self.inner else 0.0
        (folder / "offset.json").write_text(json.dumps(base + self.value))

    def load(self, path: Path) -> Any:
        return json.loads((path / "offset.json").read_text())


BURNT_S = 0.3


@dataclass(frozen=True, kw_only=True)
class Burning(Offset):
    """An offset that takes a known CPU time to build."""

    def build(self, folder: Path, ctx: Context) -> None:
        end = time.process_time() + BURNT_S
        while time.process_time() < end:
            pass
        super().build(folder, ctx)


@dataclass(frozen=True, kw_only=True)
class MeanTask(Task[Numbers, float]):
    """Estimate the mean; the units are test numbers."""

    size: int = 20
    offset: Artifact | None = None
    data: Resource | None = None

    def problem(self, ctx: Context) -> Numbers:
        shift = ctx.load(self.offset) if self.offset else 0.0
        draw = ctx.rng("numbers").normal(3.0 + shift, 1.0, size=2 * self.size)
        return Numbers(draw[: self.size], draw[self.size :])

    def evaluate(self, result: float, ctx: Context) -> Scores:
        name = "test numbers" if ctx.stage == "main" else "validation numbers"
        gold = ctx.rng(name).normal(3.0, 1.0, size=5)
        error = np.abs(gold - result)
        part = "main" if ctx.stage == "main" else "validation"
        return Scores({part: {"unit_id": [f"n{i}" for i in range(5)], "error": error}})


@dataclass(frozen=True, kw_only=True)
class Shrunk(Method[Numbers, float]):
    """The sample mean times a factor."""

    problem_type: ClassVar[type] = Numbers
    factor: float = param(1.0, source="ours", doc="1 is the plain mean")

    def run(self, problem: Numbers, ctx: Context) -> float:
        print("estimating")  # noqa: T201 - logs are kept
        ctx.progress(0.5, "half")
        return float(problem.training.mean()) * self.factor


@dataclass(frozen=True, kw_only=True)
class Noisy(Method[Numbers, float]):
    """A random answer, from the trial's stream and from the global generators."""

    problem_type: ClassVar[type] = Numbers

    def run(self, problem: Numbers, ctx: Context) -> float:
        import torch

        ctx.probe(1, 0.0)
        local = torch.rand(1, generator=ctx.torch_rng("answer")).item()
        legacy = float(np.random.rand())  # noqa: NPY002 - shows that global state is seeded
        return local + legacy + torch.rand(1).item()


@dataclass(frozen=True, kw_only=True)
class Bad(Method[Numbers, float]):
    """Misbehaves in the way that its parameter says."""

    problem_type: ClassVar[type] = Numbers
    way: str = param("raise", source="ours")
    marker: str = param("", source="ours", doc="a file that says that it has misbehaved already")

    def run(self, problem: Numbers, ctx: Context) -> float:
        if self.marker and Path(self.marker).exists():
            return 0.0
        if self.marker:
            Path(self.marker).touch()
        ways: dict[str, Callable[[], Any]] = {
            "raise": lambda: 1 / 0,
            "hang": lambda: time.sleep(60),
            "memory": lambda: [bytearray(1) * 3_000_000_000, time.sleep(60)],
            "die": lambda: os.kill(os.getpid(), signal.SIGKILL),
            "sleep": lambda: time.sleep(0.15),
            "undeclared": lambda: ctx.load(Offset(value=99.0)),
            "diverge": diverge,
            "full": full,
        }
        ways[self.way]()
        return 0.0


def diverge() -> None:
    raise DivergedError("The mean left the finite numbers")


def full() -> None:
    raise RuntimeError("CUDA out of memory. Tried to allocate 9.00 GiB.")


ERROR: Metric = mean_of("error", better="lower")


def cell(method: str, experiment: str = "e") -> Cell:
    return Cell(experiment, method, ERROR)


@dataclass(frozen=True)
class Experiments:
    """The experiments of a toy suite, whatever the scale."""

    methods: dict[str, Any] = field(default_factory=lambda: {"mean": Shrunk(), "half": Shrunk(factor=0.5)})
    task: MeanTask = field(default_factory=MeanTask)
    seeds: tuple[int, ...] = (100, 101, 102, 103, 104)
    timed: Timed | None = None
    minutes: float = 1.0
    memory_gb: float = 4.0

    def __call__(self, scale: Scale) -> Sequence[Experiment]:
        return [
            Experiment(
                id="e",
                title="Means",
                tasks={"t": self.task},
                methods=self.methods,
                seeds=self.seeds,
                timed=self.timed,
                minutes=self.minutes,
                memory_gb=self.memory_gb,
            )
        ]


def toy_suite(folder: Path = Path(), **settings: Any) -> Suite:
    """A suite with one experiment, adjusted by the fields of :class:`Experiments`."""
    paper = Paper(
        slug="toy",
        title="On means",
        authors=("A. Author",),
        arxiv="0000.00000",
        year=2026,
        venue="none",
        bibtex="@misc{toy}",
        summary="Means are fine.",
        reported={"r": Reported(id="r", value=1.0, where="Table 1", standing=Standing.VERIFIED)},
    )
    rule = Direction(
        theta=Contrast(((-1.0, cell("mean")), (1.0, cell("half")))),
        delta=0.1,
        delta_reason="a tenth of the noise",
        replication=Replication.SEEDS,
    )
    claim = Claim(
        id="C1",
        statement="The mean beats half of it.",
        source="Table 1",
        forms=dict.fromkeys(Profile, rule),
    )
    return Suite(
        paper=paper, experiments=Experiments(**settings), claims=(claim,), deviations=(), folder=folder
    )


def tuned() -> Tuned:
    return Tuned(method=Shrunk(), grid={"factor": (0.25, 1.0, 4.0)}, select=ERROR, seeds=(1, 2))
