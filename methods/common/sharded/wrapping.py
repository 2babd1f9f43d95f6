"""A model's weights in parts, one for each process, and its layers computed again where that is asked for."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard

from methods.common.examples import Batch
from methods.common.placing import recomputed
from methods.common.training import Loss


class Asked(nn.Module):
    """A model under a loss, as one module.

    Weights are gathered while their module's ``forward`` runs. A loss with a soft prompt looks up embeddings
    before it calls the model, and these are the model's own weights: so gathering begins with the loss.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, loss: Loss, batch: Batch, smoothing: float) -> Tensor:
        """The loss of a batch."""
        return loss(self.model, batch, smoothing)


def layers_of(model: nn.Module) -> list[Any]:
    """The layers that are gathered one by one: those of ``transformers``, or of any list of modules."""
    from transformers.modeling_layers import GradientCheckpointingLayer

    found = [module for module in model.modules() if isinstance(module, GradientCheckpointingLayer)]
    lists = (module for module in model.modules() if isinstance(module, nn.ModuleList))
    return found or [layer for layers in lists for layer in layers if any(True for _ in layer.parameters())]


def shard(model: nn.Module, mesh: DeviceMesh, compute: str, whole: Collection[nn.Parameter] = ()) -> Asked:
    """Divide weights among the processes of a mesh, in place; returns what computes losses with them.

    Args:
        model: On the CPU or on this process's device.
        mesh: Of one dimension.
        whole: Weights that every process keeps as a whole; their gradients are nobody's business here.
        compute: As of :class:`methods.common.sharded.work.Work`; gradients are always summed in float32.
    """
    dtype = None if compute == "stored" else getattr(torch, compute)
    policy = MixedPrecisionPolicy(param_dtype=dtype, reduce_dtype=torch.float32)
    asked, left = Asked(model), set(whole)
    for module in (*layers_of(model), asked):
        fully_shard(module, mesh=mesh, mp_policy=policy, ignored_params=left)
    return asked


def recomputing(model: nn.Module) -> AbstractContextManager[None]:
    """Gradient checkpointing in all layers of a model of ``transformers``; see ``methods.common.placing``.

    Layers of other models are small, and stay as they are.
    """
    return recomputed(layer for layer in layers_of(model) if hasattr(layer, "gradient_checkpointing"))
