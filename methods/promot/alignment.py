"""The gradient-alignment diagnostic (section 3.2 of the paper).

For one batch of inputs, g is the gradient of the loss with the true answers, g_format that with the
answers permuted: it keeps what any answer of this *format* asks for and loses the meaning. While
cos(g, g_format) is close to 1, training learns the format.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from methods.common.examples import Batch, Example, collate
from methods.common.forward import is_encoder_decoder

BLOCKS: Mapping[str, tuple[str, ...]] = {
    "mlp": ("mlp.up_proj", "DenseReluDense.wi", "DenseReluDense.wi_0"),
    "query": ("self_attn.q_proj", "SelfAttention.q"),
    "key": ("self_attn.k_proj", "SelfAttention.k"),
    "value": ("self_attn.v_proj", "SelfAttention.v"),
}
"""Blocks of the last decoder layer that the paper shows, by the ends of their modules' names."""

Loss = Callable[[Any, Batch, float], Tensor]


def last_blocks(model: Any) -> dict[str, Tensor]:
    """The weight of each block in the last (decoder) layer that has it."""
    found: dict[str, Tensor] = {}
    for name, parameter in model.named_parameters():
        for block, ends in BLOCKS.items():
            if name.removesuffix(".weight").removesuffix(".base").endswith(ends):
                found[block] = parameter
    return found


def cosine(left: Tensor, right: Tensor) -> float:
    """Cosine of two tensors of one shape; 0 where one of them is zero."""
    product = left.double().flatten() @ right.double().flatten()
    norms = left.double().norm() * right.double().norm()
    return float(product / norms) if float(norms) > 0 else 0.0


def alignment(
    model: Any,
    examples: Sequence[Example],
    other: Sequence[Example],
    *,
    loss: Loss,
    pad: int,
    smoothing: float = 0.0,
) -> dict[str, float]:
    """Cosine of the gradients on two versions of the same inputs, for each block.

    Args:
        model: Evaluated as it is; nothing of it changes.
        examples: Inputs with their answers.
        other: The same inputs with other answers.
        loss: Summed over target tokens.
        pad: Id to fill rows with.
        smoothing: Label smoothing, as in training: without it the gradient of a model that was
            trained with it never stops asking for more of the format.

    Returns:
        The cosine by block of :data:`BLOCKS`.
    """
    blocks = last_blocks(model)
    asked = {id(parameter) for parameter in blocks.values()}
    flags = [(parameter, parameter.requires_grad) for parameter in model.parameters()]
    device = model.get_input_embeddings().weight.device
    gradients = []
    with torch.enable_grad():
        for parameter, _ in flags:
            # Whatever asks for a gradient below makes every layer keep what it computed: gigabytes.
            parameter.requires_grad_(id(parameter) in asked)
        for version in (examples, other):
            batch = collate(list(version), pad, device, separate=is_encoder_decoder(model))
            gradients.append(torch.autograd.grad(loss(model, batch, smoothing), list(blocks.values())))
    for parameter, flag in flags:
        parameter.requires_grad_(flag)
    return {
        block: cosine(left, right)
        for block, left, right in zip(blocks, gradients[0], gradients[1], strict=True)
    }
