"""The loop of every training: a batch, its gradient, an update.

What differs between trainings is handed in: batches, loss, optimizer, schedule. The loop clips, computes
updates in float32, ends a trial whose loss is not finite, keeps checkpoints and goes on from them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor

from harness.method import Checkpoints, DivergedError
from methods.common.checkpoints import Keeper
from methods.common.master_weights import MasterWeights, clip, in_float32

BatchT = TypeVar("BatchT")

_REPORT = 20
"""Updates between two reports of progress."""


@dataclass(frozen=True)
class Loop(Generic[BatchT]):
    """Steps of an optimizer on batches; dropout is on or off as the caller has set it.

    Attributes:
        optimizer: Over the parameters to be trained, at its full rate; bfloat16 ones get float32 copies.
        batches: From the number of updates done to the batches that follow: :func:`drawn`, or a ``partial``
            of :func:`methods.common.checkpoints.skipped`.
        loss: Of a batch; or its summands, one after the other, each of them a pass of its own.
        steps: Updates.
        schedule: From the optimizer (with its float32 copies) to one of ``torch.optim.lr_scheduler``.
        clip: Largest global norm of the gradient; 0 switches clipping off.
        watch: Called with the number of updates done, before the first and after each.
        stop: Asked before each update whether training is over.
        progress: Called now and then with the share done and the loss.
        checkpoints: Where the state is kept.
        name: Of this training, for its checkpoints and errors.
        also: What else changes, for checkpoints, such as the generator that draws the batches.
        where: Says in the error which batch gave a loss that is not finite.
        every: Updates between two looks at the loss: each makes the processor wait for a GPU.
    """

    optimizer: torch.optim.Optimizer
    batches: Callable[[int], Iterator[BatchT]]
    loss: Callable[[BatchT], Tensor | Iterable[Tensor]]
    steps: int
    schedule: Callable[[Any], Any] | None = None
    clip: float = 0.0
    watch: Callable[[int], None] = lambda _done: None
    stop: Callable[[], bool] = lambda: False
    progress: Callable[[float, str], None] = lambda _done, _message: None
    checkpoints: Checkpoints | None = None
    name: str = "training"
    also: Mapping[str, Any] = field(default_factory=dict)
    where: Callable[[BatchT], str] = lambda _batch: ""
    every: int = 1

    def run(self) -> list[float]:
        """Train; one that was killed and is called again goes on exactly as if it had not stopped.

        Returns:
            The loss of each update, before it.

        Raises:
            DivergedError: If a loss is not finite.
        """
        optimizer = in_float32(self.optimizer)
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        plan = [[float(group["lr"]) for group in optimizer.param_groups], self.steps]
        rates = self.schedule(optimizer) if self.schedule else None
        parts = {"weights": parameters, "optimizer": optimizer, **({"rates": rates} if rates else {})}
        keeper = Keeper(self.checkpoints, self.name, {**parts, **self.also}, plan)
        losses: list[float] = keeper.notes.get("losses", [])
        unread: list[list[Tensor]] = []
        rest, done = self.batches(keeper.done), keeper.done
        if not done:
            self.watch(0)
        while not keeper.finished and done < self.steps and not self.stop():
            batch = next(rest)
            optimizer.zero_grad()
            unread.append(_gradients(optimizer, self.loss(batch)))
            done += 1
            if done % self.every == 0 or done == self.steps:
                losses += _read(unread, len(losses), self.where(batch) or self.name)
            if self.clip:
                clip(optimizer, parameters, self.clip)
            optimizer.step()
            if rates:
                rates.step()
            self.watch(done)
            if not unread:
                keeper.keep(done, {"losses": losses})
                if done % _REPORT == 0 or done == self.steps:
                    self.progress(done / self.steps, f"loss {losses[-1]:.3f}")
        # Training that was stopped between two looks has losses that were not read yet.
        losses += _read(unread, len(losses), self.name)
        keeper.finish(done, {"losses": losses}, without=["optimizer", "rates"])
        return losses


def _gradients(optimizer: torch.optim.Optimizer, loss: Tensor | Iterable[Tensor]) -> list[Tensor]:
    """Gradients of a loss whose parts are computed one after the other; returns the parts."""
    found: list[Tensor] = []
    for part in [loss] if isinstance(loss, Tensor) else loss:
        if found and isinstance(optimizer, MasterWeights):
            optimizer.collect()
        part.backward()
        found.append(part.detach())
    if len(found) > 1 and isinstance(optimizer, MasterWeights):
        optimizer.collect()
    return found


def _read(unread: list[list[Tensor]], done: int, where: str) -> list[float]:
    """The losses of the updates after the first ``done``: sums of their parts, which are discarded."""
    losses = [float(sum(part.item() for part in parts)) for parts in unread]
    unread.clear()
    for step, value in enumerate(losses, start=done + 1):
        if not math.isfinite(value):
            raise DivergedError(
                f"The loss of step {step} is not finite",
                where=where,
                fix="Lower the learning rate, warm up longer, or clip the gradient.",
            )
    return losses


def drawn(draw: Callable[[], BatchT]) -> Callable[[int], Iterator[BatchT]]:
    """Batches that are drawn one by one, for :class:`Loop`; their generator is a part of ``also``."""
    return lambda _done: (draw() for _ in count())


def last_tenth(losses: Sequence[float]) -> float:
    """Mean loss of the last tenth of the updates."""
    tail = losses[-max(1, len(losses) // 10) :]
    return sum(tail) / len(tail)


class Best:
    """The weights of the best score so far, as a part of a checkpoint.

    Args:
        weights: To keep and put back.
    """

    def __init__(self, weights: Iterable[Tensor]) -> None:
        self._weights = list(weights)
        self._kept: tuple[float | None, list[Tensor]] = (None, [])

    def offer(self, score: float, *, later: bool = False) -> bool:
        """Keep the weights as they are now if no score was as high before; says whether it did.

        With ``later`` also if one was as high and none higher.
        """
        best = self._kept[0]
        if best is not None and not (score > best or (later and score == best)):
            return False
        # On the host: a second copy of a large model does not fit beside the first. In place: nor a third.
        held = self._kept[1] or [torch.empty_like(weight, device="cpu") for weight in self._weights]
        for kept, weight in zip(held, self._weights, strict=True):
            kept.copy_(weight.detach())
        self._kept = score, held
        return True

    @torch.no_grad()
    def put_back(self) -> None:
        """Give the weights the values that were kept, and forget those."""
        for weight, kept in zip(self._weights, self._kept[1], strict=True):
            weight.copy_(kept)
        self._kept = self._kept[0], []

    def state_dict(self) -> Any:
        """The best score with its weights."""
        return self._kept

    def load_state_dict(self, state: Any) -> None:
        """Take up a state of :meth:`state_dict`."""
        self._kept = state
