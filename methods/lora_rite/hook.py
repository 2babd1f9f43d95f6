"""Which optimizer a method trains with: a hook for any, and those of this package by name.

An optimizer of one's own joins an experiment as a method with this hook, beside the paper's::

    class MyRegression(BaseFitLinear):
        def optimizer_for(self, pairs: list[Pair], rate: float) -> Optimizer:
            return MyOptimizer([factor for pair in pairs for factor in (pair.a, pair.b)], lr=rate)

``BaseFineTune``, ``BaseDescend``, ``BaseFollow``, ``BaseTakeSteps`` and ``BaseTrain`` are the same for the
other experiments; ``examples/own_optimizer`` is a whole package.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.method import param

if TYPE_CHECKING:
    from torch.optim import Optimizer

    from methods.lora_rite.pairs import Pair


class OptimizerHook(ABC):
    """A method that trains LoRA pairs with an optimizer that a subclass chooses."""

    @abstractmethod
    def optimizer_for(self, pairs: list[Pair], rate: float) -> Optimizer:
        """A new optimizer for one training.

        Args:
            pairs: What to train: the factors ``pair.a`` and ``pair.b``, trainable tensors with gradients in
                ``grad``; ``pair.axes`` says which axis of each is the rank.
            rate: Largest learning rate. A schedule, if there is one, scales ``lr`` of all parameter groups.
        """

    def opened(self, pairs: list[Pair], rate: float) -> Optimizer:
        """The optimizer as methods use it: with float32 arithmetic.

        Raises:
            ProblemError: As :func:`methods.common.master_weights.in_float32`.
        """
        from methods.common.master_weights import in_float32

        optimizer: Optimizer = in_float32(self.optimizer_for(pairs, rate))
        return optimizer


@dataclass(frozen=True)
class NamedOptimizer(OptimizerHook):
    """Uses one of :data:`methods.lora_rite.optimizers.MAKERS`."""

    optimizer: str = param("rite", source="card, section 3.3", doc="which optimizer")

    def optimizer_for(self, pairs: list[Pair], rate: float) -> Optimizer:
        """The optimizer of that name."""
        from methods.lora_rite.optimizers import make_optimizer

        return make_optimizer(self.optimizer, pairs, rate)
