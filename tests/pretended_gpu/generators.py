"""Generators of the pretended GPU: another device, and so other numbers for the same seed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import torch
from torch import Tensor

from tests.pretended_gpu.places import CPU_DEVICE, GPU, GPU_DEVICE, MixedDevicesError, place_named

_OTHER: Final = 0x5DEECE66D
"""Turns a seed into another: CUDA draws with another algorithm than the CPU."""

RealGenerator: Any = torch.Generator


class GpuGenerator(RealGenerator):  # type: ignore[misc]
    """A generator that says it is on the GPU."""

    @property
    def device(self) -> torch.device:
        return GPU_DEVICE

    def manual_seed(self, seed: int) -> GpuGenerator:
        self._seed = int(seed)
        super().manual_seed((self._seed ^ _OTHER) % 2**63)
        return self

    def initial_seed(self) -> int:
        return getattr(self, "_seed", 0)


class _Kind(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, RealGenerator)


class Generator(metaclass=_Kind):
    """Stands for :class:`torch.Generator` while the GPU is pretended."""

    def __new__(cls, device: Any = "cpu") -> Any:
        if place_named(device) == GPU:
            return GpuGenerator("cpu").manual_seed(67280421310721)
        return RealGenerator(device)


DEFAULT: Final = GpuGenerator("cpu").manual_seed(0)
"""What the GPU draws from if no generator is given."""


@contextmanager
def gpu_numbers() -> Iterator[None]:
    """Let operations that take no generator draw from the GPU's."""
    before: Tensor = torch.default_generator.get_state()
    torch.default_generator.set_state(DEFAULT.get_state())
    try:
        yield
    finally:
        DEFAULT.set_state(torch.default_generator.get_state())
        torch.default_generator.set_state(before)


def check_generator(generator: Any, place: int) -> None:
    """Refuse a generator of another device than the numbers'.

    Raises:
        MixedDevicesError: If they differ.
    """
    wanted = GPU_DEVICE if place == GPU else CPU_DEVICE
    found = GPU_DEVICE if isinstance(generator, GpuGenerator) else CPU_DEVICE
    if found != wanted:
        raise MixedDevicesError(
            f"Expected a '{wanted.type}' device type for generator but found '{found.type}'"
        )
