"""Executing one job in this process, whatever happens in it."""

from __future__ import annotations

import contextlib
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from harness.ends import Stops, own_process, story_of, text_of
from harness.engine import accelerator, files_read
from harness.engine.artifact import build_artifact
from harness.engine.asked import models_asked
from harness.engine.context import Loader, TrialContext, set_threads
from harness.engine.framework import import_framework
from harness.engine.job import ArtifactJob, CallJob, Job, Outcome, Status, TrialJob
from harness.engine.log import Log, MemoryLog
from harness.engine.state import State
from harness.engine.trial import run_trial
from harness.errors import DivergedError, UsageError
from harness.method.asked import AskedModel
from harness.method.checkpoints import EVERY_SECONDS, Checkpoints
from harness.method.passes import Passes, divided
from harness.store.records import Cost
from harness.store.units import check_table, encode

EVERY_VARIABLE = "CORROBORATE_CHECKPOINT_SECONDS"
"""Environment variable: seconds between two checkpoints of a trial, and before the first."""


def execute(
    job: Job,
    loader: Loader,
    progress: Callable[[float, str], None],
    scratch_root: Path | None = None,
    *,
    log: Log | None = None,
    state: State | None = None,
) -> Outcome:
    """Run a job to its end; however foreign code ends becomes an outcome, never an exception.

    Args:
        job: What to run.
        loader: Gives the objects behind references.
        progress: Called with the share done and a message.
        scratch_root: Where its scratch folder is made; by default where temporary files go.
        log: Takes what the job prints; by default what Python code prints.
        state: The process's state, which the job must leave as it is.

    Raises:
        BaseException: What a signal raised that ends the run, such as the user's Ctrl-C.
    """
    if job.framework:
        import_framework()
    log, state = log or MemoryLog(), state or State()
    meter = _Meter(job.device, max(1, job.gpus))
    made, ended = _Made(), _Ended()
    left: list[str] = []
    asked: list[AskedModel] = []
    with _scratch(scratch_root) as scratch, log.catching(), Stops() as stops, divided(job.passes) as passes:
        try:
            set_threads(job.threads)
            accelerator.prepare(job.device, None if job.gpus else job.device_gb)
            with accelerator.precision(tf32=job.tf32), state.watched() as left:
                ctx = _context(job, loader, scratch, progress)
                meter.checkpoints, asked = ctx.checkpoints, ctx.asked
                files_read.begin(job, ctx.checkpoints, scratch)
                made = _run(job, ctx, state.settle, meter)
        except BaseException as reason:  # noqa: BLE001 - foreign code may raise anything; the run goes on
            ended = _ended(job, reason, passes)
        files, unsure = files_read.taken(job)
        stops.obey()
    cost = meter.cost()
    accelerator.release(job.device)
    return Outcome(
        id=job.id,
        **made._asdict(),
        **ended._asdict(),
        cost=cost,
        log=log.text(),
        files=files,
        unsure=unsure,
        passes=job.passes,
        left=tuple(left),
        models=models_asked(asked),
    )


@contextlib.contextmanager
def _scratch(root: Path | None) -> Iterator[Path]:
    """A folder that is removed; what cannot be removed of it ends no run."""
    with tempfile.TemporaryDirectory(prefix="corroborate-", dir=root, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


class _Ended(NamedTuple):
    """How a job ended, as its outcome has it."""

    status: Status = "ok"
    error: str = ""
    smaller: bool = False


def _ended(job: Job, reason: BaseException, passes: Passes) -> _Ended:
    """The end of a job that raised something."""
    if isinstance(reason, DivergedError):
        return _Ended("diverged", text_of(reason))
    error = story_of(reason)
    if isinstance(reason, MemoryError):
        return _Ended("memory", error)
    if accelerator.ran_out_of_memory(reason):
        told = f"{error}\n{accelerator.memory_story(job.device, job.device_gb)}"
        return _Ended("memory", told, smaller=passes.divisible)
    return _Ended("failed", error)


def _context(job: Job, loader: Loader, scratch: Path, progress: Callable[[float, str], None]) -> TrialContext:
    return TrialContext(
        seed=job.seed if isinstance(job, TrialJob) else 0,
        stage=job.stage if isinstance(job, TrialJob) else "main",
        device=job.device,
        dtype=job.dtype,
        gpus=job.gpus,
        threads=job.threads,
        scratch=scratch,
        loader=loader,
        paths=job.paths,
        # What is timed is timed whole.
        checkpoints=_checkpoints(None if job.exclusive else job.checkpoints),
        answers=None if job.exclusive else job.answers,
        on_progress=progress,
    )


class _Made(NamedTuple):
    """What a job gave, as its outcome has it."""

    units: bytes = b""
    parts: tuple[str, ...] = ()
    found: bool = False


def _run(job: Job, ctx: TrialContext, settle: Callable[[], None], meter: _Meter) -> _Made:
    if isinstance(job, ArtifactJob):
        return _Made(found=not build_artifact(job, ctx, meter.cost))
    with own_process():
        if isinstance(job, CallJob):
            return _Made(job.call(ctx))
        scores = run_trial(job, ctx, settle)
    for part, table in scores.parts.items():
        check_table(part, table, job.id)
    return _Made(encode(scores.parts), tuple(scores.parts))


def _checkpoints(folder: Path | None) -> Checkpoints:
    """Checkpoints in ``folder``, as often as the user wants them.

    Raises:
        UsageError: If the environment variable is no number of seconds.
    """
    text = os.environ.get(EVERY_VARIABLE, "")
    try:
        every = float(text or EVERY_SECONDS)
    except ValueError as error:
        raise UsageError(
            f"'{text}' is not a number of seconds",
            where=EVERY_VARIABLE,
            fix="Set it to a number, or unset it.",
        ) from error
    return Checkpoints(folder, every)


class _Meter:
    """Measures what a job uses, from its making on, and adds what killed processes spent on it.

    Attributes:
        checkpoints: Of the job, once there are any; they know of the earlier processes.
    """

    def __init__(self, device: str, gpus: int = 1) -> None:
        self.checkpoints = Checkpoints()
        self._device = device
        self._gpus = gpus
        _reset_peak()
        self._wall = time.perf_counter()
        self._cpu = time.process_time()

    def cost(self) -> Cost:
        earlier_wall, earlier_cpu = self.checkpoints.earlier
        wall = earlier_wall + time.perf_counter() - self._wall
        tensors, reserved = accelerator.peaks_mb(self._device)
        return Cost(
            wall_s=round(wall, 6),
            cpu_s=round(earlier_cpu + time.process_time() - self._cpu, 6),
            # A job holds its share of the GPU from its start to its end, so that is what it costs.
            gpu_s=round(self._gpus * wall, 6) if self._device.startswith("cuda") else None,
            peak_memory_mb=round(_peak_mb(), 1),
            peak_gpu_memory_mb=tensors,
            peak_gpu_reserved_mb=reserved,
        )


def _reset_peak() -> None:
    """Let Linux forget the peak of earlier jobs in this process, where it can."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _peak_mb() -> float:
    with contextlib.suppress(OSError, ValueError, StopIteration):
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        line = next(line for line in lines if line.startswith("VmHWM"))
        return float(line.split()[1]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 1024
