"""A suite whose methods answer as they please: all units, three of them, none, or no numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, ClassVar

import pytest

from harness.claims import Cell, Claim, Control, Direction, Profile, Replication, difference
from harness.cli import main as cli
from harness.cli import suites
from harness.method import Context, Method, Scores, Task, mean_of, param
from harness.store import list_runs
from harness.suite import Experiment, Paper, PaperFigure, PaperTable, Scale, Series, Suite, TableRow

ERROR = mean_of("error", better="lower")
UNITS = tuple(f"u{number}" for number in range(60))
Columns = dict[str, Any]
Parts = dict[str, Columns]


@dataclass(frozen=True)
class Asked:
    """A problem: units to answer."""

    units: tuple[str, ...]


@dataclass(frozen=True)
class Answering(Task[Asked, Parts]):
    """Takes what a method says for the rows."""

    size: int = 60

    def problem(self, ctx: Context) -> Asked:
        return Asked(UNITS[: self.size])

    def evaluate(self, result: Parts, ctx: Context) -> Scores:
        return Scores(result)


def rows(ctx: Context, units: Sequence[str], error: float) -> Columns:
    """Errors around a mean; the units are as hard for every method."""
    hard = ctx.rng("noise").normal(1.0, 0.1, size=len(UNITS))[: len(units)]
    return {"unit_id": list(units), "error": error * hard}


def _main(change: Callable[[Columns], Columns]) -> Callable[[Columns], Parts]:
    return lambda columns: {"main": change(columns)}


WAYS: Mapping[str, Callable[[Columns], Parts]] = {
    "whole": _main(dict),
    "three": _main(lambda rows: {name: column[:3] for name, column in rows.items()}),
    "twice": _main(lambda rows: {name: [*column, *column[:12]] for name, column in rows.items()}),
    "others": _main(lambda rows: {**rows, "unit_id": [f"x{number}" for number in range(60)]}),
    "more": _main(
        lambda rows: {"unit_id": [*rows["unit_id"], "extra"], "error": [*rows["error"], 0.0]},
    ),
    "nan": _main(lambda rows: {**rows, "error": [float("nan"), *rows["error"][1:]]}),
    "inf": _main(lambda rows: {**rows, "error": [float("-inf"), *rows["error"][1:]]}),
    "empty": _main(lambda rows: {name: column[:0] for name, column in rows.items()}),
    "no-part": lambda rows: {"elsewhere": rows},
    "no-column": _main(lambda rows: {"unit_id": rows["unit_id"]}),
    "words": _main(lambda rows: {**rows, "error": ["much"] * len(rows["unit_id"])}),
    "objects": _main(lambda rows: {**rows, "error": [[error] * 2 for error in rows["error"]]}),
    "nothing": _main(lambda rows: {**rows, "error": [None] * len(rows["unit_id"])}),
}


@dataclass(frozen=True)
class Says(Method[Asked, Parts]):
    """Answers with an error of its own, in the way that it is told."""

    problem_type: ClassVar[type] = Asked
    error: float = param(0.1, source="ours")
    way: str = param("whole", source="ours")

    def run(self, problem: Asked, ctx: Context) -> Parts:
        if self.way == "fails":
            raise RuntimeError("it never worked")
        return WAYS[self.way](rows(ctx, problem.units, self.error))


def _odd(name: str, way: str) -> type[Says]:
    """A class that answers in one way by default, as ``--method`` needs it."""
    body = {
        "__annotations__": {"way": "str"},
        "way": param(way, source="ours"),
        "__doc__": f"Answers: {way}.",
        "__module__": __name__,
    }
    return dataclass(frozen=True)(type(name, (Says,), body))


Three, Twice = _odd("Three", "three"), _odd("Twice", "twice")
Others, More = _odd("Others", "others"), _odd("More", "more")
Nan, Inf, Empty = _odd("Nan", "nan"), _odd("Inf", "inf"), _odd("Empty", "empty")
NoPart, NoColumn, Fails = _odd("NoPart", "no-part"), _odd("NoColumn", "no-column"), _odd("Fails", "fails")
Words, Objects, Nothing = _odd("Words", "words"), _odd("Objects", "objects"), _odd("Nothing", "nothing")
Fine = _odd("Fine", "whole")


def cell(method: str) -> Cell:
    return Cell("e", method, ERROR)


def better(good: str = "good", bad: str = "bad") -> Direction:
    return Direction(
        theta=difference(cell(bad), cell(good)),
        delta=0.05,
        delta_reason="a visible difference",
        replication=Replication.SEEDS,
    )


def claim(name: str, form: Direction | None = None) -> Claim:
    forms = dict.fromkeys((Profile.SMALL, Profile.SMOKE), form or better())
    return Claim(id=name, statement=f"{name} holds.", source="Table 1", forms=dict(forms))


def experiments(scale: Scale) -> list[Experiment]:
    methods = {"good": Says(), "bad": Says(error=0.5), "fair": Says(error=0.3)}
    seeds = (100, 101, 102, 103, 104)
    return [Experiment(id="e", title="Answers", tasks={"t": Answering()}, methods=methods, seeds=seeds)]


def table_rows() -> list[TableRow]:
    return [TableRow(label=name, entries={"error": cell(name)}) for name in ("good", "bad", "fair")]


def lines() -> list[Series]:
    return [Series(label=name, points=((1.0, cell(name)),)) for name in ("good", "bad")]


SUITE = Suite(
    paper=Paper(
        slug="answers",
        title="On Answers",
        authors=("A. N. Example",),
        arxiv="0000.00000",
        year=2026,
        venue="Nowhere",
        bibtex="@misc{answers}",
        summary="Answers.",
        reported={},
    ),
    experiments=experiments,
    claims=(claim("C1"), claim("C2", better("fair", "bad"))),
    deviations=(),
    folder=Path(__file__).parent,
    controls=(Control(id="N1", title="The bad one", replaces={"good": "bad"}, predicts={"C1": "kill"}),),
    tables=(
        PaperTable(id="t1", title="Errors", columns={"error": "Error"}, rows=table_rows(), bold=("error",)),
    ),
    figures=(PaperFigure(id="f1", title="Errors", x="x", y="error", series=lines()),),
)


class Shell:
    """Runs commands in a folder and keeps what they print."""

    def __init__(
        self, folder: Path, patch: pytest.MonkeyPatch, capture: Callable[[], tuple[str, str]]
    ) -> None:
        self.folder = folder
        self._capture = capture
        points = {
            suites.SUITE_GROUP: {
                "answers": EntryPoint("answers", f"{__name__}:SUITE", suites.SUITE_GROUP),
            },
            suites.METHOD_GROUP: {},
        }
        patch.setattr(suites, "_points", points.__getitem__)
        patch.chdir(folder)
        patch.setenv("CORROBORATE_HOME", str(folder / "home"))
        patch.setenv("CORROBORATE_RUNS", str(folder / "runs"))

    def __call__(self, *arguments: str) -> int:
        self.code = cli.main(arguments)
        self.out, self.err = self._capture()
        return self.code

    def run(self, *options: str) -> Path:
        """A new run's folder; its trials may have failed."""
        self("run", "answers", "--engine", "inline", "--no-report", "--fresh", *options)
        return list_runs(self.folder / "runs")[-1]

    def report(self, run: Path, *formats: str) -> dict[str, str]:
        """The files of a run's report, by name."""
        wanted = [part for name in formats or ("csv",) for part in ("--format", name)]
        out = self.folder / f"report-{run.name}"
        assert self("report", str(run), "--out", str(out), *wanted) == 0, self.err
        return {
            str(path.relative_to(out)): path.read_text(encoding="utf-8")
            for path in out.rglob("*")
            if path.is_file() and path.suffix != ".pdf"
        }


def methods(*names: str) -> list[str]:
    """The options that add methods of this module."""
    return [part for name in names for part in ("--method", f"{__name__}:{name}")]


def with_claims(*claims: Claim, **more: Any) -> Suite:
    """The suite with other claims."""
    return replace(SUITE, claims=claims, **more)
