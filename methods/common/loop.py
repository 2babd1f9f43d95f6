"""The loop of every training: a batch, its gradient, an update.

What differs between trainings is handed in: batches, loss, optimizer, schedule. The loop clips, computes
updates in float32, ends a trial whose loss is not finite, keeps checkpoints and goes on from them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import count, islice
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor

from harness.method import Checkpoints, DivergedError
from methods.common import master_weights
from methods.common.checkpoints import Keeper
from methods.common.master_weights import MasterWeights, in_float32

BatchT = TypeVar("BatchT")

_REPORT = 20
"""Updates between two reports of progress."""


class Optimizer(Protocol):
    """What the loop asks of an optimizer; every ``torch.optim.Optimizer`` has it."""

    param_groups: list[dict[str, Any]]

    def step(self) -> Any:
        """Change the parameters by their gradients."""

    def zero_grad(self) -> None:
        """Forget the gradients."""

    def state_dict(self) -> dict[str, Any]:
        """All state, parameters excluded."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up the state again."""


class Schedule(Protocol):
    """What the loop asks of a schedule; those of ``torch.optim.lr_scheduler`` have it."""

    def step(self) -> Any:
        """Set the rates for the next update."""

    def state_dict(self) -> dict[str, Any]:
        """All state, the optimizer's excluded."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up the state again."""


class Rates:
    """Each group's own rate times a factor.

    Args:
        optimizer: At its full rates.
        factor: Of an update, counted from 0; also asked for the update after the last.
    """

    def __init__(self, optimizer: Optimizer, factor: Callable[[int], float]) -> None:
        self._optimizer, self._factor, self._update = optimizer, factor, 0
        self._full = full_rates(optimizer)
        self._set()

    def step(self) -> None:
        """Set the rates for the next update."""
        self._update += 1
        self._set()

    def state_dict(self) -> dict[str, Any]:
        """Which update comes next."""
        return {"update": self._update}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up a state of :meth:`state_dict`."""
        self._update = state_dict["update"]
        self._set()

    def _set(self) -> None:
        for group, rate in zip(self._optimizer.param_groups, self._full, strict=True):
            group["lr"] = rate * self._factor(self._update)


def one_cycle(rate: float, steps: int, warmup: int) -> Callable[[Any], Schedule]:
    """Warm-up and cosine decay of the rate, and of Adam's momentum the other way round (``OneCycleLR``).

    Args:
        rate: The largest.
        steps: Updates.
        warmup: Updates of warm-up; half of all at most.
    """
    share = min(0.5, warmup / steps)
    return lambda optimizer: torch.optim.lr_scheduler.OneCycleLR(
        optimizer, rate, total_steps=steps, pct_start=share
    )


class Best:
    """The weights of the best score so far, as a part of a checkpoint.

    Args:
        weights: To keep and put back; without any only the score is known.

    Attributes:
        score: The best one, the earliest of equals; None before the first.
    """

    def __init__(self, weights: Iterable[Tensor]) -> None:
        self.score: float | None = None
        self._weights = list(weights)
        self._kept: list[Tensor] = []

    def offer(self, score: float) -> bool:
        """Keep the weights as they are now if the score is the best, higher being better."""
        if self.score is not None and not score > self.score:
            return False
        self.score = score
        # On the host: a second copy of a large model does not fit beside the first.
        self._kept = [weight.detach().to("cpu", copy=True) for weight in self._weights]
        return True

    @torch.no_grad()
    def put_back(self) -> None:
        """Give the weights the values that were kept, and forget those."""
        for weight, kept in zip(self._weights, self._kept, strict=True):
            weight.copy_(kept)
        self._kept = []

    def state_dict(self) -> dict[str, Any]:
        """Score and weights."""
        return {"score": self.score, "kept": self._kept}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up a state of :meth:`state_dict`."""
        self.score, self._kept = state_dict["score"], state_dict["kept"]


class _Losses:
    """The loss of each update, read from the device when it is asked for."""

    def __init__(self) -> None:
        self.values: list[float] = []
        self._unread: list[list[Tensor]] = []

    def note(self, parts: list[Tensor]) -> None:
        """Add an update's loss, in the parts that its passes gave."""
        self._unread.append(parts)

    def read(self, where: str = "") -> None:
        """Read what was noted.

        Raises:
            DivergedError: If one is not finite.
        """
        unread, self._unread = self._unread, []
        for parts in unread:
            self.values.append(finite(sum(part.item() for part in parts), len(self.values) + 1, where))

    def state_dict(self) -> list[float]:
        """All losses so far."""
        self.read()
        return self.values

    def load_state_dict(self, state: list[float]) -> None:
        """Take up a state of :meth:`state_dict`."""
        self.values = list(state)


