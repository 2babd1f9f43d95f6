"""Counting in pretrained models of ``transformers``: plain ReLU MLP blocks (OPT, T5 v1.0, …), or any.

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
from methods.sparsity.blocks import mlp_blocks, relu_blocks
from methods.sparsity.counting import Counts, Tally
from methods.sparsity.zeros import Zero


class PretrainedCounter:
    """Counts the activations of a pretrained model while it is entered (``with``).

    Tokens hidden by the attention masks that the model is given are not counted; so give the
    decoder of an encoder-decoder its ``decoder_attention_mask``, too.
    """

    def __init__(self, model: nn.Module, zero: Zero | None = None) -> None:
        """Find the blocks.

        Args:
            model: A model of ``transformers`` in evaluation mode.
            zero: What counts as zero, of any MLP block. Without it blocks must be plain ReLU, as the paper's.

        Raises:
            ProblemError: If the model has no MLP blocks, or none of the paper's kind where ``zero`` is not
                given, or weights in half precision.
        """
        if any(weight.dtype == torch.float16 for weight in model.parameters()):
            raise ProblemError(
                "In half precision (float16) small activations become zero and look inactive",
                where=type(model).__name__,
                fix="Load the model in bfloat16 or float32.",
            )
        self._model = model
        self._zero = zero or Zero()
        self._blocks = relu_blocks(model) if zero is None else mlp_blocks(model)
        self._tallies = {block.name: Tally(block.name, block.d_ff) for block in self._blocks}
        self._masks: dict[str, Tensor | None] = {}
        self._handles: list[Any] = []

    def __enter__(self) -> Self:
        if self._handles:
            raise ProblemError("This counter is counting already", where=type(self._model).__name__)
        for name in {"", *(_stack_of(block.name) for block in self._blocks)}:
            stack = self._model.get_submodule(name)
            self._handles.append(stack.register_forward_pre_hook(self._noted(name), with_kwargs=True))
        for block in self._blocks:
            self._handles.append(block.second.register_forward_pre_hook(self._counted(block.name)))
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
            mask = given.get("attention_mask", given.get("kwargs", {}).get("attention_mask"))
            if mask is not None and mask.ndim != 2 and stack and self._made_of_ours(mask):
                # Encoders such as BERT's give their stack a mask that they have made of ours.
                mask = self._masks[""]
            if mask is not None and mask.ndim != 2:
                raise ProblemError(
                    f"An attention mask of shape {tuple(mask.shape)} does not say which tokens are padding",
                    where=stack,
                    fix="Give a mask of shape (batch, tokens).",
                )
            self._masks[stack] = mask

        return note

    def _made_of_ours(self, mask: Tensor) -> bool:
        """Whether a mask of a stack has as many texts and tokens as the model's own."""
        own = self._masks.get("")
        return own is not None and (len(own), own.shape[1]) == (mask.shape[0], mask.shape[-1])

    def _counted(self, name: str) -> Callable[[nn.Module, tuple[Any, ...]], None]:
        tally, stack, zero = self._tallies[name], _stack_of(name), self._zero

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
            tally(zero.clear(a), mask)

        return count


def _stack_of(block: str) -> str:
    """The module around a list of layers: what comes before the first number of a block's name."""
    parts = block.split(".")
    first = next((place for place, part in enumerate(parts) if part.isdigit()), len(parts))
    return ".".join(parts[: max(first - 1, 0)])
