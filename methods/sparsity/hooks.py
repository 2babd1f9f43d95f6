"""Counting in pretrained models of ``transformers`` with plain ReLU MLP blocks (OPT, T5 v1.0, …).

What is counted is the input of a block's *second* linear layer. A hook on ``nn.ReLU`` modules
would miss functional calls, and a module that several blocks share.

Numbers are exact for the model as loaded. Half precision (float16) makes small positive values
zero and so biases counts downwards; it is refused. bfloat16 has the range of float32.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import torch
from torch import Tensor, nn

from harness.method import ProblemError
from methods.sparsity.counting import Counts, Tally

SECOND_LAYERS = {
    "fc2": "fc1",
    "wo": "wi",
    "dense_4h_to_h": "dense_h_to_4h",
    "down_proj": "up_proj",
    "c_proj": "c_fc",
}
"""Names of second layers in ``transformers``, with those of their first layers."""
GATES = ("gate_proj", "wi_0", "gate", "linear_v")
"""Layers whose presence beside a second layer marks a gated block."""
FUNCTIONS = ("activation_fn", "act", "act_fn", "activation", "activation_function")
"""Names of a block's activation."""


class PretrainedCounter:
    """Counts the activations of a pretrained model while it is entered (``with``).

    Tokens hidden by the attention masks that the model is given are not counted; so give the
    decoder of an encoder-decoder its ``decoder_attention_mask``, too.
    """

    def __init__(self, model: nn.Module) -> None:
        """Find the blocks.

        Args:
            model: A model of ``transformers`` in evaluation mode.

        Raises:
            ProblemError: If the model has no plain ReLU blocks, or weights in half precision.
        """
        if any(weight.dtype == torch.float16 for weight in model.parameters()):
            raise ProblemError(
                "In half precision (float16) small activations become zero and look inactive",
                where=type(model).__name__,
                fix="Load the model in bfloat16 or float32.",
            )
        self._model = model
        self._second = relu_blocks(model)
        self._tallies = {name: Tally(name, width_of(layer)) for name, layer in self._second.items()}
        self._masks: dict[str, Tensor | None] = {}
        self._handles: list[Any] = []

    def __enter__(self) -> Self:
        if self._handles:
            raise ProblemError("This counter is counting already", where=type(self._model).__name__)
        for name in {_stack_of(name) for name in self._second}:
            stack = self._model.get_submodule(name)
            self._handles.append(stack.register_forward_pre_hook(self._noted(name), with_kwargs=True))
        for name, layer in self._second.items():
            self._handles.append(layer.register_forward_pre_hook(self._counted(name)))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles = []
        self._masks = {}

    def take(self) -> Counts:
        """What was counted since the last call.

        Raises:
            ProblemError: If nothing was.
            DivergedError: If an activation was not a number.
        """
        return Counts(tuple(tally.take() for tally in self._tallies.values()))

    def _noted(self, stack: str) -> Callable[[nn.Module, tuple[Any, ...], dict[str, Any]], None]:
        def note(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            given = inspect.signature(module.forward).bind_partial(*args, **kwargs).arguments
            mask = given.get("attention_mask")
            if mask is not None and mask.ndim != 2:
                raise ProblemError(
                    f"An attention mask of shape {tuple(mask.shape)} does not say which tokens are padding",
                    where=stack,
                    fix="Give a mask of shape (batch, tokens).",
                )
            self._masks[stack] = mask

        return note

    def _counted(self, name: str) -> Callable[[nn.Module, tuple[Any, ...]], None]:
        tally, stack = self._tallies[name], _stack_of(name)

        def count(module: nn.Module, args: tuple[Any, ...]) -> None:
            if module.training:
                raise ProblemError(
                    "In training mode dropout would look like sparsity", where=name, fix="Call model.eval()."
                )
            a, mask = args[0].detach(), self._masks.get(stack)
            if mask is not None:
                # With a cache the mask is that of all tokens, the last ones being new; and some
                # models see batch and tokens as one axis.
                new = a.shape[:-1].numel() // len(mask)
                mask = mask[:, -new:].reshape(a.shape[:-1])
            tally(a, mask)

        return count


def relu_blocks(model: nn.Module) -> dict[str, nn.Module]:
    """The second layers of all MLP blocks by the name of their block.

    Raises:
        ProblemError: If there are none, or if their activation has no exact zeros or is gated.
    """
    found: dict[str, nn.Module] = {}
    for name, part in model.named_modules():
        children = dict(part.named_children())
        for second, first in SECOND_LAYERS.items():
            if second not in children or not (first in children or any(gate in children for gate in GATES)):
                continue
            _check_plain(name, part, children, model)
            found[name] = children[second]
    if not found:
        raise ProblemError(
            "No MLP block with known names of its layers was found",
            where=type(model).__name__,
            fix=f"Known second layers: {', '.join(SECOND_LAYERS)}.",
        )
    return found


def first_layers(model: nn.Module) -> dict[str, nn.Module]:
    """The first layers of the blocks of :func:`relu_blocks`, by the name of their block."""
    found = {}
    for name in relu_blocks(model):
        children = dict(model.get_submodule(name).named_children())
        found[name] = next(children[first] for first in SECOND_LAYERS.values() if first in children)
    return found


def width_of(layer: nn.Module) -> int:
    """Number of inputs of a linear layer, or of GPT-2's layer with a transposed weight."""
    features = getattr(layer, "in_features", None)
    return int(features if features is not None else layer.get_parameter("weight").shape[0])


def _check_plain(name: str, block: nn.Module, children: dict[str, nn.Module], model: nn.Module) -> None:
    gates = [gate for gate in GATES if gate in children]
    if gates:
        raise ProblemError(
            f"The MLP blocks of {type(model).__name__} are gated ('{gates[0]}'), the paper's are not",
            where=name,
            fix="Measure a model with f(x) = V relu(Kᵀx), such as OPT or T5 v1.0 (v1.1 is gated).",
        )
    function = next((getattr(block, key) for key in FUNCTIONS if hasattr(block, key)), None)
    if not callable(function):
        raise ProblemError(f"The activation of '{name}' was not found", fix=f"Known names: {FUNCTIONS}.")
    if not has_exact_zeros(function):
        kind = getattr(function, "__name__", type(function).__name__)
        raise ProblemError(
            f"The activation {kind} of {type(model).__name__} has no exact zeros: all neurons would count",
            where=name,
            fix="Measure a model with ReLU, or take a measure with a threshold, which is not the paper's.",
        )


def has_exact_zeros(function: Callable[[Tensor], Tensor]) -> bool:
    """Whether an activation is zero for all negative inputs and positive for all positive ones."""
    x = torch.cat([torch.logspace(-6, 2, 200), torch.linspace(0.01, 10.0, 200)])
    with torch.no_grad():
        return bool((function(-x) == 0).all() and (function(x) > 0).all())


def _stack_of(block: str) -> str:
    """The module around a list of layers: what comes before the first number of a block's name."""
    parts = block.split(".")
    first = next((place for place, part in enumerate(parts) if part.isdigit()), len(parts))
    return ".".join(parts[: max(first - 1, 0)])