def descend(
    optimizer: Any,
    batches: Callable[[int], Iterator[BatchT]],
    loss: Callable[[BatchT], Tensor | Iterable[Tensor]],
    steps: int,
    *,
    weights: Sequence[Tensor] = (),
    schedule: Callable[[Any], Schedule] = lambda optimizer: Rates(optimizer, lambda _update: 1.0),
    clip: float = 0.0,
    watch: Callable[[int], None] = lambda _done: None,
    stop: Callable[[], bool] = lambda: False,
    progress: Callable[[float, str], None] = lambda _done, _message: None,
    checkpoints: Checkpoints | None = None,
    name: str = "training",
    also: Mapping[str, Any] | None = None,
    where: Callable[[BatchT], str] = lambda _batch: "",
    every: int = 1,
) -> list[float]:
    """Take the steps of an optimizer on batches. Modes (dropout) are the caller's.

    A killed training that is called again with the same arguments goes on exactly as if it had not stopped.

    Args:
        optimizer: Over the parameters to be trained, at its full rate; bfloat16 ones get float32 copies.
        batches: From the number of updates done to the batches that follow; see :func:`drawn`, and
            :func:`methods.common.checkpoints.skipped`.
        loss: Of a batch; or its summands, one after the other, each of them a pass of its own.
        steps: Updates.
        weights: What checkpoints hold: the optimizer's parameters where nothing else is given.
        schedule: From the optimizer (the one with float32 copies) to what sets its rates.
        clip: Largest global norm of the gradient; 0 switches clipping off.
        watch: Called with the number of updates done, before the first and after each.
        stop: Asked before each update whether training is over.
        progress: Called now and then with the share done and the loss.
        checkpoints: Where the state is kept.
        name: Of this training, for its checkpoints and errors.
        also: What else changes, for checkpoints, such as the generator that draws the batches.
        where: Says in the error which batch gave a loss that is not finite.
        every: Updates between two looks at the loss, at most 20: each makes the processor wait for a GPU.

    Returns:
        The loss of each update, before it.

    Raises:
        DivergedError: If a loss is not finite.
    """
    optimizer = in_float32(optimizer)
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    full, rates, losses = full_rates(optimizer), schedule(optimizer), _Losses()
    parts = {"weights": weights or parameters, "optimizer": optimizer, "schedule": rates, "losses": losses}
    keeper = Keeper(checkpoints, name, {**parts, **(also or {})}, [full, steps])
    rest = batches(keeper.done)
    if keeper.finished:
        return losses.values
    if not keeper.done:
        watch(0)
    done = keeper.done
    while done < steps and not stop():
        batch = next(rest)
        optimizer.zero_grad()
        losses.note(_gradients(optimizer, loss(batch)))
        done += 1
        if done % every == 0 or done % _REPORT == 0 or done == steps:
            losses.read(where(batch) or name)
        if clip:
            master_weights.clip(optimizer, parameters, clip)
        optimizer.step()
        rates.step()
        watch(done)
        keeper.keep(done)
        if done % _REPORT == 0 or done == steps:
            progress(done / steps, f"loss {losses.values[-1]:.3f}")
    losses.read(name)
    keeper.finish(done, without=["optimizer", "schedule"])
    return losses.values


def _gradients(optimizer: Optimizer, loss: Tensor | Iterable[Tensor]) -> list[Tensor]:
    """Gradients of a loss whose parts are computed one after the other.

    Returns:
        The parts, without their graphs.
    """
    found: list[Tensor] = []
    for part in [loss] if isinstance(loss, Tensor) else loss:
        if found and isinstance(optimizer, MasterWeights):
            optimizer.collect()
        part.backward()  # type: ignore[no-untyped-call]
        found.append(part.detach())
    if len(found) > 1 and isinstance(optimizer, MasterWeights):
        optimizer.collect()
    return found


def drawn(draw: Callable[[], BatchT]) -> Callable[[int], Iterator[BatchT]]:
    """Batches that are drawn one by one, for :func:`descend`; their generator is a part of ``also``."""
    return lambda _done: (draw() for _ in count())


def grouped(items: Iterator[BatchT], size: int) -> Iterator[list[BatchT]]:
    """Items in lists of ``size``, the last one shorter."""
    while group := list(islice(items, size)):
        yield group


def finite(loss: float, step: int, where: str = "") -> float:
    """The loss, if it is a finite number.

    Args:
        loss: Of an update.
        step: The update, counted from 1.
        where: Goes into the error.

    Raises:
        DivergedError: If it is not.
    """
    if math.isfinite(loss):
        return loss
    raise DivergedError(
        f"The loss of step {step} is not finite",
        where=where,
        fix="Lower the learning rate, warm up longer, or clip the gradient.",
    )


def full_rates(optimizer: Optimizer) -> list[float]:
    """The rate of each group."""
    return [float(group["lr"]) for group in optimizer.param_groups]


def last_tenth(losses: Sequence[float]) -> float:
    """Mean loss of the last tenth of the updates."""
    tail = losses[-max(1, len(losses) // 10) :]
    return sum(tail) / len(tail)
