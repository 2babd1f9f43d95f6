"""A small suite with one task, two honest methods and methods that break the contract."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np

from harness.claims import Cell, Claim, Direction, NotRun, Profile, Replication, at, difference
from harness.method import (
    Artifact,
    Context,
    Method,
    MirrorSource,
    PackageSource,
    ProblemError,
    Resource,
    Scores,
    Task,
    mean_of,
    param,
)
from harness.resources import read_split, write_split
from harness.suite import Experiment, Paper, PaperTable, Reported, Scale, Standing, Suite, TableRow

ERROR = mean_of("error", better="lower")


def provide_numbers(folder: Path) -> None:
    """Stands for a package that carries a data set."""
    write_split(folder, "test", [{"n": n} for n in range(4)])


def load_numbers(folder: Path) -> list[dict[str, Any]]:
    return read_split(folder, "test")


NUMBERS = Resource(
    name="numbers",
    kind="dataset",
    licence="CC0-1.0",
    version="1",
    sources=(
        MirrorSource("numbers"),
        PackageSource("numpy", version("numpy"), "tests.harness.cli.demo:provide_numbers"),
    ),
    loader="tests.harness.cli.demo:load_numbers",
    size_mb=1,
)


@dataclass(frozen=True, kw_only=True)
class Offset(Artifact):
    """A number in a file."""

    title: ClassVar[str] = "offset"
    value: float = 0.5

    def build(self, folder: Path, ctx: Context) -> None:
        (folder / "offset").write_text(str(self.value))

    def load(self, path: Path) -> float:
        return float((path / "offset").read_text())


@dataclass(frozen=True)
class Samples:
    """Samples around an unknown centre, shape (sets, size)."""

    rows: np.ndarray


@dataclass(frozen=True)
class Centres(Task[Samples, np.ndarray]):
    sets: int = 30
    offset: Offset = field(default_factory=Offset)
    data: Resource | None = None

    def problem(self, ctx: Context) -> Samples:
        offset = ctx.load(self.offset)
        return Samples(ctx.rng("samples").standard_t(df=2, size=(self.sets, 20)) + offset)

    def evaluate(self, result: np.ndarray, ctx: Context) -> Scores:
        units = [f"set-{index}" for index in range(len(result))]
        return Scores({"main": {"unit_id": units, "error": np.abs(result - 0.5)}})


@dataclass(frozen=True)
class Mean(Method[Samples, np.ndarray]):
    """The arithmetic mean."""

    problem_type: ClassVar[type] = Samples

    def run(self, problem: Samples, ctx: Context) -> np.ndarray:
        return problem.rows.mean(axis=1)


@dataclass(frozen=True)
class Trimmed(Method[Samples, np.ndarray]):
    """The mean without the tails."""

    problem_type: ClassVar[type] = Samples
    share: float = param(0.25, source="section 2", doc="share cut from each tail")
    rounds: int = param(1, source="ours")
    mode: Literal["both", "left"] = param("both", source="ours")
    seed: int | None = param(None, source="ours")
    exact: bool = param(default=True, source="ours")
    sizes: tuple[int, ...] = param((1, 2), source="ours")

    def run(self, problem: Samples, ctx: Context) -> np.ndarray:
        cut = int(self.share * problem.rows.shape[1])
        return np.sort(problem.rows, axis=1)[:, cut : problem.rows.shape[1] - cut].mean(axis=1)


@dataclass(frozen=True)
class Sorting(Mean):
    """Sorts the problem's own rows."""

    def run(self, problem: Samples, ctx: Context) -> np.ndarray:
        problem.rows.sort(axis=1)
        return problem.rows.mean(axis=1)


@dataclass(frozen=True)
class Unseeded(Mean):
    """Draws from a generator of its own."""

    check_exceptions: ClassVar[Mapping[str, str]] = {}

    def run(self, problem: Samples, ctx: Context) -> np.ndarray:
        return problem.rows.mean(axis=1) + np.random.default_rng().normal()


