"""Where a model's weights are, and what is kept of a forward pass."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from torch.utils.checkpoint import checkpoint

LARGE = 2_000_000_000
"""Parameters from which on activations are computed again in the backward pass instead of kept."""
FEW = 8
"""Examples that a forward pass in the training of such a model reads, at most."""


def place(model: Any, device: str) -> Any:
    """Put a model where it runs; ``methods.common.sharded`` has what several devices hold together."""
    return model.to(device)


def return_memory() -> None:
    """Give the system back what was freed, before a second model is loaded.

    glibc keeps freed blocks of some megabytes: after training 270 million weights with Adam that was more
    than the model. Without glibc nothing is done.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def is_large(model: Any) -> bool:
    """Whether training has to spare memory."""
    return bool(sum(parameter.numel() for parameter in model.parameters()) >= LARGE)


@contextmanager
def recomputing(model: Any) -> Iterator[None]:
    """Gradient checkpointing for a large model: a third more time, far less memory, the same bits.

    The layers alone are told so. ``gradient_checkpointing_enable`` also lets inputs and T5's empty
    position biases require gradients, for which PyTorch takes other attention kernels.
    """
    from transformers.modeling_layers import GradientCheckpointingLayer

    layers: list[Any] = [
        module for module in model.modules() if isinstance(module, GradientCheckpointingLayer)
    ]
    with recomputed(layer for layer in layers if is_large(model) and not layer.gradient_checkpointing):
        yield


@contextmanager
def recomputed(layers: Iterable[Any]) -> Iterator[None]:
    """Gradient checkpointing in layers of a model of ``transformers``."""
    chosen = list(layers)
    for layer in chosen:
        layer.gradient_checkpointing = True
        # The reentrant form gives no gradients where no input of a layer requires them.
        layer._gradient_checkpointing_func = partial(checkpoint, use_reentrant=False)  # noqa: SLF001
    try:
        yield
    finally:
        for layer in chosen:
            layer.gradient_checkpointing = False
