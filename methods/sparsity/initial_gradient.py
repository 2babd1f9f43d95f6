"""The theorem on the gradient at initialisation, checked case by case (C13)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from harness.method import Context, Method, Scores, Task, param
from methods.sparsity.method import LI

if TYPE_CHECKING:
    from torch import Tensor

Loss = Literal["cross-entropy", "squared"]
LOSSES: tuple[Loss, ...] = ("cross-entropy", "squared")
STANDARD_ERRORS = 5.0
"""By how many of its standard errors a mean over draws may miss an expectation."""


@dataclass(frozen=True)
class Start:
    """A last layer before training, up to its random weights.

    Attributes:
        name: Of the case.
        p: Pre-activations, shape (d_ff,).
        target: y, shape (C,); it sums to one.
        sigma: Standard deviation of the entries of V.
    """

    name: str
    p: NDArray[np.float64]
    target: NDArray[np.float64]
    sigma: float


@dataclass(frozen=True)
class Starts:
    """Cases."""

    cases: tuple[Start, ...]


@dataclass(frozen=True)
class Slopes:
    """E_V[∂ℓ/∂p] of one case and loss, estimated over draws of V.

    Attributes:
        case: The case.
        loss: The loss.
        mean: Shape (d_ff,).
        error: Standard errors, shape (d_ff,).
    """

    case: Start
    loss: Loss
    mean: NDArray[np.float64]
    error: NDArray[np.float64]


@dataclass(frozen=True)
class InitialGradientTask(Task[Starts, "list[Slopes]"]):
    """The card's case, and random ones: one-hot, mixed and unusual targets."""

    random: int = param(8, source="ours", doc="random cases a seed")

    def problem(self, ctx: Context) -> Starts:
        """This seed's cases."""
        rng = ctx.rng("cases")
        p = np.array([1.0, 0.5, -0.3, 0.0, 2.0, -1.0])
        cases = [Start("card", p, np.eye(5)[2], 1.0)]
        for number in range(self.random):
            neurons, classes = int(rng.integers(2, 9)), int(rng.integers(2, 9))
            mixed = rng.dirichlet(np.ones(classes))
            # The theorem asks no more of a target than that it sums to one.
            odd = mixed + 0.5 * (np.arange(classes) % 2 - (np.arange(classes) % 2).mean())
            target = (np.eye(classes)[rng.integers(classes)], mixed, odd)[number % 3]
            sigma = float(rng.uniform(0.2, 1.5))
            cases.append(Start(f"random {number}", rng.normal(size=neurons), target, sigma))
        return Starts(tuple(cases))

    def evaluate(self, result: list[Slopes], ctx: Context) -> Scores:
        """One row a case in a part for each loss.

        The error is how far the mean lies below zero at an active neuron, or off zero at another
        one, in standard errors. For the squared loss it is also compared with its closed form,
        for cross-entropy with that of Stein's lemma, in float64.
        """
        parts: dict[str, dict[str, list[Any]]] = {}
        for slopes in result:
            table = parts.setdefault(slopes.loss, {key: [] for key in _COLUMNS})
            error = _violation(slopes, ctx)
            name = slopes.case.name
            values = (name, name, error, STANDARD_ERRORS, error > 2 * STANDARD_ERRORS, _least(slopes))
            for key, value in zip(_COLUMNS, values, strict=True):
                table[key].append(value)
        return Scores(dict(parts))


_COLUMNS = ("unit_id", "case", "error", "tolerance", "confirmed", "least")


def _violation(slopes: Slopes, ctx: Context) -> float:
    """How far the estimates are from the theorem and from the closed forms, in standard errors."""
    from methods.sparsity.gradient import cross_entropy, squared_loss

    case, active = slopes.case, slopes.case.p > 0
    if slopes.loss == "squared":
        wanted = squared_loss(case.p, sigma=case.sigma, outputs=len(case.target))
    else:
        rng = ctx.rng(f"oracle {case.name}")
        wanted = cross_entropy(
            case.p, sigma=case.sigma, outputs=len(case.target), draws=200_000, rng=rng
        ).mean
    error = np.where(slopes.error > 0, slopes.error, 1e-12)
    against = np.abs(slopes.mean - wanted) / error
    # An active neuron must be shown to be pushed down: its mean is to be above its own error.
    below = np.where(active, np.maximum(0.0, STANDARD_ERRORS - slopes.mean / error), 0.0)
    return float(np.maximum(against, STANDARD_ERRORS * np.minimum(below, 3.0)).max())


def _least(slopes: Slopes) -> float:
    """The smallest mean over active neurons, in units of σ² p."""
    active = slopes.case.p > 0
    if not active.any():
        return float("nan")
    return float((slopes.mean[active] / (slopes.case.sigma**2 * slopes.case.p[active])).min())
