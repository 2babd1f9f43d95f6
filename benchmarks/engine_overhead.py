"""What the engine adds to a trial, beside benchopt on the same hundred no-op cells, and what workers take.

Run with ``python -m benchmarks.engine_overhead``; benchopt comes with the dependency group
``bench``. Figures are ratios and medians of one run on one machine, its engines in turn.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.noop import Noop, Nothing, crash, nothing
from harness.claims import Profile
from harness.engine.job import CallJob, Outcome
from harness.engine.places import Places
from harness.engine.pool import PoolEngine
from harness.engine.run import RunRequest, execute_run
from harness.method import Method
from harness.resources import Resolver
from harness.suite import Experiment, Paper, Scale, Suite

CELLS = 100
ROUNDS = 3
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


def ours(folder: Path, engine: Any, cells: int, kind: Callable[..., Method[int, int]] = Noop) -> float:
    """Seconds of a run of no-op trials, from request to the last record."""
    request = RunRequest(
        suite=suite_of({f"m{cell}": kind(cell=cell) for cell in range(cells)}),
        scale=Scale(profile=Profile.SMOKE),
        resolver=Resolver({}, frozenset(), folder / "home", None),
        runs=Path(tempfile.mkdtemp(dir=folder)),
        engine=engine,
    )
    start = time.perf_counter()
    execute_run(request, Silent())
    return time.perf_counter() - start


def as_process(folder: Path, engine: str, cells: int) -> float:
    """Seconds of a process that does the same, from its start to its end."""
    command = [sys.executable, "-m", "benchmarks.engine_overhead", str(folder), engine, str(cells)]
    start = time.perf_counter()
    subprocess.run(command, check=True)
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


def measured(ways: Mapping[str, Callable[[int], float]]) -> dict[str, tuple[float, float]]:
    """Milliseconds a cell beyond the first, and in all; medians of rounds in which all ways take turns."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for seconds in ways.values():
        seconds(2)  # Imports and file caches.
    for _ in range(ROUNDS):
        for name, seconds in ways.items():
            one, many = seconds(1), seconds(CELLS)
            found[name].append((1e3 * (many - one) / (CELLS - 1), 1e3 * many / CELLS))
    return {
        name: (median(more for more, _ in rows), median(whole for _, whole in rows))
        for name, rows in found.items()
    }


@contextmanager
def pool_of_two() -> Iterator[PoolEngine]:
    """Two workers."""
    pool = PoolEngine(lambda _: None, Places(workers=2))
    try:
        yield pool
    finally:
        pool.close()


def memory_of_workers() -> list[float]:
    """Own memory of a first and of a second worker with PyTorch, in MiB, the second beside the first."""
    own_pages = import_module("benchmarks.noop_torch").own_pages
    with pool_of_two() as pool:
        for name in ("first", "second"):
            pool.submit(CallJob(id=name, device="cpu", dtype="float32", paths={}, call=own_pages))
        ended: list[Outcome] = []
        while len(ended) < 2:
            ended += pool.wait(1.0)
    return sorted(float(one.units) for one in ended)


def new_worker(*, framework: bool) -> float:
    """Milliseconds until a new worker has done a job, in a pool whose worker has died; a median."""
    found = []
    with pool_of_two() as pool:
        for call in (nothing, *(crash, nothing) * ROUNDS):
            start = time.perf_counter()
            pool.submit(
                CallJob(id="j", device="cpu", dtype="float32", paths={}, framework=framework, call=call)
            )
            while not pool.wait(1.0):
                pass
            found.append(1e3 * (time.perf_counter() - start))
    return median(found[2::2])


def main() -> None:
    """Measure and print."""
    torch_noop = import_module("benchmarks.noop_torch").TorchNoop
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = measured(
            {
                "inline": lambda cells: ours(folder, "inline", cells),
                "pool of 2": lambda cells: ours(folder, "pool", cells),
                "pool of 2, PyTorch": lambda cells: ours(folder, "pool", cells, torch_noop),
                "pool of 2, a process": lambda cells: as_process(folder, "pool", cells),
                "benchopt, a process": lambda cells: benchopt(folder, cells),
            }
        )
    print(f"{CELLS} no-op cells, milliseconds a cell: medians of {ROUNDS} rounds")
    print(f"{'':24}{'beyond the first':>18}{'in all':>10}{'/ benchopt':>12}")
    for name, (more, whole) in rows.items():
        print(f"{name:24}{more:18.2f}{whole:10.2f}{whole / rows['benchopt, a process'][1]:12.3f}")
    times = ", ".join(f"{new_worker(framework=framework):.0f}" for framework in (False, True))
    print(f"a new worker and its first job, without PyTorch and with it, ms: {times}")
    print(f"own memory of two workers, MiB: {', '.join(f'{one:.0f}' for one in memory_of_workers())}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        ours(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
    else:
        main()
