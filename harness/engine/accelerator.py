"""What a worker does about the GPU around a job: precision, memory, and what running out of it looks like.

Everything here does nothing where PyTorch is not imported or sees no GPU.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import Any

from harness.ends import text_of

GB = 2**30
MB = 2**20
CONTEXT_GB = 0.7
"""What a process holds on a GPU besides its tensors: the CUDA context and the libraries' workspaces."""

_OUT_OF_MEMORY = ("CUDA out of memory", "CUDA error: out of memory", "CUBLAS_STATUS_ALLOC_FAILED")


WHOLE = 1.0


class _Held:
    """The share of the GPU that this process is held to."""

    share = WHOLE


def _torch() -> Any:
    """PyTorch, if this process has imported it."""
    return sys.modules.get("torch")


def _gpu(device: str) -> Any:
    """``torch.cuda`` if the job computes there and it can be asked, else nothing."""
    torch = _torch()
    return torch.cuda if device.startswith("cuda") and torch and torch.cuda.is_available() else None


@contextlib.contextmanager
def precision(*, tf32: bool) -> Iterator[None]:
    """Let products of float32 use TF32 on a GPU, or not; what was before is restored.

    Convolutions have a switch of their own, which is on unless somebody turns it off.
    """
    torch = _torch()
    if torch is None:
        yield
        return
    convolutions = torch.backends.cudnn
    before = torch.get_float32_matmul_precision(), convolutions.allow_tf32
    torch.set_float32_matmul_precision("high" if tf32 else "highest")
    convolutions.allow_tf32 = tf32
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before[0])
        convolutions.allow_tf32 = before[1]


def synchronise(device: str) -> None:
    """Wait until a GPU has finished what it was given."""
    if device.startswith("cuda"):
        import torch

        torch.cuda.synchronize()


def prepare(device: str, device_gb: float | None) -> None:
    """Forget earlier peaks, and hold a job to its share if it may share the GPU.

    Args:
        device: Where the job computes.
        device_gb: What it may use there, in GB, if that is declared.
    """
    gpu = _gpu(device)
    if gpu is None:
        return
    gpu.reset_peak_memory_stats()
    total = _total_gb(gpu)
    share = device_gb / total if device_gb and may_share(device_gb, total) else WHOLE
    if share != _Held.share:
        gpu.set_per_process_memory_fraction(share)
        _Held.share = share


def may_share(device_gb: float | None, total_gb: float | None) -> bool:
    """Whether a job runs beside others on a GPU of ``total_gb``: if two such jobs would fit.

    What needs more has the GPU for itself, and is not stopped where its need was estimated too low.
    """
    if device_gb is None or total_gb is None:
        return False
    return 2 * (device_gb + CONTEXT_GB) <= total_gb


def _total_gb(gpu: Any) -> float:
    return float(gpu.get_device_properties(gpu.current_device()).total_memory) / GB


def release(device: str) -> None:
    """Give unused blocks back, since another worker may need them."""
    gpu = _gpu(device)
    if gpu is not None:
        with contextlib.suppress(RuntimeError):  # After a fault of the GPU every call fails.
            gpu.empty_cache()


def peaks_mb(device: str) -> tuple[float | None, float | None]:
    """Most memory since :func:`prepare`, in MB: in tensors, and reserved for them."""
    gpu = _gpu(device)
    if gpu is None:
        return None, None
    return round(gpu.max_memory_allocated() / MB, 1), round(gpu.max_memory_reserved() / MB, 1)


def ran_out_of_memory(error: BaseException) -> bool:
    """Whether an exception says that the GPU's memory did not suffice."""
    kind = getattr(_torch(), "OutOfMemoryError", None)
    if kind is not None and isinstance(error, kind):
        return True
    return isinstance(error, RuntimeError) and any(text in text_of(error) for text in _OUT_OF_MEMORY)


def memory_story(device: str, device_gb: float | None) -> str:
    """The figures that belong to a job that ran out of memory, as a sentence."""
    used, reserved = peaks_mb(device)
    if used is None or reserved is None:
        return "The GPU's memory did not suffice."
    total = _total_gb(_gpu(device))
    declared = f"{device_gb:g} GB are declared" if device_gb is not None else "its need is not declared"
    return (
        f"The GPU's memory did not suffice: {used / 1024:.1f} GB in tensors and {reserved / 1024:.1f} GB "
        f"reserved at the peak, of {total:.1f} GB; {declared}."
    )
