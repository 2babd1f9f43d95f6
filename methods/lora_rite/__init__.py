"""LoRA-RITE (Yen et al., 2025): transformation-invariant optimization of LoRA pairs.

A model with adapters of ``peft``, or of ours, is all that the optimizer needs::

    from methods.lora_rite import LoraRite

    optimizer = LoraRite(model, lr=1e-3)

What is named here is imported when it is first used (types are in the stub beside this file):
declarations of experiments live in this package, too, and must not load PyTorch, and a fingerprint
follows imports.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "Lamb": "baselines",
    "LoraPlus": "baselines",
    "LoraRite": "optimizer",
    "Pair": "pairs",
    "ScaledAdam": "baselines",
    "ScaledGD": "baselines",
    "Shampoo": "baselines",
    "find_pairs": "pairs",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
