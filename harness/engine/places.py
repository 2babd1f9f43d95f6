"""What the pool gives out: CPU threads, shares of one GPU, and GPUs as a whole."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harness.engine.accelerator import CONTEXT_GB, may_share
from harness.engine.job import Job


@dataclass(frozen=True)
class Places:
    """Decides what may run beside what.

    Jobs of the CPU take threads out of ``workers``. Jobs of the GPU take memory on it; their threads,
    which mostly wait, are counted against the cores only, so that neither kind keeps the other waiting.
    Jobs that name a number of GPUs have each for themselves, the last ones first; all others share the
    first GPU. On the CPU such a job has as many processes, each with its threads.

    Attributes:
        workers: CPU threads for jobs of the CPU.
        cores: CPU cores for all jobs together; never fewer than let one GPU job run beside the others.
        gpus: GPUs that there are.
        gpu_gb: Memory of the first GPU in GB; ``None`` if unknown, and then one job has it at a time.
        main_gb: Main memory in GB, or ``None`` if unknown.
    """

    workers: int = 2
    cores: int = 1
    gpu_gb: float | None = None
    main_gb: float | None = None
    gpus: int = 1

    def room(self, running: Iterable[Job]) -> bool:
        """Whether some job might start beside the running ones: one of the GPU, if none of the CPU."""
        others = list(running)
        if any(other.exclusive for other in others):
            return False
        taken = sum(self._threads(other) for other in others if not _on_gpu(other))
        on_gpu = [other for other in others if _on_gpu(other)]
        whole, shared = sum(map(self.whole, on_gpu)), sum(map(self.share, on_gpu))
        return taken < self.workers or whole + (shared >= 1.0) < self.gpus

    def free(self, job: Job, running: Iterable[Job]) -> bool:
        """Whether ``job`` may start beside the running ones."""
        others = list(running)
        if job.exclusive or any(other.exclusive for other in others):
            return not others
        if not _on_gpu(job):
            beside = [other for other in others if not _on_gpu(other)]
            taken = sum(self._threads(other) for other in beside)
            return taken + self._threads(job) <= self.workers and self._fits(job, beside)
        beside = [other for other in others if _on_gpu(other)]
        threads = sum(self._threads(other) for other in others)
        return not beside or (
            self._has_gpu(job, beside) and threads + self._threads(job) <= max(self.cores, self.workers + 1)
        )

    def whole(self, job: Job) -> int:
        """How many GPUs a job has for itself; no more than there are, so that nothing waits for ever."""
        return min(job.gpus, self.gpus) if _on_gpu(job) else 0

    def _has_gpu(self, job: Job, beside: list[Job]) -> bool:
        taken = sum(self.whole(other) for other in beside)
        shared = sum(self.share(other) for other in beside)
        if self.whole(job):
            return taken + self.whole(job) + (shared > 0) <= self.gpus
        return taken < self.gpus and shared + self.share(job) <= 1.0

    def share(self, job: Job) -> float:
        """The part of the first GPU that a job takes, from 0 to 1; all of it where nothing limits it."""
        return gpu_share(job.device_gb, self.gpu_gb) if _on_gpu(job) and not self.whole(job) else 0.0

    def _threads(self, job: Job) -> int:
        return min(job.threads * max(1, job.gpus), self.workers)

    def _fits(self, job: Job, beside: list[Job]) -> bool:
        """Whether declared models fit into main memory together; one alone has been checked before."""
        if self.main_gb is None or not job.device_gb or not beside:
            return True
        return job.device_gb + sum(other.device_gb or 0.0 for other in beside) <= self.main_gb


def gpu_share(device_gb: float | None, gpu_gb: float | None) -> float:
    """The part of a GPU of ``gpu_gb`` that models of ``device_gb`` take; all of it where one is unknown."""
    if device_gb is None or gpu_gb is None or not may_share(device_gb, gpu_gb):
        return 1.0
    return (device_gb + CONTEXT_GB) / gpu_gb


def _on_gpu(job: Job) -> bool:
    return job.device.startswith("cuda")
