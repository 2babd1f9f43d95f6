"""The pool: long-lived worker processes on this machine, with hard limits."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from multiprocessing.connection import Connection, wait
from multiprocessing.reduction import ForkingPickler
from pathlib import Path

from harness.cuda import VISIBLE, visible_gpus
from harness.ends import Stops, story_of, text_of
from harness.engine.engines import Listener
from harness.engine.forkserver import ForkServer, WorkerOrder
from harness.engine.job import Job, Outcome, Progress
from harness.engine.places import Places
from harness.engine.process import END_SECONDS, Worker
from harness.engine.worker import Unfit
from harness.errors import EngineError

WATCH_SECONDS = 0.2
"""How often limits are checked."""
PATIENCE_SECONDS = 3.0
"""How long an idle worker may take to leave."""


class PoolEngine:
    """Runs jobs in worker processes, one at a time in each.

    Workers live as long as their jobs succeed, so that imports and loaded models are paid for
    once. One that fails, or exceeds a limit, is replaced. All of them end with the driver. Jobs of the
    CPU and of the GPU run beside each other, in workers of their own.

    Args:
        on_progress: Called with what running jobs report.
        places: What there is to give out.
    """

    def __init__(self, on_progress: Listener, places: Places) -> None:
        self._on_progress = on_progress
        self._places = places
        self._workers: list[Worker] = []
        self._ended: list[Outcome] = []
        self._started = 0
        self._scratch = tempfile.TemporaryDirectory(prefix="corroborate-", ignore_cleanup_errors=True)
        self._server = ForkServer(Path(self._scratch.name))

    def warm(self) -> None:
        """Let what workers need be imported, which takes a while."""
        self._server.start()

    @property
    def _running(self) -> list[Job]:
        return [worker.job for worker in self._workers if worker.job is not None]

    def room(self) -> bool:
        """Whether a place may be left for some job."""
        return self._places.room(self._running)

    def accepts(self, job: Job) -> bool:
        """Whether there are places left, and nobody wants to be alone."""
        return self._places.free(job, self._running)

    def submit(self, job: Job) -> None:
        """Give a job to an idle worker of its kind, starting one if there is none."""
        packed = self._packed(job)
        if packed is None:
            return
        count = self._places.whole(job)
        worker = self._with_gpus(job, count) if count else self._with_share(job)
        worker.give(job, packed)

    def _with_share(self, job: Job) -> Worker:
        """An idle worker, or a new one, that takes the job's share of the first GPU, if it computes there."""
        share = self._places.share(job)
        mine = [worker for worker in self._workers if worker.job is None]
        idle = next((worker for worker in mine if bool(worker.gpu_share) == bool(share)), None)
        if idle is None:
            # One that has only computed on the CPU so far will do as well as a new one.
            idle = next((worker for worker in mine if not worker.gpu_share), None)
        if idle is None:
            idle = self._new_worker(job)
        idle.gpu_share = max(idle.gpu_share, share)
        self._make_room(idle)
        return idle

    def _with_gpus(self, job: Job, count: int) -> Worker:
        """A new worker that sees so many GPUs, the last ones that are free, and has them for itself."""
        taken = {number for worker in self._workers for number in worker.gpus}
        free = [number for number in range(self._places.gpus) if number not in taken]
        chosen = tuple(free[-count:])
        if 0 in chosen:
            for other in [one for one in self._workers if one.gpu_share and one.job is None]:
                self._drop(other)
        names = visible_gpus(self._places.gpus)
        worker = self._new_worker(job, {VISIBLE: ",".join(names[number] for number in chosen)})
        worker.gpus = chosen
        return worker

    def _new_worker(self, job: Job, variables: Mapping[str, str] | None = None) -> Worker:
        log = Path(self._scratch.name) / f"worker-{self._started}.log"
        worker = Worker(self._server, WorkerOrder(log, variables or {}, job.framework))
        self._started += 1
        self._workers.append(worker)
        return worker

    def _packed(self, job: Job) -> bytes | None:
        """A job as a worker is given it, or its failure: its objects decide how they are pickled."""
        with Stops() as stops:
            try:
                return bytes(ForkingPickler.dumps(job))
            except BaseException as error:  # noqa: BLE001 - foreign code
                stops.obey()
                reason = f"{story_of(error)}\nIt cannot be handed to a worker process: {text_of(error)}"
        self._ended.append(Outcome(id=job.id, status="failed", error=reason))
        return None

    def _make_room(self, chosen: Worker) -> None:
        """End idle workers that may hold memory on the GPU which the chosen one's job needs."""
        for worker in list(self._workers):
            full = sum(other.gpu_share for other in self._workers) > 1.0
            if full and worker.gpu_share and worker.job is None and worker is not chosen:
                self._drop(worker)

    def wait(self, seconds: float) -> list[Outcome]:
        """The jobs that have ended, by themselves or by force.

        Raises:
            EngineError: If no worker can start.
        """
        deadline = time.monotonic() + seconds
        while not self._ended:
            left = min(WATCH_SECONDS, deadline - time.monotonic())
            self._listen(max(left, 0.0))
            self._enforce_limits()
            if time.monotonic() >= deadline:
                break
        ended, self._ended = self._ended, []
        return ended

    def _listen(self, seconds: float) -> None:
        pipes: dict[Connection, Worker] = {w.pipe: w for w in self._workers}
        for pipe in wait(list(pipes), timeout=seconds):
            worker = pipes[pipe]  # type: ignore[index]
            try:
                message = worker.receive()
            except (EOFError, OSError):
                self._bury(worker)
                continue
            if isinstance(message, Progress):
                self._on_progress(message)
            elif isinstance(message, Outcome):
                self._finish(worker, message)
            elif isinstance(message, Unfit):
                raise _unfit(message)

    def _finish(self, worker: Worker, outcome: Outcome) -> None:
        worker.job = None
        if outcome.status == "memory" and worker.gpu_share and worker.given > 1:
            # Models that earlier jobs have left loaded took their part: an empty worker decides.
            outcome = replace(outcome, lost=True)
        self._ended.append(outcome)
        if outcome.status != "ok" or outcome.left or worker.gpus:
            # It may have left more behind than can be found and put back; and no other job sees its GPUs.
            self._drop(worker)

    def _bury(self, worker: Worker) -> None:
        """A worker died on its own: killed from outside, or by a crash in native code."""
        job = worker.job
        code = worker.wait(END_SECONDS)
        error = _told(worker.stack(), f"The worker process ended without a result (exit code {code}).")
        log = worker.log()
        self._drop(worker)
        if job is not None:
            self._ended.append(Outcome(id=job.id, status="failed", error=error, log=log, lost=True))

    def _enforce_limits(self) -> None:
        for worker in list(self._workers):
            excess = worker.excess()
            if excess is not None and worker.job is not None:
                status, reason = excess
                worker.dump()
                ended = Outcome(
                    id=worker.job.id, status=status, error=_told(worker.stack(), reason), log=worker.log()
                )
                self._ended.append(ended)
                self._drop(worker)

    def _drop(self, worker: Worker) -> None:
        self._workers.remove(worker)
        worker.kill()

    def close(self) -> None:
        """End all workers."""
        leaving = [worker for worker in self._workers if worker.idle]
        for worker in leaving:
            worker.dismiss()
        for worker in leaving:
            worker.wait(PATIENCE_SECONDS)
        for worker in list(self._workers):
            self._drop(worker)
        self._server.close()
        self._scratch.cleanup()


def _unfit(message: Unfit) -> EngineError:
    return EngineError(
        f"Worker processes cannot be started: each imports the main script.\n{message.story}",
        where=str(getattr(sys.modules["__main__"], "__file__", sys.executable)),
        fix="Let the script be a file that starts its run under `if __name__ == '__main__':`, "
        "or use the engine 'inline'.",
    )


def _told(stack: str, reason: str) -> str:
    """A reason, as the last line, below what the threads were doing."""
    return f"{stack}\n\n{reason}" if stack else reason
