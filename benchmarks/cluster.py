"""What Ray costs beside the pool: throughput on 1, 2 and 4 workers, and the driver at ten thousand trials.

Run with ``python -m benchmarks.cluster`` (needs the extra ``ray``), or with ``--small`` for a tenth. Both
engines run the same trials by turns, each time in a process of its own, Ray on a cluster of this machine.
Starting an engine is paid once a run, so it is left out of the throughput and shown by itself.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from benchmarks.engine_overhead import suite_of
from benchmarks.noop import Noop
from harness.claims import Profile
from harness.engine.run import RunRequest, execute_run
from harness.method import Context, Method, param
from harness.resources import Resolver
from harness.store.records import TrialRecord
from harness.suite import Scale

WORKERS = (1, 2, 4)
ROUNDS = 3


@dataclass(frozen=True)
class Training(Method[int, int]):
    """A small training: a second or so of matrix products and Python, as real trials are."""

    problem_type: ClassVar[type] = int
    cell: int = param(0, source="ours")
    steps: int = param(400, source="ours")

    def run(self, problem: int, ctx: Context) -> int:
        """Train two layers on noise."""
        import torch

        generator = ctx.torch_rng("weights")
        model = torch.nn.Sequential(torch.nn.Linear(128, 256), torch.nn.ReLU(), torch.nn.Linear(256, 10))
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
        for _ in range(self.steps):
            inputs = torch.randn(256, 128, generator=generator)
            loss = model(inputs).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return problem


class Clock:
    """A display that notes when the first trial ended, and the last."""

    def __init__(self) -> None:
        self.ended: list[float] = []

    def finished(self, record: TrialRecord) -> None:
        """A trial ended."""
        self.ended.append(time.perf_counter())

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_args, **_kwargs: None


def measure(engine: Any, method: type[Any], cells: int, workers: int) -> dict[str, float]:
    """Run a suite in this process: throughput after the first trials, start-up, cost of the driver."""
    clock = Clock()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        request = RunRequest(
            suite=suite_of({f"m{cell}": method(cell=cell) for cell in range(cells)}),
            scale=Scale(profile=Profile.SMOKE),
            resolver=Resolver({}, frozenset(), folder / "home", None),
            runs=folder / "runs",
            engine=engine,
            workers=workers,
            argv=("benchmark",),
        )
        begun, spent = time.perf_counter(), time.process_time()
        finished = execute_run(request, clock)
    assert not finished.summary.failed, "what has failed has no throughput"
    skipped = 2 * workers
    return {
        "per_s": (len(clock.ended) - skipped - 1) / (clock.ended[-1] - clock.ended[skipped]),
        "first_s": clock.ended[0] - begun,
        "driver_cpu_ms": 1000 * (time.process_time() - spent) / cells,
        "driver_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def in_process(engine: str, kind: str, cells: int, workers: int) -> dict[str, float]:
    """:func:`measure` in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.cluster", "--one", engine, kind, str(cells), str(workers)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def table(kind: str, cells: int, workers: Sequence[int], rounds: int) -> None:
    """Throughput of both engines, by turns."""
    print(f"\n{kind} trials: {cells}, median of {rounds} rounds, engines by turns")
    print("| workers | pool, trials/s | Ray, trials/s | Ray / pool | first trial after, s (pool, Ray) |")
    print("|---|---|---|---|---|")
    for count in workers:
        found: dict[str, list[dict[str, float]]] = {"pool": [], "ray": []}
        for _ in range(rounds):
            for engine, results in found.items():
                results.append(in_process(engine, kind, cells, count))
        pool, ray = ([one["per_s"] for one in found[engine]] for engine in ("pool", "ray"))
        ratio = statistics.median(there / here for here, there in zip(pool, ray, strict=True))
        first = [statistics.median(one["first_s"] for one in found[engine]) for engine in ("pool", "ray")]
        print(
            f"| {count} | {statistics.median(pool):.2f} | {statistics.median(ray):.2f} | {ratio:.2f} "
            f"| {first[0]:.1f}, {first[1]:.1f} |"
        )


def main() -> None:
    """Measure, and print tables."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--one", nargs=4, metavar=("ENGINE", "KIND", "CELLS", "WORKERS"))
    options = parser.parse_args()
    kinds: dict[str, type[Any]] = {"no-op": Noop, "training": Training}
    if options.one:
        engine, kind, cells, workers = options.one
        print(json.dumps(measure(engine, kinds[kind], int(cells), int(workers))))
        return
    part = 10 if options.small else 1
    rounds = 1 if options.small else ROUNDS
    table("training", max(120 // part, 24), WORKERS, rounds)
    table("no-op", 2000 // part, WORKERS, rounds)
    cells = 10_000 // part
    print(f"\nThe driver at {cells} no-op trials, 2 workers")
    print("| engine | CPU of the driver a trial, ms | most memory of the driver, MiB |")
    print("|---|---|---|")
    for engine in ("pool", "ray"):
        one = in_process(engine, "no-op", cells, 2)
        print(f"| {engine} | {one['driver_cpu_ms']:.2f} | {one['driver_mb']:.0f} |")


if __name__ == "__main__":
    from benchmarks import cluster  # noqa: PLW0406 - a node can import its classes by that name only

    cluster.main()
