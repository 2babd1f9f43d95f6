"""Negative controls: methods and tasks that are wrong on purpose. No real method or task imports this."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from harness.method import Context, Method, param
from methods.sparsity.activation import Activation, Relu
from methods.sparsity.initial_gradient import DrawSlopes, Start
from methods.sparsity.method import LI, untrained
from methods.sparsity.second_layer import SparseProduct
from methods.sparsity.task import Trained, Training
from methods.sparsity.text_task import TextTask

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from methods.sparsity.texts import Corpus


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
    """No step is taken. With ``sure`` the output layer is random and large: confident answers."""

    problem_type: ClassVar[type] = Training
    cites: ClassVar[str] = LI

    activation: Activation = param(Relu(), source="paper, section 3.1", doc="ReLU, Top-k, …")  # noqa: RUF009
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


@dataclass(frozen=True)
class ForgetfulProduct(SparseProduct):
    """Each token's last active row is left out."""

    def read(self, maps: Tensor) -> Tensor:
        """The last active entry made zero."""
        place = (maps != 0).cumsum(1)
        return maps * (place < place[:, -1:])


@dataclass(frozen=True)
class KnowingLayers(DrawSlopes):
    """The last layer depends on the target, as after training."""

    def last_layers(self, case: Start, rng: np.random.Generator) -> NDArray[np.float64]:
        """Shifted towards the target."""
        return super().last_layers(case, rng) + 2.0 * case.sigma * case.target[:, None]


@dataclass(frozen=True)
class ForeignText(TextTask):
    """Test text is random bytes."""

    def corpus(self, ctx: Context) -> Corpus:
        """The same training and validation text."""
        found = super().corpus(ctx)
        noise = ctx.rng("foreign").integers(256, size=len(found.test), dtype=np.uint8)
        return replace(found, test=noise)
