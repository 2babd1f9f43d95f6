"""What happens to the pre-activations of an MLP block before its second layer.

An activation is plain data, so that declarations can name it without loading PyTorch. The paper's
are :class:`Relu` and :class:`TopK`; the others are baselines of this harness.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.method import ProblemError

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class Activation(ABC):
    """From pre-activations to what the second layer sees; implementations are frozen dataclasses."""

    @abstractmethod
    def __call__(self, pre: Tensor, *, training: bool, stream: torch.Generator) -> Tensor:
        """The activation map a.

        Args:
            pre: Kᵀx (plus the bias), shape (..., d_ff).
            training: Whether the block is in training mode.
            stream: Source of randomness on the device of ``pre``.
        """

    def penalty(self, a: Tensor) -> Tensor | None:
        """A term for the training loss, from the activation map; None without one."""
        return None


@dataclass(frozen=True)
class Relu(Activation):
    """σ(p) = max(p, 0): the dense model."""

    def __call__(self, pre: Tensor, *, training: bool, stream: torch.Generator) -> Tensor:
        """See :class:`Activation`."""
        return pre.relu()


@dataclass(frozen=True)
class TopK(Activation):
    """Top_k(σ(p)), in training and inference (section 3.1 of the paper).

    Attributes:
        keep: k. With k ≥ d_ff this is the dense model.
    """

    keep: int

    def __post_init__(self) -> None:
        _check_keep(self.keep)

    def __call__(self, pre: Tensor, *, training: bool, stream: torch.Generator) -> Tensor:
        """See :class:`Activation`."""
        from methods.sparsity.topk import top_k

        return top_k(pre.relu(), self.keep)


@dataclass(frozen=True)
class TopKAtInference(Activation):
    """A baseline: trained densely, cut to k entries only when used."""

    keep: int

    def __post_init__(self) -> None:
        _check_keep(self.keep)

    def __call__(self, pre: Tensor, *, training: bool, stream: torch.Generator) -> Tensor:
        """See :class:`Activation`."""
        from methods.sparsity.topk import top_k

        return pre.relu() if training else top_k(pre.relu(), self.keep)


@dataclass(frozen=True)
class RandomK(Activation):
    """A baseline: k neurons of each token pass, chosen uniformly and not by size.

    The mask is drawn anew in every pass, in training and in inference.
    """

    keep: int

    def __post_init__(self) -> None:
        _check_keep(self.keep)

    def __call__(self, pre: Tensor, *, training: bool, stream: torch.Generator) -> Tensor:
        """See :class:`Activation`."""
        import torch

        from methods.common.draws import uniform

        if self.keep >= pre.shape[-1]:
            return pre.relu()
        scores = uniform(pre.shape, stream, device=pre.device)
        chosen = torch.zeros_like(scores, dtype=torch.bool)
        chosen.scatter_(-1, scores.topk(self.keep, dim=-1, sorted=False).indices, value=True)
        return pre.relu() * chosen


@dataclass(frozen=True)
class HiddenDropout(Activation):
    """A baseline: dropout on the hidden activations; the dense block in inference.

    Attributes:
        share: Probability to keep an entry, in (0, 1]; kept ones are scaled by its inverse.
    """

    share: float

    def __post_init__(self) -> None:
        if not 0.0 < self.share <= 1.0:
            raise ProblemError(f"Dropout cannot keep a share of {self.share}", fix="Give one in (0, 1].")

    def __call__(self, pre: Tensor, *, training: bool, stream: torch.Generator) -> Tensor:
        """See :class:`Activation`."""
        from methods.common.draws import uniform

        if not training or self.share == 1.0:
            return pre.relu()
        chosen = uniform(pre.shape, stream, device=pre.device) < self.share
        return pre.relu() * chosen / self.share


@dataclass(frozen=True)
class L1Penalty(Activation):
    """A baseline: the dense block, whose training loss grows by ``weight`` · mean of ‖a‖₁ a token."""

    weight: float

    def __post_init__(self) -> None:
        if not self.weight >= 0.0:
            raise ProblemError(f"The weight of a penalty cannot be {self.weight}", fix="Give at least 0.")

    def __call__(self, pre: Tensor, *, training: bool, stream: torch.Generator) -> Tensor:
        """See :class:`Activation`."""
        return pre.relu()

    def penalty(self, a: Tensor) -> Tensor | None:
        """``weight`` times the mean over tokens of ‖a‖₁, a scalar."""
        return self.weight * a.sum(-1).mean()


def _check_keep(keep: int) -> None:
    if keep < 1:
        raise ProblemError(
            f"Top-k with k = {keep} leaves a block nothing but its bias", fix="Give k of at least 1."
        )
