"""One forward pass through any language model of ``transformers``: logits of target tokens only.

With a vocabulary of 262,144 ids the logits are the expensive part of a pass, so the output layer
sees only the positions that predict a target. Everything a model does around that layer (scaling,
soft-capping) stays the model's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from harness.method import ProblemError
from methods.common.examples import Batch

Model = Any
"""A causal or encoder-decoder language model of ``transformers``."""


def is_encoder_decoder(model: Model) -> bool:
    """Whether prompts go to an encoder and targets to a decoder."""
    return bool(getattr(model.config, "is_encoder_decoder", False))


def target_logits(model: Model, batch: Batch, prefix: Tensor | None = None) -> Tensor:
    """Logits of the target tokens, shape (N, V).

    Args:
        model: A language model.
        batch: From :func:`~methods.common.examples.collate` (``separate`` for an
            encoder-decoder) or :func:`~methods.common.examples.pack`.
        prefix: Vectors before each row, in the space that the model's input embeddings give,
            shape (p, d) or (B, p, d). They take the first p positions.

    Raises:
        ProblemError: If a prefix is given for packed rows, which begin more than one example.
    """
    if prefix is not None and batch.positions is not None:
        raise ProblemError("A prefix stands before one example, not before a packed row", fix="Use collate.")
    length = 0 if prefix is None else prefix.shape[-2]
    inputs = _inputs(model, batch, prefix)
    places = batch.places
    if batch.separate:
        inputs["decoder_input_ids"] = model.prepare_decoder_input_ids_from_labels(batch.labels)
    elif length:
        width = batch.ids.shape[1]
        places = places + (places // width + 1) * length
    with only_at(model, places):
        logits: Tensor = model(**inputs, use_cache=False).logits
    return logits


def summed_loss(logits: Tensor, gold: Tensor, smoothing: float = 0.0) -> Tensor:
    """Cross-entropy of the gold tokens in nats, in float32, summed.

    Args:
        logits: Shape (N, V).
        gold: Shape (N,).
        smoothing: Share of the target mass that is spread evenly over the vocabulary.
    """
    return nn.functional.cross_entropy(logits.float(), gold, reduction="sum", label_smoothing=smoothing)


def embed_with_prefix(model: Model, ids: Tensor, prefix: Tensor) -> Tensor:
    """Input vectors with ``prefix`` before each row, shape (B, p + T, d).

    Models that scale their embeddings (Gemma) do so inside their embedding layer, or scale all
    input vectors later: either way the prefix lives in the space that this layer gives.
    """
    embedded: Tensor = model.get_input_embeddings()(ids)
    before = prefix.to(embedded.dtype).expand(len(ids), -1, -1)
    return torch.cat([before, embedded], dim=1)


def mask_with_prefix(mask: Tensor, length: int) -> Tensor:
    """The mask with ``length`` visible positions before each row, shape (B, p + T)."""
    return torch.cat([mask.new_ones(len(mask), length), mask], dim=1)


@contextmanager
def only_at(model: Model, places: Tensor) -> Iterator[None]:
    """Let the output layer see only the flat positions ``places`` (N,): logits become (N, V)."""
    head = model.get_output_embeddings()

    def select(_: nn.Module, args: tuple[Tensor, ...]) -> tuple[Tensor]:
        hidden = args[0]
        return (hidden.reshape(-1, hidden.shape[-1]).index_select(0, places),)

    handle = head.register_forward_pre_hook(select)
    try:
        yield
    finally:
        handle.remove()


def _inputs(model: Model, batch: Batch, prefix: Tensor | None) -> dict[str, Any]:
    inputs: dict[str, Any] = {}
    # Right padding of a causal model is seen by no token before it: without a mask the attention
    # takes its fastest way. Restarting positions then also tell the model where examples begin.
    mask = batch.mask if batch.separate else None
    if prefix is None:
        inputs["input_ids"] = batch.ids
    else:
        inputs["inputs_embeds"] = embed_with_prefix(model, batch.ids, prefix)
        mask = None if mask is None else mask_with_prefix(mask, prefix.shape[-2])
    if mask is not None:
        inputs["attention_mask"] = mask
    if batch.positions is not None:
        inputs["position_ids"] = batch.positions
    return inputs
