"""What is trained, what a training returns, and how both are scored.

One training answers many questions: how sparse each layer is on training and on test data, before,
during and after training; how often each neuron fires; how right and how sure the model is.
"""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.method import Context, Scores, Task, param
from methods.sparsity.activation import Activation
from methods.sparsity.scoring import gap_row, layer_rows, neuron_rows

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from methods.sparsity.counting import Counts


class Training(ABC):
    """Something to train on.

    Attributes:
        steps: Updates.
        warmup: Updates of linear warm-up.
        accumulate: Batches of an update.
        looks: Updates after which the model is looked at.
    """

    steps: int
    warmup: int
    accumulate: int
    looks: tuple[int, ...]

    @abstractmethod
    def model(self, activation: Activation, d_ff: int, generator: torch.Generator) -> nn.Module:
        """An untrained model.

        Args:
            activation: What its MLP blocks do.
            d_ff: Their neurons; 0 takes the problem's own number.
            generator: Draws the weights.
        """

    @abstractmethod
    def batches(self, generator: torch.Generator, device: str) -> Iterator[Any]:
        """Batches on a device without end, in an order that the generator draws."""

    def batches_after(self, done: int, generator: torch.Generator, device: str) -> Iterator[Any]:
        """Those of :meth:`batches` without the first ``done``."""
        batches = self.batches(generator, device)
        return itertools.islice(batches, done, None) if done else batches

    @abstractmethod
    def loss(self, model: nn.Module, batch: Any) -> Tensor:
        """The mean cross-entropy of a batch in nats."""


@dataclass
class Trained:
    """A model in training or after it.

    Attributes:
        model: The model, in evaluation mode.
        done: Whether training is over.
    """

    model: nn.Module
    done: bool = False


class TrainingTask(Task[Training, Trained]):
    """Counts active neurons during training, and scores the model after it."""

    def evaluate(self, result: Trained, ctx: Context) -> Scores:
        """Rows on the model.

        - ``train``: one row a layer, on training data, which is all that curves and claims ask of a model
          in training;
        - after training also ``test``, the same on test data, ``neurons`` (firing rates of the first layer
          on test data), ``gap`` (the largest difference of a layer between both sets) and what
          :meth:`answers` adds;
        - in tuning ``validation`` only.
        """
        if ctx.stage == "tune":
            return Scores({"validation": self.validation(result.model, ctx)})
        train = self.counts(result.model, "train", ctx)
        parts: dict[str, Any] = {"train": layer_rows(train)}
        if result.done:
            test = self.counts(result.model, "test", ctx)
            parts["test"] = layer_rows(test)
            parts["neurons"] = neuron_rows(test.layers[0])
            parts["gap"] = gap_row(train, test)
            parts |= self.answers(result.model, ctx)
        return Scores(parts)

    @abstractmethod
    def counts(self, model: nn.Module, which: str, ctx: Context) -> Counts:
        """Active neurons on ``"train"`` or ``"test"`` data."""

    @abstractmethod
    def validation(self, model: nn.Module, ctx: Context) -> dict[str, Any]:
        """Rows with column ``loss`` on validation data."""

    @abstractmethod
    def answers(self, model: nn.Module, ctx: Context) -> dict[str, dict[str, Any]]:
        """Further parts on a trained model."""


def looks(steps: int, *, curve: bool = True) -> tuple[int, ...]:
    """Steps at which to look: 0, then each time four times as many, from 1/128 of the training on.

    Curves are drawn over a logarithmic axis, since most happens early.

    Args:
        steps: Of the training.
        curve: Whether a curve is drawn; the start alone without.
    """
    if not curve:
        return (0,)
    found, at = {0}, max(1, steps // 128)
    while at < steps:
        found.add(at)
        at *= 4
    return tuple(sorted(found))


def counted(model: nn.Module, passes: Iterable[tuple[Any, ...]]) -> Counts:
    """Counts over forward passes, given by their arguments."""
    import torch

    from methods.sparsity.counting import ActivationCounter

    with torch.inference_mode(), ActivationCounter(model) as counter:
        for arguments in passes:
            model(*arguments)
    return counter.take()


STEPS = param(800, source="card, section 9", doc="updates")
WARMUP = param(100, source="card, section 9", doc="updates of warm-up")
