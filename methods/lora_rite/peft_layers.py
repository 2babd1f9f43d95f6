"""Factors of ``peft``: found by the modules that hold them, whatever adapters and wrappers are called."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch import Tensor, nn

from harness.method import ProblemError

_INNER = frozenset({"_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"})
"""Parts of names that ``torch.compile`` and wrappers of PyTorch put anywhere; ``module.`` stands in front."""


def factors_of(model: nn.Module) -> dict[str, tuple[str, str]]:
    """The factors of a model's adapters.

    A layer of ``peft`` keeps one factor of each adapter in ``lora_A`` and the other in ``lora_B`` (of an
    embedding: ``lora_embedding_A`` and ``lora_embedding_B``), under the adapter's name.

    Returns:
        For the name of each factor, as ``named_parameters(remove_duplicate=False)`` gives it, the name of its
        pair and its side, ``"a"`` or ``"b"``; empty for a model without such layers.

    Raises:
        ProblemError: For a layer that keeps the factors of several experts in one matrix.
    """
    found: dict[str, tuple[str, str]] = {}
    for path, layer in model.named_modules(remove_duplicate=False):
        for kind in ("lora_", "lora_embedding_"):
            head = f"{path}.{kind}" if path else kind
            for side in "AB":
                kept = getattr(layer, f"{kind}{side}", None)
                if not isinstance(kept, nn.ModuleDict | nn.ParameterDict):
                    continue
                for adapter, entry in kept.items():
                    _check_experts(layer, path, adapter)
                    for tail in _weights(entry):
                        found[f"{head}{side}.{adapter}{tail}"] = (f"{head}.{adapter}{tail}", side.lower())
    return found


def _weights(entry: Any) -> Iterator[str]:
    """What follows the adapter's name in the names of its factors; biases are none."""
    if isinstance(entry, Tensor):
        yield ""
    elif isinstance(entry, nn.Module):
        yield from (f".{name}" for name, _ in entry.named_parameters() if name.split(".")[-1] == "weight")


def _check_experts(layer: nn.Module, path: str, adapter: str) -> None:
    experts = getattr(layer, "num_experts", 1)
    if hasattr(layer, "parameter_name") and isinstance(experts, int) and experts > 1:
        raise ProblemError(
            f"Adapter '{adapter}' keeps the factors of {experts} experts in one matrix, which is no pair",
            where=f"{path}: {layer.parameter_name}",
            fix="Leave target_parameters out of the LoraConfig, or train them with another optimizer.",
        )


def unwrapped(name: str) -> str:
    """A parameter's or a pair's name without what ``torch.compile``, DDP and FSDP put into it."""
    parts = [part for part in name.split(".") if part not in _INNER]
    while len(parts) > 1 and parts[0] == "module":
        parts = parts[1:]
    return ".".join(parts)
