"""A negative control of what carries over to text that was not trained on. No real task imports this."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING

from methods.sparsity.sabotage import FixedNeurons
from methods.sparsity.text_task import TextTask

if TYPE_CHECKING:
    from torch import nn

    from harness.method import Context
    from methods.sparsity.counting import Counts


@dataclass(frozen=True)
class FixedOnTest(TextTask):
    """On test text the first half of each block's neurons always fires and the other half never does.

    Training is as it is; which neurons fire there is a fixed choice, as if nothing of it carried over.
    """

    def counts(self, model: nn.Module, which: str, ctx: Context) -> Counts:
        """Active neurons, on test text those of a copy of the model with fixed ones."""
        return super().counts(fixed(model) if which == "test" else model, which, ctx)


def fixed(model: nn.Module) -> nn.Module:
    """A copy of a model of ours with :class:`~methods.sparsity.sabotage.FixedNeurons`."""
    from methods.sparsity.mlp import blocks_of

    copied = deepcopy(model)
    for block in blocks_of(copied).values():
        block.activation = FixedNeurons()
    return copied
