"""State of a training run on disk: tensors as safetensors, the rest as JSON.

Only safe formats are written and read. A checkpoint is complete or absent: both files are written
beside the old ones and then take their place.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from harness.method import ProblemError


@dataclass
class Checkpoint:
    """What a training run needs to go on.

    Attributes:
        weights: The parameters that are trained.
        best: Their values at the best validation; empty if they are not kept.
        optimizer: With ``state_dict`` and ``load_state_dict``.
        rates: Initial rate of each parameter group.
        history: Plain numbers, lists and mappings.
    """

    weights: Sequence[Tensor]
    best: list[Tensor]
    optimizer: Any
    rates: list[float]
    history: dict[str, Any]


def exists(folder: Path) -> bool:
    """Whether ``folder`` holds a checkpoint."""
    return (folder / "latest.json").is_file()


def save(folder: Path, checkpoint: Checkpoint) -> None:
    """Write the checkpoint, and the state of PyTorch's global generators (dropout draws on them)."""
    tensors: dict[str, Tensor] = {}
    history = checkpoint.history | {"scores": list(checkpoint.history["scores"].items())}
    plain = {
        "weights": _flatten(list(checkpoint.weights), tensors),
        "best": _flatten(checkpoint.best, tensors),
        "optimizer": _flatten(checkpoint.optimizer.state_dict(), tensors),
        "generators": _flatten([torch.get_rng_state(), *_cuda_states()], tensors),
        "rates": checkpoint.rates,
        "history": history,
    }
    folder.mkdir(parents=True, exist_ok=True)
    name = f"step-{history['steps']}.safetensors"
    save_file(tensors, folder / name)
    pending = folder / "latest.json.new"
    pending.write_text(json.dumps(plain | {"tensors": name}), encoding="utf-8")
    pending.replace(folder / "latest.json")
    for old in folder.glob("step-*.safetensors"):
        if old.name != name:
            old.unlink()


def load(folder: Path, parameters: Sequence[Tensor], optimizer: Any, rates: list[float]) -> Checkpoint:
    """Put the checkpoint's weights, optimizer state and generators in place.

    Raises:
        ProblemError: If it was written by another training run: other shapes or other rates.
    """
    plain = json.loads((folder / "latest.json").read_text(encoding="utf-8"))
    tensors = load_file(folder / plain["tensors"])
    weights: list[Tensor] = _restore(plain["weights"], tensors)
    if [w.shape for w in weights] != [p.shape for p in parameters] or plain["rates"] != rates:
        raise ProblemError(
            "The checkpoint belongs to another training run: shapes or learning rates differ",
            where=str(folder),
            fix="Give each training its own folder.",
        )
    with torch.no_grad():
        for parameter, weight in zip(parameters, weights, strict=True):
            parameter.copy_(weight)
    optimizer.load_state_dict(_restore(plain["optimizer"], tensors))
    generator, *cuda = _restore(plain["generators"], tensors)
    torch.set_rng_state(generator)
    if cuda:
        torch.cuda.set_rng_state_all(cuda)
    history = plain["history"]
    history["scores"] = {int(step): float(score) for step, score in history["scores"]}
    best = [
        value.to(p.device) for value, p in zip(_restore(plain["best"], tensors), parameters, strict=False)
    ]
    return Checkpoint(weights, best, optimizer, rates, history)


def _cuda_states() -> list[Tensor]:
    return torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []


def _flatten(value: Any, tensors: dict[str, Tensor]) -> Any:
    """``value`` as JSON; its tensors move to ``tensors`` under a number."""
    if isinstance(value, Tensor):
        key = str(len(tensors))
        tensors[key] = value.detach().cpu().contiguous().clone()
        return {"tensor": key}
    if isinstance(value, dict):
        # As pairs, since the keys of an optimizer's state are integers.
        return {"pairs": [[key, _flatten(item, tensors)] for key, item in value.items()]}
    if isinstance(value, tuple):
        return {"tuple": [_flatten(item, tensors) for item in value]}
    if isinstance(value, list):
        return [_flatten(item, tensors) for item in value]
    return value


def _restore(value: Any, tensors: dict[str, Tensor]) -> Any:
    """The inverse of :func:`_flatten`."""
    if isinstance(value, list):
        return [_restore(item, tensors) for item in value]
    if not isinstance(value, dict):
        return value
    if "tensor" in value:
        return tensors[value["tensor"]]
    if "tuple" in value:
        return tuple(_restore(item, tensors) for item in value["tuple"])
    return {key: _restore(item, tensors) for key, item in value["pairs"]}
