"""Adapting a language model: the problem, what a method returns, what is seen of the factors on the way."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.method import Context

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from methods.common.examples import Example
    from methods.common.training import Recipe
    from methods.lora_rite.pairs import Pair


@dataclass(frozen=True)
class Adaptation:
    """A model to adapt.

    Attributes:
        model: Gives a fresh copy of the base model.
        train: Training examples.
        pad: Id to fill rows with.
        recipe: How long to train; watched each ``recipe.every`` steps.
        roles: Of the layers that get adapters, as in ``methods.common.lora``.
        loss: Another loss than that of target tokens, or ``None``.
        folder: Where the base model lies, for processes that share it; ``None`` if it is for one device.
    """

    model: Callable[[], Any]
    train: list[Example]
    pad: int
    recipe: Recipe
    roles: tuple[str, ...]
    loss: Any = None
    folder: Path | None = None


@dataclass
class Adapted:
    """A model in training or after it.

    Attributes:
        model: With its adapters, once training is over.
        done: Whether training is over.
        moved: ‖δA Bᵀ‖ and ‖A δBᵀ‖ since it was last watched, over all pairs.
        growth: ‖A − A₀‖/‖A₀‖ and ‖B‖/‖A₀‖, over all pairs.
    """

    model: Any
    done: bool = False
    moved: tuple[float, float] = (0.0, 0.0)
    growth: tuple[float, float] = (0.0, 0.0)


@dataclass
class Watch:
    """Follows the factors during training."""

    ctx: Context
    start: list[tuple[Tensor, Tensor]] = field(default_factory=list)
    last: list[tuple[Tensor, Tensor]] = field(default_factory=list)

    def look(self, step: int, pairs: list[Pair]) -> None:
        """Tell how far the factors have come since the last look."""
        from methods.lora_rite.pairs import contributions

        now = [(p.a.detach().clone(), p.b.detach().clone()) for p in pairs]
        self._follow(pairs[0].a.device)
        if not self.start:
            self.start = now
        else:
            size = _norm([a for a, _ in self.start])
            grown = _norm([x - y for (x, _), (y, _) in zip(now, self.start, strict=True)])
            growth = (grown / size, _norm([b for _, b in now]) / size)
            if _norm([b for _, b in self.last]) > 0:
                moved = contributions(pairs, self.last)
                self.ctx.probe(step, Adapted(None, moved=moved, growth=growth))
        self.last = now

    def _follow(self, device: torch.device) -> None:
        """Bring what was seen to the factors: a checkpoint gives it back on the host."""
        self.start, self.last = (
            [(a.to(device), b.to(device)) for a, b in seen] for seen in (self.start, self.last)
        )

    def state_dict(self) -> dict[str, Any]:
        """What was seen at the start and last, for checkpoints."""
        return {"start": self.start, "last": self.last}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up a state of :meth:`state_dict`."""
        self.start, self.last = state["start"], state["last"]


def _norm(tensors: list[Tensor]) -> float:
    return math.sqrt(sum(float(tensor.square().sum()) for tensor in tensors))
