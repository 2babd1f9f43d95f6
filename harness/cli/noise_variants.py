"""The environments that noise is measured in: what each changes of a run, and where it cannot be had."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from harness import cuda
from harness.engine.run import RunRequest
from harness.plan.placement import DTYPES
from harness.processor import older_kernels

THREADS = 2
"""CPU threads of a trial in the variant of that name."""


def _same(request: RunRequest) -> RunRequest:
    return request


@dataclass(frozen=True)
class Variant:
    """One way to run a suite.

    Attributes:
        what: What it changes, in words.
        missing: Why it cannot be run here; empty if it can.
        variables: Environment variables, which count for processes that start with them.
        changed: The request as it asks for it.
    """

    what: str
    missing: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    changed: Callable[[RunRequest], RunRequest] = _same


def variants(request: RunRequest) -> dict[str, Variant]:
    """All variants of a run, by name.

    Args:
        request: The run as it is, with the settings that ``--set`` gives for the variant ``batch``.
    """
    older = older_kernels()
    dtype = next(name for name in DTYPES.values() if name != DTYPES[request.device])
    return {
        "threads": Variant(f"{THREADS} CPU threads a trial", changed=_with_threads),
        "instructions": Variant(
            "kernels of an older instruction set",
            missing="" if older else "the processor has no older instruction set that the libraries can take",
            variables=older,
        ),
        "dtype": Variant(f"model weights in {dtype}", changed=lambda asked: replace(asked, dtype=dtype)),
        "batch": Variant(
            "other batch sizes",
            missing="" if request.settings else "no --set METHOD.PARAMETER=VALUE says which are batch sizes",
        ),
        "gpu": Variant("a GPU", missing=_no_gpu(request), changed=_on_gpu),
    }


def _with_threads(request: RunRequest) -> RunRequest:
    return replace(request, limits=replace(request.limits, threads=THREADS))


def _on_gpu(request: RunRequest) -> RunRequest:
    return replace(request, device="cuda", limits=replace(request.limits, device="cuda"))


def _no_gpu(request: RunRequest) -> str:
    if request.device == "cuda":
        return "the baseline is on the GPU"
    return ". ".join(cuda.problems())
