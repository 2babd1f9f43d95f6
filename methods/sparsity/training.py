"""One small training loop for models from scratch: AdamW or SGD, warm-up and cosine decay."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn

from harness.method import Checkpoints, DivergedError, ProblemError
from methods.common.checkpoints import Keeper, tensors_of
from methods.common.master_weights import in_float32
from methods.sparsity.mlp import Streams

BatchT = TypeVar("BatchT")

_LOOK = 20
"""Updates between two looks at the loss: each makes the processor wait for a GPU."""


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


@dataclass(frozen=True)
class Loop(Generic[BatchT]):
    """A model with what it is trained on.

    Attributes:
        model: Changed in place.
        batches: From a number of batches to those that follow, without end; asked once, for those
            after 0, where they have ``state_dict`` and ``load_state_dict``.
        loss: From model and batch to the mean loss.
        recipe: How.
        watch: Called with the number of updates done, before the first and after each of ``looks``.
        looks: Numbers of updates.
        progress: Called now and then with the share done and the loss.
        checkpoints: Where the state is kept.
    """

    model: nn.Module
    batches: Callable[[int], Iterator[BatchT]]
    loss: Callable[[nn.Module, BatchT], Tensor]
    recipe: Recipe
    watch: Callable[[int], None]
    looks: frozenset[int]
    progress: Callable[[float, str], None]
    checkpoints: Checkpoints | None = None

    def run(self) -> None:
        """Train; the model is left in evaluation mode.

        Raises:
            DivergedError: If the loss is not finite.
        """
        optimizer = make_optimizer(self.recipe, self.model)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, self.recipe.factor)
        self.model.train()
        parts: dict[str, Any] = {
            "weights": tensors_of(self.model),
            "streams": Streams(self.model),
            "optimizer": optimizer,
            "schedule": schedule,
        }
        batches = self.batches(0)
        if has_state := hasattr(batches, "state_dict"):
            parts["batches"] = batches
        keeper = Keeper(self.checkpoints, "training", parts, [self.recipe.steps, self.recipe.rate])
        if keeper.done and not has_state:
            batches = self.batches(keeper.done * self.recipe.accumulate)
        if not keeper.done:
            self._look(0)
        for step in range(keeper.done + 1, self.recipe.steps + 1):
            loss = self._update(optimizer, batches)
            optimizer.step()
            schedule.step()
            if step % _LOOK == 0 or step == self.recipe.steps:
                self._report(step, loss)
            self._look(step)
            keeper.keep(step)
        keeper.finish(self.recipe.steps, without=["optimizer", "schedule"])
        self.model.eval()

    def _update(self, optimizer: torch.optim.Optimizer, batches: Iterator[BatchT]) -> Tensor:
        optimizer.zero_grad(set_to_none=True)
        total: Tensor | None = None
        for _ in range(self.recipe.accumulate):
            batch = next(batches)
            with _precision(self.recipe, self.model):
                loss = self.loss(self.model, batch) / self.recipe.accumulate
            loss.backward()  # type: ignore[no-untyped-call]
            total = loss.detach() if total is None else total + loss.detach()
        assert total is not None
        return total

    def _report(self, step: int, loss: Tensor) -> None:
        value = loss.item()
        if not math.isfinite(value):
            raise DivergedError(
                f"The loss is {value} after {step} updates",
                where=f"{self.recipe.optimizer}, rate {self.recipe.rate:g}",
                fix="Lower the learning rate or warm up longer.",
            )
        self.progress(step / self.recipe.steps, f"loss {value:.3f}")

    def _look(self, step: int) -> None:
        if step in self.looks:
            self.model.eval()
            self.watch(step)
            self.model.train()


def make_optimizer(recipe: Recipe, model: nn.Module) -> Any:
    """The optimizer that a recipe names.

    Raises:
        ProblemError: If it is unknown.
    """
    parameters = list(model.parameters())
    if recipe.optimizer == "adamw":
        return in_float32(torch.optim.AdamW(parameters, lr=recipe.rate, weight_decay=0.0, fused=True))
    if recipe.optimizer == "sgd":
        return in_float32(torch.optim.SGD(parameters, lr=recipe.rate, momentum=0.9, fused=True))
    raise ProblemError(
        f"There is no optimizer '{recipe.optimizer}'", where="Train.optimizer", fix="Use 'adamw' or 'sgd'."
    )


def _precision(recipe: Recipe, model: nn.Module) -> Any:
    if not recipe.autocast:
        return nullcontext()
    device = next(model.parameters()).device.type
    return torch.autocast(device, dtype=torch.bfloat16)
