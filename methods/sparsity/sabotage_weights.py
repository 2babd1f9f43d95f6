"""A negative control of what carries over to text that was not trained on. No real task imports this."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING

from methods.sparsity.text_task import TextTask

if TYPE_CHECKING:
    from torch import nn

    from harness.method import Context
    from methods.sparsity.counting import Counts


@dataclass(frozen=True)
class UnlearntOnTest(TextTask):
    """On test text each first layer has its own trained weights in an order drawn at random.

    Sizes and spread of the weights stay; what training has arranged is gone there, as if nothing of it
    carried over.
    """

    def counts(self, model: nn.Module, which: str, ctx: Context) -> Counts:
        """Active neurons, on test text those of a shuffled copy of the model."""
        return super().counts(shuffled(model, ctx) if which == "test" else model, which, ctx)


def shuffled(model: nn.Module, ctx: Context) -> nn.Module:
    """A copy of a model of ours whose first layers have their weights in random order."""
    import torch

    from methods.sparsity.mlp import blocks_of

    copied = deepcopy(model)
    with torch.no_grad():
        for name, block in blocks_of(copied).items():
            weight = block.up.weight
            order = torch.from_numpy(ctx.rng(f"order of {name}").permutation(weight.numel()))
            weight.copy_(weight.flatten()[order.to(weight.device)].view_as(weight))
    return copied
