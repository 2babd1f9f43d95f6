"""Negative controls: methods and tasks that are wrong on purpose. No real method or task imports this."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from harness.method import Context, Method, param
from methods.sparsity.activation import Activation, RandomK, Relu
from methods.sparsity.method import LI, untrained
from methods.sparsity.pretrained import Read, Reading
from methods.sparsity.second_layer import SparseProduct
from methods.sparsity.task import Trained, Training

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@dataclass(frozen=True)
class FixedNeurons(Activation):
    """The first half of the neurons is always active and the other half never is.

    nnz% is 50 whatever the input: what the paper shows sparsity *not* to be, a fixed choice of
    useful neurons (paper, Figure 3).
    """

    def __call__(self, pre: Tensor, *, training: bool, stream: torch.Generator) -> Tensor:
        """See :class:`~methods.sparsity.activation.Activation`."""
        import torch
        from torch.nn.functional import softplus

        used = torch.arange(pre.shape[-1], device=pre.device) < pre.shape[-1] // 2
        return softplus(pre) * used


@dataclass(frozen=True)
class StoppedGradient(Activation):
    """ReLU through which no gradient passes: first layers stay as they were drawn, all else trains.

    Lowering active pre-activations is what makes a model sparse (paper, section on causes).
    """

    def __call__(self, pre: Tensor, *, training: bool, stream: torch.Generator) -> Tensor:
        """See :class:`~methods.sparsity.activation.Activation`."""
        return pre.detach().relu()


@dataclass(frozen=True)
class RandomKAtInference(RandomK):
    """Trained densely; k neurons of each token, drawn at random, pass when it is used."""

    def __call__(self, pre: Tensor, *, training: bool, stream: torch.Generator) -> Tensor:
        """See :class:`~methods.sparsity.activation.Activation`."""
        return pre.relu() if training else super().__call__(pre, training=training, stream=stream)


@dataclass(frozen=True)
class LeakyRelu(Activation):
    """Negative pre-activations pass, scaled; nothing is exactly zero."""

    slope: float = 0.01

    def __call__(self, pre: Tensor, *, training: bool, stream: torch.Generator) -> Tensor:
        """See :class:`~methods.sparsity.activation.Activation`."""
        from torch.nn.functional import leaky_relu

        return leaky_relu(pre, self.slope)


@dataclass(frozen=True)
class Gelu(Activation):
    """GELU, which has no exact zeros, so that every neuron counts as active."""

    def __call__(self, pre: Tensor, *, training: bool, stream: torch.Generator) -> Tensor:
        """See :class:`~methods.sparsity.activation.Activation`."""
        from torch.nn.functional import gelu

        return gelu(pre)


@dataclass(frozen=True)
class Untrained(Method[Training, Trained]):
    """No step is taken; shown beside what was trained."""

    problem_type: ClassVar[type] = Training
    cites: ClassVar[str] = LI

    activation: Activation = param(Relu(), source="paper, section 3.1", doc="ReLU, Top-k, …")  # noqa: RUF009

    def run(self, problem: Training, ctx: Context) -> Trained:
        """The model at its start."""
        result = Trained(untrained(problem, self.activation, 0, ctx).eval())
        if ctx.stage == "main":
            ctx.probe(0, result)
        result.done = True
        return result


@dataclass(frozen=True)
class ForgetfulProduct(SparseProduct):
    """Each token's last active row is left out."""

    def read(self, maps: Tensor) -> Tensor:
        """The last active entry made zero."""
        place = (maps != 0).cumsum(1)
        return maps * (place < place[:, -1:])


@dataclass(frozen=True)
class ReadShuffled(Read):
    """Each first layer has its own trained weights in an order drawn at random."""

    def model(self, problem: Reading, ctx: Context) -> Any:
        """The model with its first layers shuffled."""
        import torch

        from methods.sparsity.blocks import relu_blocks

        model = super().model(problem, ctx)
        with torch.no_grad():
            for block in relu_blocks(model):
                weight = block.first.get_parameter("weight")
                order = torch.from_numpy(ctx.rng(f"order of {block.name}").permutation(weight.numel()))
                weight.copy_(weight.flatten()[order.to(weight.device)].view_as(weight))
        return model
