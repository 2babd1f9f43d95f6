"""MLP blocks of models of ``transformers``: where they are, whether they are gated, what activates them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from harness.method import ProblemError

SECOND_LAYERS = {
    "fc2": "fc1",
    "lin2": "lin1",
    "wo": "wi",
    "Wo": "Wi",
    "dense_4h_to_h": "dense_h_to_4h",
    "down_proj": "up_proj",
    "c_proj": "c_fc",
}
"""Names of second layers in ``transformers``, with those of their first layers."""
GATES = ("gate_proj", "wi_0", "gate", "linear_v", "gate_up_proj")
"""Layers whose presence beside a second layer marks a gated block."""
FUNCTIONS = ("activation_fn", "act", "act_fn", "activation", "activation_function", "intermediate_act_fn")
"""Names of a block's activation."""


@dataclass(frozen=True)
class Block:
    """An MLP block.

    Attributes:
        name: Of the module that holds it.
        first: Its first layer, or one of its first layers where it is gated.
        second: Its second layer, whose input is what is counted.
        function: The name of its activation.
        exact: Whether the activation is zero for all negative inputs.
        gated: Whether the second layer's input is a product with a gate.
    """

    name: str
    first: nn.Module
    second: nn.Module
    function: str
    exact: bool
    gated: bool

    @property
    def d_ff(self) -> int:
        """Number of neurons."""
        return width_of(self.second)


def mlp_blocks(model: nn.Module) -> tuple[Block, ...]:
    """The MLP blocks of a model, from the input to the output.

    Raises:
        ProblemError: If there are none, one has an activation that is not found, or experts share them.
    """
    found = []
    for name, part in model.named_modules():
        children = dict(part.named_children())
        if "experts" in children:
            raise ProblemError(
                f"{type(model).__name__} is a mixture of experts: a token passes some of its neurons only",
                where=f"{name}.experts",
                fix="Measure a model whose blocks every token passes.",
            )
        for holder, first, second in _layers(part, children):
            found.append(_block(name, holder, first, second))
    if not found:
        raise ProblemError(
            "No MLP block with known names of its layers was found",
            where=type(model).__name__,
            fix=f"Known second layers: {', '.join(SECOND_LAYERS)}, and output.dense as of BERT.",
        )
    return tuple(found)


def _layers(
    part: nn.Module, children: Mapping[str, nn.Module]
) -> Iterator[tuple[nn.Module, nn.Module, nn.Module]]:
    """What holds a block's activation, its first and its second layer."""
    inner, outer = children.get("intermediate"), children.get("output")
    if inner is not None and outer is not None:
        # BERT and its kin; the output of their attention has no such neighbour.
        pair = [getattr(module, "dense", None) for module in (inner, outer)]
        if isinstance(pair[0], nn.Module) and isinstance(pair[1], nn.Module):
            yield inner, pair[0], pair[1]
    for second, first in SECOND_LAYERS.items():
        opens = next((name for name in (first, *GATES) if name in children), "")
        if second in children and opens:
            yield part, children[opens], children[second]


def _block(name: str, holder: nn.Module, first: nn.Module, second: nn.Module) -> Block:
    function = next((getattr(holder, key) for key in FUNCTIONS if hasattr(holder, key)), None)
    if not callable(function):
        raise ProblemError(f"The activation of '{name}' was not found", fix=f"Known names: {FUNCTIONS}.")
    children = dict(holder.named_children())
    # Some blocks have gate and value in one layer, of twice the width.
    gated = any(gate in children for gate in GATES) or _outputs(first) == 2 * width_of(second)
    kind = getattr(function, "__name__", type(function).__name__)
    return Block(name, first, second, kind, has_exact_zeros(function), gated)


def relu_blocks(model: nn.Module) -> tuple[Block, ...]:
    """The blocks of :func:`mlp_blocks`, all of which are f(x) = V relu(Kᵀx), as the paper's.

    Raises:
        ProblemError: As there; and if a block is gated, or its activation has no exact zeros.
    """
    blocks = mlp_blocks(model)
    for block in blocks:
        _check_plain(block, model)
    return blocks


def _check_plain(block: Block, model: nn.Module) -> None:
    if block.gated:
        raise ProblemError(
            f"The MLP blocks of {type(model).__name__} are gated, the paper's are not",
            where=block.name,
            fix="Measure a model with f(x) = V relu(Kᵀx), such as OPT or T5 v1.0 (v1.1 is gated), or say "
            "with zero=... what counts as zero.",
        )
    if not block.exact:
        raise ProblemError(
            f"The activation {block.function} of {type(model).__name__} has no exact zeros: all neurons "
            "would count",
            where=block.name,
            fix="Measure a model with ReLU, or say with zero=... what counts as zero, which is not the "
            "paper's measure.",
        )


def has_exact_zeros(function: Callable[[Tensor], Tensor]) -> bool:
    """Whether an activation is zero for all negative inputs and positive for all positive ones."""
    x = torch.cat([torch.logspace(-6, 2, 200), torch.linspace(0.01, 10.0, 200)])
    with torch.no_grad():
        return bool((function(-x) == 0).all() and (function(x) > 0).all())


def width_of(layer: nn.Module) -> int:
    """Number of inputs of a linear layer, or of GPT-2's layer with a transposed weight."""
    features = getattr(layer, "in_features", None)
    return int(features if features is not None else layer.get_parameter("weight").shape[0])


def _outputs(layer: nn.Module) -> int:
    features = getattr(layer, "out_features", None)
    return int(features if features is not None else layer.get_parameter("weight").shape[1])
