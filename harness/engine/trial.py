"""Executing one trial in this process."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from harness.durable import write_durably
from harness.engine.accelerator import synchronise
from harness.engine.calibration import calibration_seconds
from harness.engine.context import TrialContext, seed_everything
from harness.engine.job import TrialJob
from harness.errors import ProblemError
from harness.method.contract import Method, Scores
from harness.store.units import decode, encode

if TYPE_CHECKING:
    from harness.suite import Timed

BLOCK_SEEDS = 10_000
"""Block b of a timed trial with seed s runs under seed s · BLOCK_SEEDS + b."""


def run_trial(job: TrialJob, ctx: TrialContext, settle: Callable[[], None] = lambda: None) -> Scores:
    """Execute a trial and return its unit rows.

    Args:
        job: What to run.
        ctx: Its context.
        settle: Called between the arms of a timed trial, so that none sees what another has left.
    """
    if job.timed is not None:
        return _run_timed(job, job.timed, ctx, settle)
    (method,) = job.methods.values()
    probes = _Probes(job, ctx)
    ctx.on_probe = probes.add
    ctx.checkpoints.companion = probes
    seed_everything(job.seed)
    result = solve(method, job.task.problem(ctx), ctx)
    scores = job.task.evaluate(result, ctx)
    return Scores({**scores.parts, **probes.parts()})


def solve(method: Method[Any, Any], problem: Any, ctx: TrialContext) -> Any:
    """Run a method on a problem, if it is of the kind that the method accepts.

    Raises:
        ProblemError: If it is not.
    """
    if not isinstance(problem, method.problem_type):
        raise ProblemError(
            f"{type(method).__name__} solves problems of type {method.problem_type.__name__}, "
            f"this one is {type(problem).__name__}",
            where=f"{type(method).__module__}.{type(method).__qualname__}",
            fix="Run it in an experiment whose methods have the same problem type.",
        )
    return method.run(problem, ctx)


@dataclass
class _Probes:
    """Evaluations during training, collected under part ``probe`` with a column ``step``."""

    job: TrialJob
    ctx: TrialContext
    tables: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    _stored: int = 0

    def add(self, step: int, result: Any) -> None:
        scores = self.job.task.evaluate(result, self.ctx)
        for part, table in scores.parts.items():
            self.tables.append((f"probe:{part}" if part != "main" else "probe", _with(table, step=step)))

    def save(self) -> list[list[Any]]:
        """Put the tables that no checkpoint has yet on disk; returns part, columns and rows of all."""
        folder = self.ctx.checkpoints.folder
        assert folder is not None
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(self._stored, len(self.tables)):
            part, table = self.tables[number]
            write_durably(folder / _probe_file(number), encode({part: table}))
        self._stored = len(self.tables)
        return [[part, list(table), len(table["unit_id"])] for part, table in self.tables]

    def restore(self, value: list[list[Any]]) -> None:
        """Have the first tables again, as they were; what came after them comes again."""
        folder = self.ctx.checkpoints.folder
        assert folder is not None
        self.tables = []
        for number, (part, columns, rows) in enumerate(value):
            table: dict[str, Any] = {name: [] for name in columns}
            if rows:
                path = folder / _probe_file(number)
                table = dict(decode(path.read_bytes(), part, path.name))
            self.tables.append((part, table))
        self._stored = len(self.tables)

    def parts(self) -> dict[str, dict[str, Any]]:
        return _stack(self.tables)


def _probe_file(number: int) -> str:
    return f"probe-{number}.parquet"


def _with(table: Mapping[str, Any], **constants: Any) -> dict[str, Any]:
    """The table with constant columns added."""
    length = len(table["unit_id"])
    return {**table, **{name: [value] * length for name, value in constants.items()}}


def _stack(tables: list[tuple[str, dict[str, Any]]]) -> dict[str, dict[str, Any]]:
    """Tables of the same part, one below the other."""
    import numpy as np

    stacked: dict[str, dict[str, list[Any]]] = {}
    for part, table in tables:
        target = stacked.setdefault(part, {name: [] for name in table})
        for name, column in table.items():
            target[name].append(np.asarray(column))
    return {
        part: {name: np.concatenate(columns) for name, columns in table.items()}
        for part, table in stacked.items()
    }


def _run_timed(job: TrialJob, timed: Timed, ctx: TrialContext, settle: Callable[[], None]) -> Scores:
    """Run all arms and the calibration in turn, block by block, in a new random order in each."""
    from harness.claims.quantity import CALIBRATION

    order = ctx.rng("order of timed arms")
    names = [*job.methods, CALIBRATION]
    times: list[tuple[int, str, float]] = []
    tables: list[tuple[str, dict[str, Any]]] = []
    seed_everything(job.seed)
    problem = job.task.problem(ctx)
    total = timed.warmup + timed.blocks
    for block in range(-timed.warmup, timed.blocks):
        # Another seed in each block, the same for its arms: what a block's time depends on
        # besides the machine (how long a sampled text is accepted) is redrawn too.
        inner = replace(ctx, seed=job.seed * BLOCK_SEEDS + max(block, 0))
        for index in order.permutation(len(names)):
            name = names[index]
            if name == CALIBRATION:
                seconds, result = calibration_seconds(ctx.device), None
            else:
                seconds, result = _timed(job.methods[name], problem, inner)
                settle()
            if block >= 0:
                times.append((block, name, seconds))
            if block >= 0 and name != CALIBRATION:
                scores = job.task.evaluate(result, inner)
                tables += [
                    (part, _with(table, arm=name, block=block)) for part, table in scores.parts.items()
                ]
        ctx.progress((block + timed.warmup + 1) / total, f"block {block + 1} of {timed.blocks}")
    return Scores({"time": _time_table(times), **_stack(tables)})


def _timed(method: Method[Any, Any], problem: Any, ctx: TrialContext) -> tuple[float, Any]:
    seed_everything(ctx.seed)
    synchronise(ctx.device)
    start = time.perf_counter()
    result = solve(method, problem, ctx)
    synchronise(ctx.device)
    return time.perf_counter() - start, result


def _time_table(times: list[tuple[int, str, float]]) -> dict[str, list[Any]]:
    return {
        "unit_id": [block for block, _, _ in times],
        "arm": [name for _, name, _ in times],
        "seconds": [seconds for _, _, seconds in times],
    }
