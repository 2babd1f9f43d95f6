"""What the engine adds to a trial, beside benchopt on the same hundred no-op cells.

Run with ``python -m benchmarks.engine_overhead``; benchopt comes with the dependency group
``bench``. Figures are ratios and medians of one run on one machine.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from harness.claims import Profile
from harness.engine.run import RunRequest, execute_run
from harness.method import Context, Method, Scores, Task, param
from harness.resources import Resolver
from harness.suite import Experiment, Paper, Scale, Suite

CELLS = 100
OBJECTIVE = """
from benchopt import BaseObjective
class Objective(BaseObjective):
    name = "noop"
    def set_data(self, X): self.X = X
    def evaluate_result(self, x): return dict(value=0.0)
    def get_one_result(self): return dict(x=0.0)
    def get_objective(self): return dict(X=self.X)
"""
DATASET = """
from benchopt import BaseDataset
class Dataset(BaseDataset):
    name = "nothing"
    def get_data(self): return dict(X=0.0)
"""
SOLVER = """
from benchopt import BaseSolver
class Solver(BaseSolver):
    name = "noop"
    sampling_strategy = "run_once"
    parameters = {"cell": list(range(%d))}
    def set_objective(self, X): self.X = X
    def run(self, _): self.x = 0.0
    def get_result(self): return dict(x=self.x)
"""


@dataclass(frozen=True)
class Nothing(Task[int, int]):
    """No problem."""

    def problem(self, ctx: Context) -> int:
        """Nothing to see."""
        return 0

    def evaluate(self, result: int, ctx: Context) -> Scores:
        """One row."""
        return Scores({"main": {"unit_id": [0], "value": [float(result)]}})


@dataclass(frozen=True)
class Noop(Method[int, int]):
    """Does nothing."""

    problem_type: ClassVar[type] = int
    cell: int = param(0, source="ours")

    def run(self, problem: int, ctx: Context) -> int:
        """Nothing."""
        return problem


class Silent:
    """A display that shows nothing."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_: None


def suite_of(methods: Mapping[str, Method[int, int]]) -> Suite:
    """A suite whose every method is one trial on no problem."""
    paper = Paper(
        slug="noop", title="", authors=(), arxiv="", year=2026, venue="", bibtex="", summary="", reported={}
    )
    experiment = Experiment(
        id="e",
        title="Nothing",
        tasks={"t": Nothing()},
        methods=methods,
        seeds=(100,),
    )
    return Suite(paper=paper, experiments=lambda _: [experiment], claims=(), deviations=(), folder=Path())


def ours(folder: Path, engine: Any, cells: int) -> float:
    """Seconds of a run of no-op trials, from request to the last record."""
    request = RunRequest(
        suite=suite_of({f"m{cell}": Noop(cell=cell) for cell in range(cells)}),
        scale=Scale(profile=Profile.SMOKE),
        resolver=Resolver({}, frozenset(), folder / "home", None),
        runs=Path(tempfile.mkdtemp(dir=folder)),
        engine=engine,
    )
    start = time.perf_counter()
    execute_run(request, Silent())
    return time.perf_counter() - start


def benchopt(folder: Path, cells: int) -> float:
    """Seconds of ``benchopt run`` on as many no-op cells."""
    home = Path(tempfile.mkdtemp(dir=folder)) / "bench"
    for name, text in {
        "objective.py": OBJECTIVE,
        "datasets/nothing.py": DATASET,
        "solvers/noop.py": SOLVER % cells,
    }.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text)
    command = [sys.executable, "-m", "benchopt", "run", str(home), "-r", "1", "--no-plot", "--no-cache"]
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start


def per_cell(seconds: Callable[[int], float]) -> tuple[float, float]:
    """Milliseconds a cell beyond the first, and in all, start-up included."""
    seconds(2)  # Imports and file caches.
    one, many = seconds(1), seconds(CELLS)
    return 1e3 * (many - one) / (CELLS - 1), 1e3 * many / CELLS


def main() -> None:
    """Measure and print."""
    import torch  # Imported by every worker and once here, as in every real run.

    print(f"{CELLS} no-op cells, torch {torch.__version__}; milliseconds a cell")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = {
            "corroborate, inline": per_cell(lambda cells: ours(folder, "inline", cells)),
            "corroborate, pool of 2": per_cell(lambda cells: ours(folder, "pool", cells)),
            "benchopt": per_cell(lambda cells: benchopt(folder, cells)),
        }
    print(f"{'':24}{'beyond the first':>18}{'in all':>10}{'/ benchopt':>12}")
    for name, (more, whole) in rows.items():
        print(f"{name:24}{more:18.2f}{whole:10.2f}{whole / rows['benchopt'][1]:12.3f}")


if __name__ == "__main__":
    main()
