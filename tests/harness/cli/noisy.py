"""A suite whose method gives other scores in each environment, by known amounts."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from harness.claims import Cell, Claim, Direction, Exact, Profile, Time, at, difference
from harness.method import Artifact, Context, Method, Scores, Task, mean_of, param
from harness.suite import Experiment, Paper, Scale, Suite, Timed

SCORE = mean_of("score", better="higher")
SHIFTS = {"threads": 0.003, "instructions": -0.004, "dtype": 0.01, "batch": 0.002}
"""By how much θ moves in each variant."""


@dataclass(frozen=True, kw_only=True)
class Base(Artifact):
    """What it was built with."""

    def build(self, folder: Path, ctx: Context) -> None:
        (folder / "shift").write_text(str(SHIFTS["threads"] if ctx.threads == 2 else 0.0))

    def load(self, path: Path) -> float:
        return float((path / "shift").read_text())


@dataclass(frozen=True)
class Draws(Task[np.ndarray, np.ndarray]):
    """Scores around a half."""

    base: Base

    def problem(self, ctx: Context) -> np.ndarray:
        return ctx.rng("draws").normal(0.5, 0.01, size=5)

    def evaluate(self, result: np.ndarray, ctx: Context) -> Scores:
        units = [f"u{i}" for i in range(len(result))]
        error = np.full(len(result), 1e-3 if ctx.dtype == "bfloat16" else 0.0)
        return Scores(
            {
                "main": {"unit_id": units, "score": result},
                "exact": {
                    "unit_id": units,
                    "error": error,
                    "tolerance": np.full(len(result), 1e-6),
                    "case": units,
                    "confirmed": np.ones(len(result), dtype=bool),
                },
            }
        )


@dataclass(frozen=True)
class Plain(Method[np.ndarray, np.ndarray]):
    """The scores as they are."""

    problem_type: ClassVar[type] = np.ndarray

    def run(self, problem: np.ndarray, ctx: Context) -> np.ndarray:
        return problem


@dataclass(frozen=True)
class Shifted(Plain):
    """Better, and moved by the environment: by what the artifact was built with, and in person."""

    base: Base
    batch: int = param(32, source="ours", doc="rows at once")

    def run(self, problem: np.ndarray, ctx: Context) -> np.ndarray:
        moved = ctx.load(self.base)
        moved += SHIFTS["dtype"] * (ctx.dtype == "bfloat16")
        moved += SHIFTS["instructions"] * (os.environ.get("ATEN_CPU_CAPABILITY") == "avx2")
        moved += SHIFTS["batch"] * (self.batch == 8)
        return problem + 0.2 + moved


def experiments(scale: Scale) -> list[Experiment]:
    base = Base()
    methods = {"plain": Plain(), "shifted": Shifted(base)}
    tasks = {"t": Draws(base)}
    seeds = tuple(range(100, 105))
    timed = Experiment(
        id="timed", title="Times", tasks=tasks, methods=methods, seeds=(100,), timed=Timed(blocks=2, warmup=0)
    )
    return [Experiment(id="e", title="Draws", tasks=tasks, methods=methods, seeds=seeds), timed]


def cell(method: str, part: str = "main") -> Cell:
    return Cell("e", method, SCORE, part=part)


SECONDS = mean_of("seconds", better="lower")
BETTER = Direction(difference(cell("shifted"), cell("plain")), delta=0.01, delta_reason="visible")
FASTER = Time(
    Cell("timed", "shifted", SECONDS, part="time"),
    Cell("timed", "plain", SECONDS, part="time"),
    delta=0.1,
    delta_reason="visible",
)

SUITE = Suite(
    paper=Paper(
        slug="noisy",
        title="Noise",
        authors=("A. N. Example",),
        arxiv="0000.00000",
        year=2026,
        venue="Nowhere",
        bibtex="@misc{noisy}",
        summary="Noise.",
        reported={},
    ),
    experiments=experiments,
    claims=(
        Claim(id="C1", statement="It is better.", source="abstract", forms=at(tuple(Profile), BETTER)),
        Claim(id="C2", statement="It is faster.", source="abstract", forms=at(Profile.SMALL, FASTER)),
        Claim(
            id="C3",
            statement="It is exact.",
            source="abstract",
            forms=at(Profile.SMALL, Exact((cell("plain", "exact"),), oracle="arithmetic")),
        ),
    ),
    deviations=(),
    folder=Path(__file__).parent,
)
