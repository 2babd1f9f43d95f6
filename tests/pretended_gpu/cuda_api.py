"""What ``torch.cuda`` says while the GPU is pretended, and the other doors to a device."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from types import SimpleNamespace
from typing import Any, Final

import torch
from torch import Tensor

from harness import cuda
from tests.pretended_gpu.generators import DEFAULT, Generator
from tests.pretended_gpu.places import EITHER, GPU, Memory, place_named, put, tensors_in

NAME: Final = "Pretended GPU"
TOTAL: Final = 80 * 2**30

_PROPERTIES = SimpleNamespace(
    name=NAME, major=9, minor=0, total_memory=TOTAL, multi_processor_count=132, warp_size=32
)


class Event:
    """A point in time on the GPU: work there is done when it is asked for."""

    def __init__(self, *, enable_timing: bool = False, **_: Any) -> None:
        self._timing, self._at = enable_timing, 0.0

    def record(self, stream: Any = None) -> None:
        self._at = time.perf_counter()

    def elapsed_time(self, end: Event) -> float:
        """Milliseconds until ``end``."""
        if not (self._timing and end._timing and self._at and end._at):
            raise RuntimeError("Both events must be recorded before calculating elapsed time.")
        return 1000 * (end._at - self._at)

    def synchronize(self) -> None:
        pass

    def wait(self, stream: Any = None) -> None:
        pass

    def query(self) -> bool:
        return True


class Stream:
    """The one queue of work."""

    def __init__(self, *_: Any, **__: Any) -> None:
        self.device = torch.device("cuda", 0)

    def synchronize(self) -> None:
        pass

    wait_stream = wait_event = record_event = lambda self, *_: None


def _nothing(*_: Any, **__: Any) -> None:
    return None


def _reset_peak(*_: Any) -> None:
    Memory.peak = Memory.used


def _statistics(*_: Any) -> dict[str, int]:
    return {
        "allocated_bytes.all.current": Memory.used,
        "allocated_bytes.all.peak": Memory.peak,
        "reserved_bytes.all.current": Memory.used,
        "reserved_bytes.all.peak": Memory.peak,
    }


def _set_states(states: list[Tensor]) -> None:
    DEFAULT.set_state(states[0])


def _seed(seed: int) -> None:
    DEFAULT.manual_seed(seed)


_CUDA: dict[str, Any] = {
    "is_available": lambda: True,
    "is_initialized": lambda: True,
    "init": _nothing,
    "_lazy_init": _nothing,
    "_is_in_bad_fork": lambda: False,
    "device_count": lambda: 1,
    "current_device": lambda: 0,
    "set_device": _nothing,
    "device": lambda *_: nullcontext(),
    "get_device_name": lambda *_: NAME,
    "get_device_capability": lambda *_: (9, 0),
    "get_device_properties": lambda *_: _PROPERTIES,
    "is_bf16_supported": lambda *_, **__: True,
    "synchronize": _nothing,
    "empty_cache": _nothing,
    "ipc_collect": _nothing,
    "set_per_process_memory_fraction": _nothing,
    "memory_allocated": lambda *_: Memory.used,
    "max_memory_allocated": lambda *_: Memory.peak,
    "memory_reserved": lambda *_: Memory.used,
    "max_memory_reserved": lambda *_: Memory.peak,
    "memory_stats": _statistics,
    "reset_peak_memory_stats": _reset_peak,
    "mem_get_info": lambda *_: (TOTAL - Memory.used, TOTAL),
    "manual_seed": _seed,
    "manual_seed_all": _seed,
    "initial_seed": DEFAULT.initial_seed,
    "get_rng_state": lambda *_: DEFAULT.get_state(),
    "get_rng_state_all": lambda: [DEFAULT.get_state()],
    "set_rng_state": lambda state, *_: DEFAULT.set_state(state),
    "set_rng_state_all": _set_states,
    "default_generators": (DEFAULT,),
    "Event": Event,
    "Stream": Stream,
    "current_stream": lambda *_: Stream(),
    "default_stream": lambda *_: Stream(),
    "stream": lambda *_: nullcontext(),
}


def replacements(modes: Callable[[], Any], state: Any) -> Iterator[tuple[Any, str, Any]]:
    """What is replaced, where, and by what.

    Args:
        modes: Makes the context in which Python code sees the GPU.
        state: Holds ``target``, the place of tensors made by C++.
    """
    for name, value in _CUDA.items():
        yield torch.cuda, name, value
    gpu = cuda.Gpu(NAME, TOTAL / 2**30)
    yield cuda, "driver", lambda: cuda.Driver((gpu,), "0", "99.0")
    yield cuda, "torch_build", lambda: cuda.TorchBuild(torch.__version__, "12.8")
    yield torch, "Generator", Generator
    yield torch, "load", _load(torch.load)
    yield torch.autocast, "__init__", _autocast(torch.autocast.__init__)
    hooks: Any = torch.autograd.graph.saved_tensors_hooks
    yield hooks, "__init__", _saved(hooks.__init__, modes)
    engine: Any = torch.autograd
    yield engine, "_engine_run_backward", _backward(engine._engine_run_backward, modes, state)


def _backward(real: Any, modes: Callable[[], Any], state: Any) -> Any:
    """Backward passes run Python, too: hooks, checkpoints, functions of one's own."""

    def run(*args: Any, **kwargs: Any) -> Any:
        before, state.target = state.target, EITHER
        try:
            with modes():
                return real(*args, **kwargs)
        finally:
            state.target = before

    return run


def _saved(real: Any, modes: Callable[[], Any]) -> Any:
    """Hooks on saved tensors run in the middle of an operation, where nothing is looked at."""

    def init(self: Any, pack_hook: Any, unpack_hook: Any) -> None:
        def pack(tensor: Tensor) -> Any:
            with modes():
                return pack_hook(tensor)

        real(self, pack, unpack_hook)

    return init


def _load(real: Any) -> Any:
    def load(file: Any, map_location: Any = None, **kwargs: Any) -> Any:
        if not isinstance(map_location, str | torch.device) or place_named(map_location) != GPU:
            return real(file, map_location=map_location, **kwargs)
        loaded = real(file, map_location="cpu", **kwargs)
        for tensor in tensors_in(loaded):
            put(tensor, GPU)
        return loaded

    return load


def _autocast(real: Any) -> Any:
    """Kernels are the CPU's, and so is what they compute in half precision."""

    def init(self: Any, device_type: str, *args: Any, **kwargs: Any) -> None:
        real(self, "cpu" if device_type == "cuda" else device_type, *args, **kwargs)

    return init


@contextmanager
def replaced(found: Iterator[tuple[Any, str, Any]]) -> Iterator[None]:
    """The replacements made, and undone at the end."""
    done: list[tuple[Any, str, Any]] = []
    missing = object()
    try:
        for owner, name, value in list(found):
            done.append((owner, name, owner.__dict__.get(name, missing)))
            setattr(owner, name, value)
        yield
    finally:
        for owner, name, value in reversed(done):
            if value is missing:
                delattr(owner, name)
            else:
                setattr(owner, name, value)
