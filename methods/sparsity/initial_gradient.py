"""The theorem on the gradient at initialisation, checked case by case (C13)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from harness.method import Context, Method, Scores, Task, mean_of, param
from methods.sparsity.method import LI

if TYPE_CHECKING:
    from torch import Tensor

CLOSENESS = mean_of("error", better="lower", name="largest deviation in standard errors", digits=2)

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

        The error is how far a mean lies off its expectation or, at an active neuron, below zero, in
        standard errors. Expectations are positive closed forms: that of the squared loss, and for
        cross-entropy Stein's lemma with an integral over many draws.
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
    """How far the means are off their closed forms, or below zero, in standard errors."""
    from methods.sparsity.gradient import cross_entropy, squared_loss

    case, outputs = slopes.case, len(slopes.case.target)
    if slopes.loss == "squared":
        wanted = squared_loss(case.p, sigma=case.sigma, outputs=outputs)
    else:
        rng = ctx.rng(f"oracle {case.name}")
        wanted = cross_entropy(case.p, sigma=case.sigma, outputs=outputs, draws=200_000, rng=rng).mean
    # Inactive neurons have no gradient in any draw: there any deviation is an error.
    error = np.where(case.p > 0, slopes.error, 1e-12)
    off = np.abs(slopes.mean - wanted) / error
    below = np.where(case.p > 0, -slopes.mean / error, 0.0)
    return float(np.maximum(off, below).max())


def _least(slopes: Slopes) -> float:
    """The smallest mean over active neurons, in units of σ² p."""
    active = slopes.case.p > 0
    if not active.any():
        return float("nan")
    return float((slopes.mean[active] / (slopes.case.sigma**2 * slopes.case.p[active])).min())


@dataclass(frozen=True)
class DrawSlopes(Method[Starts, "list[Slopes]"]):
    """Gradients by automatic differentiation, over draws of the last layer."""

    problem_type: ClassVar[type] = Starts
    cites: ClassVar[str] = LI

    draws: int = param(20_000, source="ours", doc="last layers drawn for a case")

    def run(self, problem: Starts, ctx: Context) -> list[Slopes]:
        """Both losses of each case."""
        return [self._slopes(case, loss, ctx) for case in problem.cases for loss in LOSSES]

    def last_layers(self, case: Start, rng: np.random.Generator) -> NDArray[np.float64]:
        """V of each draw, shape (draws, C, d_ff)."""
        return rng.normal(scale=case.sigma, size=(self.draws, len(case.target), len(case.p)))

    def _slopes(self, case: Start, loss: Loss, ctx: Context) -> Slopes:
        import torch

        rng = ctx.rng(f"{loss} {case.name}")
        V = self.last_layers(case, rng)
        p = torch.tensor(np.tile(case.p, (self.draws, 1)), requires_grad=True)
        _total_loss(loss, torch.from_numpy(V), p, torch.from_numpy(case.target)).backward()  # type: ignore[no-untyped-call]
        assert p.grad is not None
        found = p.grad.numpy()
        return Slopes(case, loss, found.mean(0), found.std(0, ddof=1) / self.draws**0.5)


def _total_loss(loss: Loss, V: Tensor, p: Tensor, target: Tensor) -> Tensor:
    """The loss summed over draws: V (n, C, d), p (n, d), target (C,)."""
    f = (V @ p.relu().unsqueeze(-1)).squeeze(-1)
    if loss == "squared":
        return 0.5 * (f - target).square().sum()
    return -(f.log_softmax(-1) * target).sum()
