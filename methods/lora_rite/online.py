"""The theory's toys (C11): sums of first-order terms, and average loss from unbalanced factors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from harness.method import Context, Method, Scores, Task, mean_of, param
from methods.lora_rite.citation import YEN
from methods.lora_rite.hook import NamedOptimizer, OptimizerHook

if TYPE_CHECKING:
    from torch import Tensor

EXPONENT = mean_of("exponent", better="lower", name="exponent in T", digits=3)
LOSS = mean_of("loss", better="lower", name="average loss", digits=4, worst=10.0)

Slope = Callable[["Tensor", int], "tuple[float, Tensor]"]
"""From Z and the step to the loss and ∇Z."""


@dataclass(frozen=True)
class World:
    """One stream of losses: factors to start from, and ∇Z at each step."""

    a: Tensor
    b: Tensor
    slope: Slope


@dataclass(frozen=True)
class Online:
    """Independent worlds of so many steps."""

    worlds: tuple[World, ...]
    steps: int


@dataclass(frozen=True)
class Course:
    """What happened in a world: losses, and first-order terms ⟨∇θ_t, θ_t − θ_(t+1)⟩ / η."""

    losses: list[float]
    terms: list[float]


@dataclass(frozen=True)
class BaseFollow(OptimizerHook, Method[Online, "list[Course]"]):
    """One step for each loss, with the optimizer of a subclass at a constant rate."""

    problem_type: ClassVar[type] = Online

    rate: float = param(0.01, source="ours: tuned", doc="learning rate η")
    balance: bool = param(default=False, source="ours", doc="start from factors of equal Frobenius norm")

    def run(self, problem: Online, ctx: Context) -> list[Course]:
        """Follow each world."""
        return [self._follow(world, problem.steps) for world in problem.worlds]

    def _follow(self, world: World, steps: int) -> Course:
        import torch
        from torch import nn

        from methods.lora_rite.pairs import Pair

        scale = float((world.b.norm() / world.a.norm()).sqrt()) if self.balance else 1.0
        pair = Pair(nn.Parameter(world.a * scale), nn.Parameter(world.b / scale), axes=(1, 1))
        optimizer = self.opened([pair], self.rate)
        course = Course([], [])
        with torch.no_grad():
            for step in range(steps):
                loss, slope = world.slope(pair.a @ pair.b.mT, step)
                before = (pair.a.clone(), pair.b.clone())
                pair.a.grad, pair.b.grad = slope @ pair.b, slope.mT @ pair.a
                optimizer.step()
                moved = (pair.a.grad * (before[0] - pair.a)).sum() + (
                    pair.b.grad * (before[1] - pair.b)
                ).sum()
                course.losses.append(loss)
                course.terms.append(float(moved) / self.rate)
        return course


@dataclass(frozen=True)
class Follow(BaseFollow, NamedOptimizer):
    """One step for each loss, with a constant rate."""

    cites: ClassVar[str] = YEN

    optimizer: str = param("rite-sum", source="card, section 3.3: for the theorems", doc="which optimizer")


def _draw(ctx: Context, name: str, count: int, rows: int, columns: int) -> Tensor:
    import torch

    from methods.common.draws import normal

    return normal((count, rows, columns), ctx.torch_rng(name), dtype=torch.float64)


@dataclass(frozen=True)
class LinearLosses(Task[Online, "list[Course]"]):
    """⟨G_t, Z⟩ with a fresh random G_t of norm 1 in each step: nothing can be learnt (paper, Theorem 3)."""

    worlds: int = param(4, source="ours", doc="worlds a seed")
    steps: int = param(1024, source="ours", doc="largest T")
    rows: ClassVar[int] = 20
    columns: ClassVar[int] = 12
    rank: ClassVar[int] = 3

    def problem(self, ctx: Context) -> Online:
        """Worlds of this seed."""
        a = _draw(ctx, "a", self.worlds, self.rows, self.rank)
        b = _draw(ctx, "b", self.worlds, self.columns, self.rank)
        slopes = _draw(ctx, "slopes", self.worlds * self.steps, self.rows, self.columns)
        slopes = slopes / slopes.square().sum((1, 2), keepdim=True).sqrt()

        def world(number: int) -> World:
            own = slopes[number * self.steps : (number + 1) * self.steps]
            return World(a[number], b[number], lambda z, step: (float((own[step] * z).sum()), own[step]))

        return Online(tuple(world(number) for number in range(self.worlds)), self.steps)

    def evaluate(self, result: list[Course], ctx: Context) -> Scores:
        """The exponent with which the averaged first-order term falls, from T = 16 on."""
        import numpy as np

        lengths = [2**k for k in range(4, 20) if 2**k <= self.steps]
        exponents = []
        for course in result:
            averages = [float(np.mean(course.terms[:length])) for length in lengths]
            exponents.append(float(np.polyfit(np.log(lengths), np.log(averages), 1)[0]))
        units = [f"world-{number}" for number in range(len(result))]
        return Scores({"main": {"unit_id": units, "exponent": exponents}})


@dataclass(frozen=True)
class Unbalanced(Task[Online, "list[Course]"]):
    """A noisy matrix problem from (sA, B/s): average loss over all steps, beside the first."""

    imbalance: float = param(1.0, source="paper, Theorem 4", doc="s: D_A/D_B grows with its square")
    worlds: int = param(4, source="ours", doc="worlds a seed")
    steps: int = param(200, source="ours", doc="T")
    rows: ClassVar[int] = 20
    columns: ClassVar[int] = 12
    rank: ClassVar[int] = 3

    def problem(self, ctx: Context) -> Online:
        """Worlds of this seed, the same for every imbalance but for the split of Z."""
        a = _draw(ctx, "a", self.worlds, self.rows, self.rank) * self.imbalance
        b = _draw(ctx, "b", self.worlds, self.columns, self.rank) / self.imbalance
        left = _draw(ctx, "target-a", self.worlds, self.rows, self.rank)
        right = _draw(ctx, "target-b", self.worlds, self.columns, self.rank)
        targets = left @ right.mT
        noise = 0.1 * _draw(ctx, "noise", self.steps, self.rows, self.columns)

        def world(number: int) -> World:
            def slope(z: Tensor, step: int) -> tuple[float, Tensor]:
                gap = z - targets[number]
                return 0.5 * float(gap.square().mean()), (gap + noise[step]) / gap.numel()

            return World(a[number], b[number], slope)

        return Online(tuple(world(number) for number in range(self.worlds)), self.steps)

    def evaluate(self, result: list[Course], ctx: Context) -> Scores:
        """Mean loss over the loss at the start, one row a world."""
        import numpy as np

        units = [f"world-{number}" for number in range(len(result))]
        losses = [min(10.0, float(np.nan_to_num(np.mean(c.losses) / c.losses[0], nan=10.0))) for c in result]
        part = "validation" if ctx.stage == "tune" else "main"
        return Scores({part: {"unit_id": units, "loss": losses}})
