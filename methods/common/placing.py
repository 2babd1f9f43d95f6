"""Where a model's weights are, and what is kept of a forward pass."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

LARGE = 2_000_000_000
"""Parameters from which on activations are computed again in the backward pass instead of kept."""


def place(model: Any, device: str) -> Any:
    """Put a model where it runs. Every large model passes here: sharding belongs into this function."""
    return model.to(device)


@contextmanager
def recomputing(model: Any) -> Iterator[None]:
    """Gradient checkpointing for a large model: a third more time, far less memory, the same bits."""
    wanted = (
        hasattr(model, "gradient_checkpointing_enable")
        and getattr(model, "supports_gradient_checkpointing", False)
        and not getattr(model, "is_gradient_checkpointing", False)
        and sum(parameter.numel() for parameter in model.parameters()) >= LARGE
    )
    if not wanted:
        yield
        return
    model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    try:
        yield
    finally:
        model.gradient_checkpointing_disable()
