"""Random numbers of PyTorch, the same on every device: drawn on the CPU, then moved.

CUDA's generators give other numbers than the CPU's for the same seed, and other ones for another
number of blocks. So everything here draws from a generator of the CPU, in float32 or better
whatever the result's type, and moves what was drawn. Nothing else in ``methods``, ``suites`` or
``harness`` draws with PyTorch, which a test checks.

The exceptions are what libraries draw for themselves: first weights, which they make on the CPU
(under :func:`seeded` where they matter), samples of ``generate`` (under :class:`LibraryDraws`), and
dropout inside a model of ``transformers``, which is drawn where the model is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

Device = str | torch.device
Shape = Sequence[int]


def generator(seed: int) -> torch.Generator:
    """A generator of its own, on the CPU."""
    return torch.Generator().manual_seed(seed)


def uniform(
    shape: Shape, rng: torch.Generator, *, dtype: torch.dtype = torch.float32, device: Device = "cpu"
) -> Tensor:
    """Uniform numbers in [0, 1)."""
    return torch.rand(tuple(shape), generator=rng, dtype=_drawn(dtype)).to(device, dtype)


def normal(
    shape: Shape, rng: torch.Generator, *, dtype: torch.dtype = torch.float32, device: Device = "cpu"
) -> Tensor:
    """Standard normal numbers."""
    return torch.randn(tuple(shape), generator=rng, dtype=_drawn(dtype)).to(device, dtype)


def integers(
    high: int, shape: Shape, rng: torch.Generator, *, low: int = 0, device: Device = "cpu"
) -> Tensor:
    """Whole numbers in [low, high), int64."""
    return torch.randint(low, high, tuple(shape), generator=rng).to(device)


def integer(high: int, rng: torch.Generator, *, low: int = 0) -> int:
    """One whole number in [low, high)."""
    return int(torch.randint(low, high, (), generator=rng))


def permutation(count: int, rng: torch.Generator, *, device: Device = "cpu") -> Tensor:
    """The numbers below ``count`` in a random order, int64."""
    return torch.randperm(count, generator=rng).to(device)


def fill_normal(tensor: Tensor, mean: float, deviation: float, rng: torch.Generator | None) -> Tensor:
    """Overwrite a tensor, wherever it is, with normal numbers.

    Args:
        tensor: Changed in place.
        mean: Of the numbers.
        deviation: Their standard deviation.
        rng: A generator of the CPU; the global one if ``None``.

    Returns:
        The tensor.
    """
    return _filled(tensor, lambda made: made.normal_(mean, deviation, generator=rng))


def fill_uniform(tensor: Tensor, low: float, high: float, rng: torch.Generator | None) -> Tensor:
    """Overwrite a tensor, wherever it is, with uniform numbers in [low, high); returns it."""
    return _filled(tensor, lambda made: made.uniform_(low, high, generator=rng))


def _filled(tensor: Tensor, draw: Callable[[Tensor], Tensor]) -> Tensor:
    with torch.no_grad():
        drawn = draw(torch.empty(tensor.shape, dtype=_drawn(tensor.dtype)))
        return tensor.copy_(drawn)


def _drawn(dtype: torch.dtype) -> torch.dtype:
    return torch.float64 if dtype == torch.float64 else torch.float32


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed the CPU's global generator for library code, and restore its state afterwards."""
    before = torch.get_rng_state()
    torch.default_generator.manual_seed(seed)
    try:
        yield
    finally:
        torch.set_rng_state(before)


class LibraryDraws(TorchFunctionMode):
    """Library code that samples on a device gets numbers of the CPU's global generator there.

    On the CPU nothing changes. Covers the functions with which ``generate`` of ``transformers`` draws.
    """

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Draw on the CPU, and move what was drawn."""
        kwargs = kwargs or {}
        if func not in (torch.multinomial, torch.rand_like, torch.rand):
            return func(*args, **kwargs)
        tensors = [value for value in args if isinstance(value, Tensor)]
        device = kwargs.get("device") or (tensors[0].device if tensors else "cpu")
        local = [value.cpu() if isinstance(value, Tensor) else value for value in args]
        drawn: Tensor = func(*local, **{**kwargs, **({"device": "cpu"} if "device" in kwargs else {})})
        return drawn.to(device)
