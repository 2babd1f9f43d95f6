"""Training with dense and with Top-k blocks, and the baselines of the harness."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from harness.method import Context, Method, param
from methods.sparsity.activation import Activation, Relu
from methods.sparsity.task import Trained, Training

if TYPE_CHECKING:
    from torch import Tensor, nn

LI = "Li et al. (2023), arXiv:2210.06313"


@dataclass(frozen=True)
class Train(Method[Training, Trained]):
    """Training from scratch; what the MLP blocks do is the method's subject."""

    problem_type: ClassVar[type] = Training
    cites: ClassVar[str] = LI

    activation: Activation = param(Relu(), source="paper, section 3.1", doc="ReLU, Top-k, …")  # noqa: RUF009
    optimizer: str = param("adamw", source="card, section 9", doc="adamw or sgd")
    rate: float = param(4e-3, source="ours: tuned", doc="largest learning rate")
    d_ff: int = param(0, source="ours", doc="neurons of a block; 0 takes the task's number")

    def run(self, problem: Training, ctx: Context) -> Trained:
        """Train, and show the model now and then."""
        from methods.sparsity.training import Recipe, train

        result = Trained(untrained(problem, self.activation, self.d_ff, ctx))
        recipe = Recipe(
            optimizer=self.optimizer,
            rate=self.rate,
            steps=problem.steps,
            warmup=problem.warmup,
            accumulate=problem.accumulate,
            autocast=ctx.dtype == "bfloat16",
        )
        train(
            result.model,
            lambda done: problem.batches_after(done, ctx.torch_rng("order"), ctx.device),
            self._loss(problem),
            recipe,
            watch=lambda step: ctx.probe(step, result),
            # In tuning nobody reads the curves.
            looks=problem.looks if ctx.stage == "main" else (),
            progress=ctx.progress,
            checkpoints=ctx.checkpoints,
        )
        result.done = True
        return result

    def _loss(self, problem: Training) -> Callable[[nn.Module, Any], Tensor]:
        """The problem's loss, with what the blocks add to it."""
        if type(self.activation).penalty is Activation.penalty:
            return problem.loss
        from methods.sparsity.mlp import taken_penalty

        def penalised(model: nn.Module, batch: Any) -> Tensor:
            loss, extra = problem.loss(model, batch), taken_penalty(model)
            return loss if extra is None else loss + extra

        return penalised


def untrained(problem: Training, activation: Activation, d_ff: int, ctx: Context) -> nn.Module:
    """A model of the problem at its start, the same for all activations of a seed."""
    from methods.common.draws import generator

    rng = generator(int(ctx.rng("weights").integers(2**62)))
    return problem.model(activation, d_ff, rng).to(ctx.device)
