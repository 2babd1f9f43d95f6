"""One stage of tuning: how long and how fast, on what, by which optimizer."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from methods.common.examples import Batch, Example
from methods.common.training import Recipe

Loss = Callable[[Any, Batch, float], Tensor]
ATTACHED = "soft_prompts"
"""The attribute of a model under which processes that share it find its prompts."""


@dataclass(frozen=True)
class Stage:
    """How long and how fast one stage trains.

    Attributes:
        rate: Learning rate, constant.
        steps: Updates.
        every: A checkpoint each so many updates.
        batch: Examples an update.
        smoothing: Label smoothing.
        optimizer: Adam, or Adafactor as T5X runs it.
        clip: Largest norm of the gradient; 0 for none.
        keep: Which weights remain: of the best checkpoint on the target's validation set, or the last.
        later: Keep the latest of equally good checkpoints, not the earliest.
        watch_every: A look at the model each so many updates, where ``every`` is too seldom; 0 for ``every``.
        watch_until: The validation score from which on ``every`` will do.
    """

    rate: float
    steps: int
    every: int
    batch: int
    smoothing: float = 0.1
    optimizer: Literal["adam", "adafactor"] = "adam"
    clip: float = 1.0
    keep: Literal["last", "best"] = "best"
    later: bool = False
    watch_every: int = 0
    watch_until: float = math.inf

    def recipe(self) -> Recipe:
        """For :func:`methods.common.training.fit`."""
        return Recipe(
            steps=self.steps,
            batch=self.batch,
            every=self.every,
            smoothing=self.smoothing,
            clip=self.clip,
            keep=self.keep,
            later=self.later,
            watch_every=self.watch_every,
            watch_until=self.watch_until,
            # No checkpoint is better than one without an error on validation data.
            enough=100.0 if self.keep == "best" else None,
        )


@dataclass(frozen=True)
class Training:
    """What one training is about.

    Attributes:
        name: For its random numbers and checkpoints.
        examples: What is learned.
        loss: Of a batch.
        tasks: Targets whose validation scores choose the weights.
        anchor: Strength of the pull back to where the weights start.
        watch: Called with the number of updates.
    """

    name: str
    examples: Sequence[Example]
    loss: Loss
    tasks: Sequence[str]
    anchor: float
    watch: Callable[[int], None] | None


@dataclass(frozen=True)
class Beforehand:
    """Prompts that stage 1 has given before.

    Attributes:
        of: By target task, shape (p, d).
        seed: That drew their data, first values and order.
        length: p.
        stage: How they were tuned.
        shots: Demonstrations in the inputs.
    """

    of: Mapping[str, Tensor]
    seed: int
    length: int
    stage: Stage
    shots: int

    def fits(self, seed: int, length: int, stage: Stage, shots: int) -> bool:
        """Whether a method's stage 1 would be the same in a trial of a seed."""
        return (self.seed, self.length, self.stage, self.shots) == (seed, length, stage, shots)


def new_optimizer(stage: Stage, parameters: Sequence[Mapping[str, Any]]) -> Any:
    """An optimizer of a constant rate; Adafactor with the settings of T5X."""
    groups = [dict(group) for group in parameters]
    if stage.optimizer == "adam":
        return torch.optim.Adam(groups, lr=stage.rate, fused=True)
    from transformers.optimization import Adafactor

    return Adafactor(groups, lr=stage.rate, relative_step=False, scale_parameter=True, warmup_init=False)
