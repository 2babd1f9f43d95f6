"""What one process holds of weights and optimizer: kept, taken up again, and put together.

Each process writes its own parts as safetensors and JSON; nothing is pickled.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.distributed.tensor import DTensor

from harness.method import ProblemError
from methods.common.checkpoints import random_state, read, set_random_state, write
from methods.common.loop import Best

_FILE_BYTES = 2**30
"""No more of the whole weights exists at once on the host of the process that writes them."""
_PART, _WHOLE = "part", "whole"


def keep_part(
    folder: Path, trained: Mapping[str, nn.Parameter], optimizer: torch.optim.Optimizer, best: Best
) -> int:
    """Write what this process holds; returns bytes."""
    state = {
        "weights": {name: local(parameter) for name, parameter in trained.items()},
        "optimizer": _states(trained, optimizer),
        "best": best.state_dict(),
        "random": random_state(),
    }
    return write(folder, state)


def take_up_part(
    folder: Path, trained: Mapping[str, nn.Parameter], optimizer: torch.optim.Optimizer, best: Best
) -> None:
    """Be as at :func:`keep_part`, bit for bit.

    Raises:
        ProblemError: If the folder does not hold the parts of this work.
    """
    found = read(folder)
    if found is None or list(found["weights"]) != list(trained):
        raise ProblemError(
            "The checkpoint lacks the part of a process, or holds other weights",
            where=str(folder),
            fix="Remove the trial's checkpoints to start anew.",
        )
    with torch.no_grad():
        for name, parameter in trained.items():
            local(parameter).copy_(found["weights"][name])
    _take_up_states(found["optimizer"], trained, optimizer)
    best.load_state_dict(found["best"])
    set_random_state(found["random"])


def write_whole(folder: Path, trained: Mapping[str, nn.Parameter], *, writes: bool) -> None:
    """Put the trained weights together; all processes call it, and one writes them.

    Args:
        folder: Of its own, which is to be empty.
        trained: By name.
        writes: Whether this process writes.
    """
    for number, names in enumerate(_files(trained)):
        # Gathering is work of all processes, one weight at a time.
        whole = {name: _gathered(trained[name], here=writes) for name in names}
        if writes:
            folder.mkdir(parents=True, exist_ok=True)
            tensors = {name: tensor for name, tensor in whole.items() if tensor is not None}
            save_file(tensors, folder / f"trained-{number}.safetensors")


def put(model: nn.Module, folder: Path) -> None:
    """Give a model the weights of :func:`write_whole`, wherever its own are.

    Raises:
        ProblemError: If the model has no weight of some name.
    """
    named = dict(model.named_parameters())
    with torch.no_grad():
        for path in sorted(folder.glob("trained-*.safetensors")):
            with safe_open(path, framework="pt") as file:
                for name in file.keys():  # noqa: SIM118 - an open file is no mapping
                    if name not in named:
                        raise ProblemError(f"The model has no weight '{name}'", where=str(folder))
                    named[name].copy_(file.get_tensor(name))


def _files(trained: Mapping[str, nn.Parameter]) -> Iterator[list[str]]:
    """Names of weights that go into one file."""
    names: list[str] = []
    size = 0
    for name, parameter in trained.items():
        here = parameter.numel() * parameter.element_size()
        if names and size + here > _FILE_BYTES:
            yield names
            names, size = [], 0
        names.append(name)
        size += here
    if names:
        yield names


def _gathered(parameter: nn.Parameter, *, here: bool) -> Tensor | None:
    data = parameter.detach()
    whole = data.full_tensor() if isinstance(data, DTensor) else data
    return whole.to("cpu", copy=True).contiguous() if here else None


def local(tensor: Tensor) -> Tensor:
    """What this process holds of a tensor; a view."""
    found = tensor.detach()
    return found.to_local() if isinstance(found, DTensor) else found


def is_part(tensor: Tensor) -> bool:
    """Whether other processes hold the rest."""
    return isinstance(tensor.detach(), DTensor)


def _states(trained: Mapping[str, nn.Parameter], optimizer: torch.optim.Optimizer) -> Any:
    """By parameter where some are in parts; else as the optimizer itself tells it, which may know more."""
    if not any(map(is_part, trained.values())):
        return optimizer.state_dict()
    return {name: _state(optimizer.state[parameter]) for name, parameter in trained.items()}


def _take_up_states(
    found: Any, trained: Mapping[str, nn.Parameter], optimizer: torch.optim.Optimizer
) -> None:
    if not any(map(is_part, trained.values())):
        optimizer.load_state_dict(found)
        return
    for name, parameter in trained.items():
        optimizer.state[parameter] = {
            key: _restored(kind, value, parameter) for key, (kind, value) in found[name].items()
        }


def _state(values: Mapping[str, Any]) -> dict[str, tuple[str, Any]]:
    """States of a parameter; what is in parts is marked."""
    return {
        key: (
            _PART if isinstance(value, DTensor) else _WHOLE,
            local(value) if isinstance(value, Tensor) else value,
        )
        for key, value in values.items()
    }


def _restored(kind: str, value: Any, parameter: nn.Parameter) -> Any:
    data = parameter.detach()
    if kind == _WHOLE or not isinstance(data, DTensor):
        return value.to(local(data).device) if isinstance(value, Tensor) and value.ndim else value
    return DTensor.from_local(
        value.to(data.to_local().device),
        data.device_mesh,
        data.placements,
        shape=data.shape,
        stride=data.stride(),
    )
