"""A model that answers from several GPUs: each holds some of its layers, and passes on what they give."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from harness.method import ProblemError
from methods.common.sharded.wrapping import layers_of

ROOM = 1.5
"""What answering takes beside the weights of a model, keys and values included, by their size."""


def loaded(load: Callable[[str], Any], devices: Sequence[str]) -> Any:
    """A model where it answers, of which no GPU has to hold more than its share, not even at first.

    Args:
        load: From a device to the model.
        devices: Of the trial.
    """
    return load(devices[0]) if len(devices) == 1 else spread(load("cpu"), devices)


def release() -> None:
    """Give the GPUs' memory of models that nobody uses any more back to other processes.

    What keeps layers on their devices refers to these layers in circles, which only a collection ends.
    """
    gc.collect()
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.empty_cache()


def spread(model: Any, devices: Sequence[str]) -> Any:
    """Put a model where it answers: on the first device, or its layers over several GPUs if it is larger.

    Args:
        model: On the CPU; changed in place.
        devices: Of the trial.
    """
    free = [_free(name) for name in devices] if len(set(devices)) > 1 else []
    size = sum(parameter.numel() * parameter.element_size() for parameter in model.parameters())
    if not free or ROOM * size < free[0]:
        return model.to(devices[0])
    from accelerate import dispatch_model

    dispatched: Any = dispatch_model(model, device_map=device_map(model, free))
    meet_at_input(dispatched)
    return dispatched


def meet_at_input(model: Any) -> None:
    """Let the output layer be given what it reads on the device of the inputs.

    Whoever asks a model for the logits of some tokens only selects them there (``methods.common.forward``),
    before the layer's own device is looked at.
    """
    device = model.get_input_embeddings().weight.device

    def move(_: nn.Module, args: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return (args[0].to(device), *args[1:])

    model.get_output_embeddings().register_forward_pre_hook(move)


def device_map(model: Any, free: Sequence[int]) -> dict[str, Any]:
    """The GPU of each part of a model, by number, so that all hold about the same and no layer is cut.

    Args:
        model: Whose weights are anywhere.
        free: Bytes that each GPU has.

    Raises:
        ProblemError: If they do not hold it together.
    """
    from accelerate import infer_auto_device_map
    from accelerate.utils import get_balanced_memory

    whole = sorted({type(layer).__name__ for layer in layers_of(model)})
    memory = dict(enumerate(free))
    shares = get_balanced_memory(model, max_memory=memory, no_split_module_classes=whole)
    found: dict[str, Any] = infer_auto_device_map(model, max_memory=shares, no_split_module_classes=whole)
    if set(found.values()) - memory.keys():
        raise ProblemError(
            f"The model does not fit on {len(free)} GPUs, of which {sum(free) / 1e9:.1f} GB are free",
            where="answering",
            fix="Let the trial have more GPUs: gpus=N.",
        )
    return found


def _free(device: str) -> int:
    free: int = torch.cuda.mem_get_info(device)[0]
    return free
