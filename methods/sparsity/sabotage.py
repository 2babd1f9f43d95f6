"""Methods that are wrong on purpose: the controls of the suite."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from harness.method import Context, Method, param
from methods.sparsity.activation import Activation, Relu
from methods.sparsity.method import LI, untrained
from methods.sparsity.task import Trained, Training

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@dataclass(frozen=True)
class FixedNeurons(Activation):
    """The first half of the neurons is always active and the other half never is.

    nnz% is 50 whatever the input: what the paper shows sparsity *not* to be, a fixed choice of
    useful neurons (Figure 3).
    """

    def __call__(self, pre: Tensor, *, training: bool, stream: torch.Generator) -> Tensor:
        """See :class:`~methods.sparsity.activation.Activation`."""
        import torch
        from torch.nn.functional import softplus

        used = torch.arange(pre.shape[-1], device=pre.device) < pre.shape[-1] // 2
        return softplus(pre) * used


@dataclass(frozen=True)
class Untrained(Method[Training, Trained]):
    """No step is taken. With ``sure`` the output layer is random and large: confident answers."""

    problem_type: ClassVar[type] = Training
    cites: ClassVar[str] = LI

    activation: Activation = param(Relu(), source="section 3.1", doc="ReLU, Top-k, …")  # noqa: RUF009
    sure: bool = param(default=False, source="ours", doc="answer at random, with confidence")

    def run(self, problem: Training, ctx: Context) -> Trained:
        """The model at its start."""
        from methods.common.draws import fill_normal

        result = Trained(untrained(problem, self.activation, 0, ctx).eval())
        head = getattr(result.model, "head", None)
        if self.sure and head is not None:
            fill_normal(head.weight, 0.0, 1.0, ctx.torch_rng("head"))
        if ctx.stage == "main":
            ctx.probe(0, result)
        result.done = True
        return result
