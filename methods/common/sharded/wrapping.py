"""A model's weights in parts, one for each process, and its layers computed again where that is asked for."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import nn
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard

from methods.common.placing import recomputed


def layers_of(model: nn.Module) -> list[Any]:
    """The layers that are gathered one by one: those of ``transformers``, or of any list of modules."""
    from transformers.modeling_layers import GradientCheckpointingLayer

    found = [module for module in model.modules() if isinstance(module, GradientCheckpointingLayer)]
    lists = (module for module in model.modules() if isinstance(module, nn.ModuleList))
    return found or [layer for layers in lists for layer in layers if any(True for _ in layer.parameters())]


def shard(model: nn.Module, mesh: DeviceMesh, compute: str) -> None:
    """Divide all weights among the processes of a mesh, in place.

    Args:
        model: On the CPU or on this process's device.
        mesh: Of one dimension.
        compute: As of :class:`methods.common.sharded.work.Work`; gradients are always summed in float32.
    """
    dtype = None if compute == "stored" else getattr(torch, compute)
    policy = MixedPrecisionPolicy(param_dtype=dtype, reduce_dtype=torch.float32)
    for layer in layers_of(model):
        fully_shard(layer, mesh=mesh, mp_policy=policy)
    fully_shard(model, mesh=mesh, mp_policy=policy)


def recomputing(model: nn.Module) -> AbstractContextManager[None]:
    """Gradient checkpointing in all layers of a model of ``transformers``; see ``methods.common.placing``.

    Layers of other models are small, and stay as they are.
    """
    return recomputed(layer for layer in layers_of(model) if hasattr(layer, "gradient_checkpointing"))
