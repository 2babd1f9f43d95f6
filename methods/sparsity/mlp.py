"""The MLP block of all models: f(x) = V · select(σ(Kᵀx)), with the place where it is counted."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from harness.method import ProblemError
from methods.common import draws
from methods.sparsity.activation import Activation, Relu

Recorder = Callable[[Tensor, Tensor | None], None]
"""Takes an activation map, shape (..., d_ff), and which tokens count, shape (...) or None for all."""


class ReluMlp(nn.Module):
    """Two linear layers with an activation between them (section 3.1 of the paper).

    Entries of K and V are normal with variance 1/fan-in and biases zero, as in T5: at first each
    neuron is active with probability 1/2.

    Attributes:
        up: The first layer; its weight is Kᵀ, shape (d_ff, d_model).
        down: The second layer; its weight is V, shape (d_out, d_ff).
        activation: From pre-activations to what ``down`` sees.
        recorder: Called with what ``down`` sees; None to switch it off.
        penalty: What the activation adds to the training loss; set by a pass in training mode.
    """

    recorder: Recorder | None
    penalty: Tensor | None

    def __init__(
        self,
        d_model: int,
        d_ff: int,
        *,
        bias: bool,
        generator: torch.Generator,
        activation: Activation | None = None,
        d_out: int | None = None,
    ) -> None:
        """A block.

        Args:
            d_model: Width of the input.
            d_ff: Hidden neurons.
            bias: Whether both layers have one.
            generator: Draws the weights. All activations draw the same ones.
            activation: ReLU by default.
            d_out: Width of the output; ``d_model`` by default.
        """
        super().__init__()
        self.up = nn.Linear(d_model, d_ff, bias=bias)
        self.down = nn.Linear(d_ff, d_out or d_model, bias=bias)
        self.activation = activation or Relu()
        self.recorder = None
        self.penalty = None
        for layer in (self.up, self.down):
            draw_weights(layer, generator)
        # Drawn by every block, so that activations with and without randomness start alike.
        self._seed = draws.integer(2**62, generator)
        self._stream: torch.Generator | None = None

    @property
    def d_ff(self) -> int:
        """Number of hidden neurons."""
        return self.up.out_features

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """The block's output.

        Args:
            x: Shape (..., d_model).
            mask: Which tokens are counted, shape (...), boolean; padding must be False. It has no
                influence on the output.

        Returns:
            Shape (..., d_out).
        """
        if self._stream is None:
            self._stream = draws.generator(self._seed)
        a: Tensor = self.activation(self.up(x), training=self.training, stream=self._stream)
        if self.recorder is not None:
            self.recorder(a.detach(), mask)
        if self.training:
            self.penalty = self.activation.penalty(a)
        out: Tensor = self.down(a)
        return out


class Streams:
    """The random streams of a model's blocks, as a part of a checkpoint."""

    def __init__(self, model: nn.Module) -> None:
        self._blocks = [block for block in model.modules() if isinstance(block, ReluMlp)]

    def state_dict(self) -> list[Tensor | None]:
        """Of each block; None of one that has drawn nothing."""
        streams = [block._stream for block in self._blocks]  # noqa: SLF001 - one of this module's own
        return [None if stream is None else stream.get_state() for stream in streams]

    def load_state_dict(self, state: list[Tensor | None]) -> None:
        """Take up a state of :meth:`state_dict`."""
        for block, kept in zip(self._blocks, state, strict=True):
            block._stream = None if kept is None else draws.generator(0).set_state(kept)  # noqa: SLF001


def draw_weights(layer: nn.Linear, generator: torch.Generator) -> None:
    """Normal entries with variance 1/fan-in; the bias becomes zero."""
    with torch.no_grad():
        draws.fill_normal(layer.weight, 0.0, layer.in_features**-0.5, generator)
        if layer.bias is not None:
            layer.bias.zero_()


def blocks_of(model: nn.Module) -> dict[str, ReluMlp]:
    """All MLP blocks by name, from the input to the output.

    Raises:
        ProblemError: If there are none.
    """
    found = {name: part for name, part in model.named_modules() if isinstance(part, ReluMlp)}
    if not found:
        raise ProblemError(
            "This model has no block whose activations can be counted",
            where=type(model).__name__,
            fix="Build it from ReluMlp, or use PretrainedCounter for models of transformers.",
        )
    return found


def taken_penalty(model: nn.Module) -> Tensor | None:
    """The sum of what the blocks add to the training loss, which is then forgotten; or None."""
    total: Tensor | None = None
    for block in blocks_of(model).values():
        if block.penalty is not None:
            total = block.penalty if total is None else total + block.penalty
            block.penalty = None
    return total
