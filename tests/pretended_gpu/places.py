"""Where a tensor pretends to lie: a mark on its storage.

All tensors lie in the memory of the CPU. A storage without a mark is on the CPU, one with a
:class:`Block` on the pretended GPU. Autograd's formulas make tensors of which the CPU's kernels do
not say which device was meant; those are marked :data:`EITHER` until they meet one that is known.
Views and in-place results share their storage, and so their mark, as on a real device.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import torch
from torch import Tensor

CPU: Final = 0
GPU: Final = 1
EITHER: Final = 2

GPU_DEVICE: Final = torch.device("cuda", 0)
CPU_DEVICE: Final = torch.device("cpu")

_MARK: Final = "_pretended"
_PLAIN: Final = frozenset({int, float, bool, str, type(None), torch.dtype, torch.Size})


class Memory:
    """Bytes on the pretended GPU, now and at most."""

    used = 0
    peak = 0


class Block:
    """The mark of a storage on the GPU; it lives as long as the storage, and counts its bytes."""

    __slots__ = ("size",)

    def __init__(self, size: int) -> None:
        self.size = size
        Memory.used += size
        Memory.peak = max(Memory.peak, Memory.used)

    def __del__(self) -> None:
        Memory.used -= self.size


def _storage(tensor: Tensor) -> Any:
    try:
        return tensor.untyped_storage()
    except (NotImplementedError, RuntimeError):  # Sparse tensors and wrappers have none.
        return None


def place_of(tensor: Tensor) -> int:
    """:data:`CPU`, :data:`GPU` or :data:`EITHER`. Torch functions must be switched off."""
    mark = getattr(_storage(tensor), _MARK, None)
    if mark is None:
        return CPU
    return EITHER if mark is EITHER else GPU


def put(tensor: Tensor, place: int) -> None:
    """Say where a tensor's storage lies."""
    storage = _storage(tensor)
    if storage is None or tensor.is_meta:
        return
    mark = getattr(storage, _MARK, None)
    if place == GPU:
        if not isinstance(mark, Block):
            setattr(storage, _MARK, Block(storage.nbytes()))
    elif place == EITHER:
        if mark is None:
            setattr(storage, _MARK, EITHER)
    elif mark is not None:
        setattr(storage, _MARK, None)


def tensors_in(*values: Any) -> list[Tensor]:
    """All tensors in nested lists, tuples and dictionaries."""
    found: list[Tensor] = []
    _collect(values, found)
    return found


def _collect(values: Iterable[Any], found: list[Tensor]) -> None:
    # It runs twice for every operation: no generators, and no look at what cannot hold a tensor.
    for value in values:
        kind = type(value)
        if kind in _PLAIN:
            continue
        if isinstance(value, Tensor):
            found.append(value)
        elif isinstance(value, list | tuple):
            _collect(value, found)
        elif isinstance(value, dict):
            _collect(value.values(), found)


def place_named(device: Any) -> int | None:
    """The place that a ``device`` argument names; ``None`` for ``meta`` and the like."""
    if isinstance(device, torch.device):
        kind = device.type
    elif isinstance(device, int):
        kind = "cuda"
    else:
        kind = str(device).partition(":")[0]
    return {"cpu": CPU, "cuda": GPU}.get(kind)


class MixedDevicesError(RuntimeError):
    """What PyTorch raises on a GPU machine when an operation gets tensors of two devices."""
