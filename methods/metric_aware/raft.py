"""Regression-aware fine-tuning and what it is compared with (card §3.6).

Shapes: n items, d features, h hidden units, V values of the grid. A :class:`Scorer` stands for a
language model: its body gives hidden states, its digit layer the logits of the grid's digits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LinearLR

from harness.method import Checkpoints, ProblemError
from methods.common.draws import fill_normal
from methods.common.loop import Best, Loop, drawn

Objective = Literal["ce", "raft", "learnable", "mbr", "head", "digit-head"]


def read_out(logits: Tensor, values: Tensor) -> Tensor:
    """μ = Σ pᵢ yᵢ with p the softmax of the grid's logits; (n, V) and (V,) to (n,)."""
    return logits.softmax(-1) @ values


def raft_loss(logits: Tensor, values: Tensor, labels: Tensor) -> Tensor:
    """(y − Σ pᵢ yᵢ)² of each item, shape (n,)."""
    return (labels - read_out(logits, values)).square()


def mbr_loss(logits: Tensor, values: Tensor, labels: Tensor) -> Tensor:
    """Σ pᵢ (y − yᵢ)² of each item, shape (n,): the loss of RAFT and the variance of p."""
    return (logits.softmax(-1) * (labels[:, None] - values[None, :]).square()).sum(-1)


def cross_entropy(logits: Tensor, values: Tensor, labels: Tensor) -> Tensor:
    """−log p of the value nearest to the label, shape (n,), in nats."""
    nearest = (labels[:, None] - values[None, :]).abs().argmin(-1)
    return nn.functional.cross_entropy(logits, nearest, reduction="none")


class Scorer(nn.Module):
    """Features to logits of digits, with predictive heads beside them.

    Args:
        features: d.
        values: The grid (V,), ascending.
        hidden: h; 0 makes the body the identity.
        generator: Draws the body's weights. Digit layer and heads start at 0.

    Raises:
        ProblemError: If the grid has fewer than two values.
    """

    def __init__(
        self, features: int, values: Sequence[float], hidden: int, generator: torch.Generator
    ) -> None:
        super().__init__()
        if len(values) < 2:
            raise ProblemError(
                f"The grid {list(values)} leaves nothing to choose",
                where="Scorer",
                fix="Give at least two values.",
            )
        self.body: nn.Module = nn.Identity()
        width = hidden or features
        if hidden:
            inner = nn.Linear(features, hidden)
            with torch.no_grad():
                fill_normal(inner.weight, 0.0, features**-0.5, generator)
                fill_normal(inner.bias, 0.0, 0.5, generator)
            self.body = nn.Sequential(inner, nn.Tanh())
        self.digits = _zero(nn.Linear(width, len(values)))
        self.head = _zero(nn.Linear(width, 1))
        inside = nn.Linear(len(values), 16)
        with torch.no_grad():
            fill_normal(inside.weight, 0.0, len(values) ** -0.5, generator)
            inside.bias.zero_()
        self.digit_head = nn.Sequential(inside, nn.Sigmoid(), _zero(nn.Linear(16, 1)))
        self.register_buffer("grid", torch.tensor(list(values)))
        self.weights = nn.Parameter(torch.tensor(list(values)))
        self.grid: Tensor

    def logits(self, features: Tensor) -> Tensor:
        """Of the grid's digits, shape (n, V)."""
        found: Tensor = self.digits(self.body(features))
        return found

    def answer(self, features: Tensor, objective: Objective) -> Tensor:
        """The prediction that belongs to an objective, shape (n,)."""
        if objective == "head":
            found: Tensor = self.head(self.body(features))
            return found[:, 0]
        if objective == "digit-head":
            found = self.digit_head(self.logits(features))
            return found[:, 0]
        return read_out(self.logits(features), self.weights if objective == "learnable" else self.grid)

    def loss(self, features: Tensor, labels: Tensor, objective: Objective) -> Tensor:
        """Mean loss of a batch."""
        if objective in ("ce", "mbr"):
            loss = cross_entropy if objective == "ce" else mbr_loss
            return loss(self.logits(features), self.grid, labels).mean()
        return (labels - self.answer(features, objective)).square().mean()

    def start_heads(self, labels: Tensor) -> None:
        """Let the predictive heads begin at the mean label, as the digits do at the middle of the grid."""
        with torch.no_grad():
            self.head.bias.fill_(labels.mean())
            last = self.digit_head[-1]
            assert isinstance(last, nn.Linear)
            last.bias.fill_(labels.mean())


def _zero(layer: nn.Linear) -> nn.Linear:
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


@dataclass(frozen=True)
class Recipe:
    """How to train: Adam over all items at once, linear decay, the best step on validation data.

    Attributes:
        objective: What is minimised.
        rate: Largest learning rate.
        steps: Updates.
        every: Updates between two looks at the validation data.
        early: Whether the best look is kept, or the last.
    """

    objective: Objective
    rate: float
    steps: int
    every: int = 10
    early: bool = True


Split = tuple[Tensor, Tensor]
"""Features (n, d) and labels (n,)."""


def fine_tune(
    model: Scorer,
    train: Split,
    valid: Split,
    recipe: Recipe,
    watch: Callable[[int, Scorer], None] = lambda _step, _model: None,
    *,
    checkpoints: Checkpoints | None = None,
) -> float:
    """Train in place.

    Args:
        model: The scorer; the best on validation data is what is left.
        train: To learn from.
        valid: To stop by: the squared error of the objective's own prediction.
        recipe: How.
        watch: Called at each look.
        checkpoints: Where the state is kept.

    Returns:
        The root mean squared error on the validation data.

    Raises:
        DivergedError: If the loss is not finite.
    """
    best = Best(model.parameters())

    def look(step: int) -> None:
        if step % recipe.every and step != recipe.steps:
            return
        if recipe.early:
            best.offer(-_error(model, valid, recipe.objective))
        if step:
            watch(step, model)
        if recipe.early and step == recipe.steps:
            best.put_back()

    Loop(
        torch.optim.Adam(model.parameters(), lr=recipe.rate),
        drawn(lambda: train),
        lambda batch: model.loss(*batch, recipe.objective),
        recipe.steps,
        schedule=partial(LinearLR, start_factor=1.0, end_factor=0.05, total_iters=recipe.steps),
        watch=look,
        checkpoints=checkpoints,
        name=f"fine-tuning on {recipe.objective}",
        also={"best": best},
    ).run()
    return _error(model, valid, recipe.objective)


def _error(model: Scorer, split: Split, objective: Objective) -> float:
    with torch.no_grad():
        return float((split[1] - model.answer(split[0], objective)).square().mean().sqrt())
