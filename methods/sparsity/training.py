"""Training models from scratch: AdamW or SGD, warm-up and cosine decay."""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from itertools import count, islice
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR

from harness.method import Checkpoints, ProblemError
from methods.common.loop import Loop
from methods.sparsity.mlp import Streams

BatchT = TypeVar("BatchT")


@dataclass(frozen=True)
class Recipe:
    """How long and how to train.

    Attributes:
        optimizer: ``"adamw"`` (betas .9 and .999, no weight decay) or ``"sgd"`` (momentum .9).
        rate: Largest learning rate.
        steps: Updates.
        warmup: Updates of linear warm-up; cosine decay to zero follows.
        accumulate: Batches of an update.
        autocast: Whether to compute in bfloat16 where that is safe; weights stay float32.
    """

    optimizer: str
    rate: float
    steps: int
    warmup: int
    accumulate: int = 1
    autocast: bool = False

    def factor(self, step: int) -> float:
        """Factor on the rate in update ``step``, counted from 0."""
        if step < self.warmup:
            return (step + 1) / self.warmup
        share = (step - self.warmup) / max(1, self.steps - self.warmup)
        return 0.5 * (1.0 + math.cos(math.pi * share))


def train(
    model: nn.Module,
    batches: Callable[[int], Iterator[BatchT]],
    loss: Callable[[nn.Module, BatchT], Tensor],
    recipe: Recipe,
    *,
    watch: Callable[[int], None],
    looks: Container[int],
    progress: Callable[[float, str], None],
    checkpoints: Checkpoints | None = None,
) -> None:
    """Train; the model is left in evaluation mode.

    Args:
        model: Changed in place.
        batches: From a number of batches to those that follow, without end; asked once, for those
            after 0, where they have ``state_dict`` and ``load_state_dict``.
        loss: From model and batch to the mean loss.
        recipe: How.
        watch: Called with the number of updates done, before the first and after each of ``looks``.
        looks: Numbers of updates.
        progress: Called now and then with the share done and the loss.
        checkpoints: Where the state is kept.

    Raises:
        DivergedError: If the loss is not finite.
    """
    first = batches(0)
    state = {"batches": first} if hasattr(first, "state_dict") else {}

    def updates(done: int) -> Iterator[Iterator[BatchT]]:
        rest = batches(done * recipe.accumulate) if done and not state else first
        return (islice(rest, recipe.accumulate) for _ in count())

    def look(step: int) -> None:
        if step in looks:
            model.eval()
            watch(step)
            model.train()

    model.train()
    Loop(
        make_optimizer(recipe, model),
        updates,
        lambda update: _losses(model, loss, update, recipe),
        recipe.steps,
        schedule=partial(LambdaLR, lr_lambda=recipe.factor),
        watch=look,
        progress=progress,
        checkpoints=checkpoints,
        also={"streams": Streams(model), **state},
        where=lambda _batch: f"{recipe.optimizer}, rate {recipe.rate:g}",
        every=20,
    ).run()
    model.eval()


def _losses(
    model: nn.Module,
    loss: Callable[[nn.Module, BatchT], Tensor],
    update: Iterator[BatchT],
    recipe: Recipe,
) -> Iterator[Tensor]:
    """The summands of an update's loss."""
    for batch in update:
        with _precision(recipe, model):
            found = loss(model, batch) / recipe.accumulate
        yield found


def make_optimizer(recipe: Recipe, model: nn.Module) -> Any:
    """The optimizer that a recipe names.

    Raises:
        ProblemError: If it is unknown.
    """
    parameters = list(model.parameters())
    if recipe.optimizer == "adamw":
        return torch.optim.AdamW(parameters, lr=recipe.rate, weight_decay=0.0, fused=True)
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(parameters, lr=recipe.rate, momentum=0.9, fused=True)
    raise ProblemError(
        f"There is no optimizer '{recipe.optimizer}'", where="Train.optimizer", fix="Use 'adamw' or 'sgd'."
    )


def _precision(recipe: Recipe, model: nn.Module) -> Any:
    if not recipe.autocast:
        return nullcontext()
    device = next(model.parameters()).device.type
    return torch.autocast(device, dtype=torch.bfloat16)
