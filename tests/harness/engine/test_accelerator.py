"""Precision and GPU memory around a trial, with a pretended ``torch.cuda``."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
import torch

from harness.engine import accelerator
from harness.engine.accelerator import GB, MB
from harness.engine.context import Loader
from harness.engine.execute import execute
from harness.engine.job import Outcome, TrialJob
from harness.method import Context, Method, param
from tests.harness.toy import MeanTask, Numbers

SEEN: list[tuple[str, bool]] = []


@dataclass
class PretendedGpu:
    """Counts what a worker asks of ``torch.cuda``."""

    total_gb: float = 24.0
    peak: int = 0
    calls: list[str] = field(default_factory=list)
    fraction: float = 1.0

    def is_available(self) -> bool:
        return True

    def current_device(self) -> int:
        return 0

    def get_device_properties(self, index: int) -> Any:
        return SimpleNamespace(total_memory=int(self.total_gb * GB))

    def reset_peak_memory_stats(self) -> None:
        self.peak = 0

    def set_per_process_memory_fraction(self, share: float) -> None:
        self.fraction = share
        self.calls.append("fraction")

    def max_memory_allocated(self) -> int:
        return self.peak

    def max_memory_reserved(self) -> int:
        return 2 * self.peak

    def empty_cache(self) -> None:
        self.calls.append("empty_cache")


@dataclass(frozen=True)
class Uses(Method[Numbers, float]):
    """Pretends to use memory on the GPU, and notes how products are computed."""

    problem_type: ClassVar[type] = Numbers
    gb: float = param(1.0, source="ours")
    way: str = param("", source="ours")

    def run(self, problem: Numbers, ctx: Context) -> float:
        SEEN.append((torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32))
        gpu: Any = torch.cuda
        if isinstance(gpu, PretendedGpu):
            gpu.peak = int(self.gb * GB)
        ways = {
            "oom": torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9.00 GiB."),
            "cublas": RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate"),
            "other": RuntimeError("CUDA error: device-side assert triggered"),
        }
        if self.way:
            raise ways[self.way]
        torch.set_float32_matmul_precision("medium")
        torch.backends.cudnn.allow_tf32 = not torch.backends.cudnn.allow_tf32
        return 0.0


def ran(
    device: str = "cuda", *, tf32: bool = False, device_gb: float | None = None, **method: Any
) -> Outcome:
    job = TrialJob(
        id="e/t/uses/100",
        device=device,
        dtype="float32",
        paths={},
        tf32=tf32,
        device_gb=device_gb,
        task=MeanTask(),
        methods={"uses": Uses(**method)},
        seed=100,
        stage="main",
    )
    return execute(job, Loader(), lambda _done, _message: None)


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> PretendedGpu:
    pretended = PretendedGpu()
    monkeypatch.setattr(torch, "cuda", pretended)
    monkeypatch.setattr(accelerator._Held, "share", 1.0)
    # Seeding asks a real torch.cuda for its generators.
    monkeypatch.setattr("harness.engine.trial.seed_everything", lambda seed: None)
    return pretended


def test_tf32_lasts_for_one_trial_whatever_the_trial_does() -> None:
    SEEN.clear()
    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    for tf32 in (True, False, True):
        assert ran("cpu", tf32=tf32).status == "ok"
        assert (torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32) == before
    assert SEEN == [("high", True), ("highest", False), ("high", True)]
    assert ran("cpu", tf32=True, way="other").status == "failed"
    assert (torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32) == before


def test_the_peak_of_each_trial_is_its_own(gpu: PretendedGpu) -> None:
    for gb in (4.0, 0.5):
        cost = ran(gb=gb).cost
        assert (cost.peak_gpu_memory_mb, cost.peak_gpu_reserved_mb) == (gb * GB / MB, 2 * gb * GB / MB)
    assert gpu.calls == ["empty_cache"] * 2


def test_a_trial_on_the_cpu_has_no_figures_of_a_gpu(gpu: PretendedGpu) -> None:
    cost = ran("cpu").cost
    assert (cost.peak_gpu_memory_mb, cost.peak_gpu_reserved_mb, cost.gpu_s) == (None, None, None)
    assert gpu.calls == []


@pytest.mark.parametrize("way", ["oom", "cublas"])
def test_running_out_of_the_gpus_memory_is_told_with_figures(way: str, gpu: PretendedGpu) -> None:
    outcome = ran(way=way, gb=11.0, device_gb=8.0)
    assert outcome.status == "memory"
    last = outcome.error.splitlines()[-1]
    assert "11.0 GB in tensors and 22.0 GB reserved" in last
    assert "of 24.0 GB; 8 GB are declared" in last
    assert outcome.cost.peak_gpu_memory_mb == 11.0 * GB / MB


def test_other_faults_of_the_gpu_are_failures(gpu: PretendedGpu) -> None:
    assert ran(way="other").status == "failed"


def test_trials_that_share_a_gpu_are_held_to_their_share(gpu: PretendedGpu) -> None:
    held = []
    # Two of six GB would fit; one of 20 has the GPU for itself, and what is declared is an estimate.
    for device_gb in (None, 6.0, 6.0, 20.0, 3.0, None):
        assert ran(device_gb=device_gb).status == "ok"
        held.append(gpu.fraction)
    assert held == [1.0, 0.25, 0.25, 1.0, 0.125, 1.0]
    assert gpu.calls.count("fraction") == 4, "nothing is asked of the GPU that it knows"