@dataclass(frozen=True)
class DeclaredUnseeded(Unseeded):
    """As its base, and says so."""

    check_exceptions: ClassVar[Mapping[str, str]] = {
        "same-seed-same-result": "it reads a hardware source",
        "picklable": "as above",
        "first-and-tenth-trial": "as above",
    }


@dataclass(frozen=True)
class Remembering(Mean):
    """Adds up over trials."""

    history: ClassVar[list[float]] = []

    def run(self, problem: Samples, ctx: Context) -> np.ndarray:
        self.history.append(1.0)
        return problem.rows.mean(axis=1) + len(self.history)


class Mutable(Mean):
    """No dataclass of its own."""


@dataclass(frozen=True)
class Clipping(Mean):
    """Changes its parameter."""

    share: float = param(0.7, source="ours")

    def __post_init__(self) -> None:
        object.__setattr__(self, "share", min(self.share, 0.5) + 0.1)


@dataclass(frozen=True)
class Undocumented(Mean):
    rate: float = 0.1


@dataclass(frozen=True)
class Greedy(Method[Any, Any]):
    """Says that it takes anything."""

    problem_type: ClassVar[type] = object

    def run(self, problem: Any, ctx: Context) -> Any:
        return problem.rows.mean(axis=1)


@dataclass(frozen=True)
class Picky(Mean):
    """Takes small problems only."""

    limit: int = param(10, source="ours")

    def run(self, problem: Samples, ctx: Context) -> np.ndarray:
        if len(problem.rows) > self.limit:
            raise ProblemError(f"More than {self.limit} sets are too many")
        return problem.rows.mean(axis=1)


@dataclass(frozen=True)
class Sparing(Mean):
    """Answers the first three only."""

    def run(self, problem: Samples, ctx: Context) -> np.ndarray:
        return problem.rows[:3].mean(axis=1)


@dataclass(frozen=True)
class Stranger(Method[int, int]):
    """Solves what no suite has."""

    problem_type: ClassVar[type] = int

    def run(self, problem: int, ctx: Context) -> int:
        return problem


def experiments(scale: Scale) -> list[Experiment]:
    data = NUMBERS if scale.profile is not Profile.SMOKE else None
    return [
        Experiment(
            id="heavy",
            title="Heavy tails",
            tasks={"t2": Centres(data=data)},
            methods={"mean": Mean(), "trimmed": Trimmed()},
            seeds=(100, 101, 102, 103, 104),
        )
    ]


def cell(method: str) -> Cell:
    return Cell("heavy", method, ERROR)


GPU = (Profile.GPU,)


def rows() -> list[TableRow]:
    return [TableRow(label="T", entries={"mean": cell("mean"), "trimmed": cell("trimmed")})]


BETTER = Direction(
    theta=difference(cell("mean"), cell("trimmed")),
    delta=0.01,
    delta_reason="a visible difference",
    replication=Replication.SEEDS,
)

SUITE = Suite(
    paper=Paper(
        slug="demo",
        title="Trimming Helps",
        authors=("A. N. Example",),
        arxiv="0000.00000",
        year=2026,
        venue="Nowhere",
        bibtex="@misc{demo}",
        summary="Trimming.",
        reported={"r1": Reported(id="r1", value=0.3, where="Table 1", standing=Standing.VERIFIED)},
    ),
    experiments=experiments,
    claims=(
        Claim(
            id="C1",
            statement="Trimming helps.",
            source="abstract",
            forms={Profile.SMOKE: BETTER, Profile.SMALL: BETTER},
        ),
        Claim(
            id="C2", statement="At scale.", source="abstract", forms={Profile.SMALL: NotRun(reason="closed")}
        ),
    ),
    deviations=(),
    folder=Path(__file__).parent,
    tables=(
        PaperTable(id="t1", title="Errors", columns={"mean": "Mean", "trimmed": "Trimmed"}, rows=rows()),
        PaperTable(id="gpu-only", title="None", columns={"mean": "Mean"}, rows=rows(), profiles=GPU),
        PaperTable(id="gpu-place", title="None", columns={"mean": "Mean"}, rows=at(Profile.GPU, rows())),
    ),
    bindings={"figures": "numbers"},
)
