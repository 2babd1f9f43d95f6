"""Linear regression with a low-rank correction (card, section 9): a solvable toy.

``y = W* x + noise`` with a teacher of rank 8; the student is ``W = B A``, trained on fresh batches
from B = 0. Every optimizer reaches the noise at its best rate, so they differ only in the range of
rates and of initial scales of A at which they still do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from harness.method import Context, DivergedError, Method, Scores, Task, mean_of, param
from methods.lora_rite.citation import YEN
from methods.lora_rite.hook import NamedOptimizer, OptimizerHook

if TYPE_CHECKING:
    from torch import Tensor


ERROR = mean_of("error", better="lower", name="test mean squared error", digits=4, worst=10.0)


@dataclass(frozen=True)
class Regression:
    """What a method may see: batches, and the initial factors.

    Attributes:
        inputs: Shape (steps, batch, n).
        outputs: Shape (steps, batch, m).
        a: Shape (r, n).
        b: Shape (m, r), zero.
        warmup: Steps of linear warm-up before the linear decay.
    """

    inputs: Tensor
    outputs: Tensor
    a: Tensor
    b: Tensor
    warmup: int


@dataclass(frozen=True)
class LinearRegression(Task[Regression, "Tensor"]):
    """Inputs with standard deviations i^(−1/2), 48 outputs, a teacher of rank 8, noise .1."""

    scale: float = param(1.0, source="ours", doc="factor on the initial A")
    steps: int = param(300, source="card, section 9", doc="updates")
    batch: int = param(32, source="card, section 9", doc="samples an update")
    rank: int = param(8, source="card, section 9", doc="r of teacher and student")
    noise: float = param(0.1, source="card, section 9", doc="standard deviation")

    inputs: ClassVar[int] = 64
    outputs: ClassVar[int] = 48

    def problem(self, ctx: Context) -> Regression:
        """Batches, initial factors and teacher of this seed, the same for every method and scale."""
        import torch

        from methods.common.draws import normal

        rng = ctx.torch_rng("samples")
        shape = (self.steps, self.batch, self.inputs)
        x = normal(shape, rng, device=ctx.device) * self._spread(ctx).sqrt()
        noise = normal((*shape[:2], self.outputs), rng, device=ctx.device)
        y = x @ self._teacher(ctx).mT + self.noise * noise
        a = normal((self.rank, self.inputs), rng, device=ctx.device) / self.inputs**0.5
        b = torch.zeros((self.outputs, self.rank), device=ctx.device)
        return Regression(x, y, self.scale * a, b, warmup=max(1, self.steps // 30))

    def evaluate(self, result: Tensor, ctx: Context) -> Scores:
        """Expected squared error of each output, in closed form."""
        gap = (result - self._teacher(ctx)).square() @ self._spread(ctx) + self.noise**2
        table: dict[str, Any] = {
            "unit_id": [f"output-{i}" for i in range(self.outputs)],
            "error": gap.cpu().numpy(),
        }
        return Scores({"validation" if ctx.stage == "tune" else "main": table})

    def _spread(self, ctx: Context) -> Tensor:
        """Variances of the inputs, shape (n,)."""
        import torch

        places: Tensor = torch.arange(1.0, self.inputs + 1, device=ctx.device)
        return 1.0 / places

    def _teacher(self, ctx: Context) -> Tensor:
        from methods.common.draws import normal

        rng = ctx.torch_rng("teacher")
        left = normal((self.outputs, self.rank), rng, device=ctx.device)
        right = normal((self.inputs, self.rank), rng, device=ctx.device) / self.inputs**0.5
        teacher: Tensor = left @ right.mT
        return teacher


@dataclass(frozen=True)
class BaseFitLinear(OptimizerHook, Method[Regression, "Tensor"]):
    """Train the factors on each batch once, with the optimizer of a subclass."""

    problem_type: ClassVar[type] = Regression

    rate: float = param(0.1, source="ours: tuned", doc="largest learning rate")

    def run(self, problem: Regression, ctx: Context) -> Tensor:
        """The product B A, shape (m, n).

        Raises:
            DivergedError: If it is not finite.
        """
        import torch
        from torch import nn

        from methods.lora_rite.pairs import Pair

        pair = Pair(nn.Parameter(problem.a.clone()), nn.Parameter(problem.b.clone()), "student")
        optimizer = self.opened([pair], self.rate)
        rates = [group["lr"] for group in optimizer.param_groups]
        steps = len(problem.inputs)
        with torch.no_grad():
            for step, (x, y) in enumerate(zip(problem.inputs, problem.outputs, strict=True)):
                share = min((step + 1) / problem.warmup, (steps - step) / (steps - problem.warmup))
                for group, rate in zip(optimizer.param_groups, rates, strict=True):
                    group["lr"] = rate * share
                slope = 2.0 * (x @ pair.a.mT @ pair.b.mT - y).mT @ x / y.numel()
                pair.a.grad, pair.b.grad = pair.b.mT @ slope, slope @ pair.a.mT
                optimizer.step()
            product: Any = (pair.b @ pair.a).detach()
        if not bool(torch.isfinite(product).all()):
            raise DivergedError(
                "The regression left the finite numbers",
                where=f"{type(optimizer).__name__}, rate {self.rate}",
            )
        return product  # type: ignore[no-any-return]


@dataclass(frozen=True)
class FitLinear(BaseFitLinear, NamedOptimizer):
    """Train the factors on each batch once, with warm-up and linear decay."""

    cites: ClassVar[str] = YEN
