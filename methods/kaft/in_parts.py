"""Finetuning of a model that several devices hold together; see :mod:`methods.common.sharded`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from harness.method import Context
from methods.common.examples import Example, pad_token
from methods.common.forward import Model
from methods.common.placing import FEW
from methods.common.sharded.spread import spread
from methods.common.sharded.state import put
from methods.common.sharded.training import train
from methods.common.sharded.work import Work, adapters, all_weights, is_stored_large
from methods.common.training import Recipe, token_loss
from methods.kaft.fact_reader import CONFIG, word_loss
from methods.kaft.models import Reader, load_language_model


def finetuned_in_parts(
    reader: Reader,
    examples: Sequence[Example],
    recipe: Recipe,
    *,
    rank: int,
    rate: float,
    ctx: Context,
    dtype: str,
    watch: Callable[[int, Any], None] | None = None,
) -> Model:
    """As :func:`methods.kaft.finetuning.finetune` on one device, to rounding, apart from dropout.

    Args:
        reader: The pretrained model.
        examples: What to learn.
        recipe: How long.
        rank: Of LoRA factors; 0 trains all weights.
        rate: Largest learning rate of AdamW.
        ctx: The trial, with several devices.
        dtype: Of frozen weights. All trained ones are float32; where ``ctx.dtype`` is bfloat16, layers
            whose weights are trained are gathered and computed in it.
        watch: Called with the number of updates and the model.

    Returns:
        The trained model, for answering: spread over the trial's devices if these are GPUs.
    """
    kept = dtype if rank else "float32"
    adapt = _adapted(rank, ctx)
    large = is_stored_large(reader.folder)
    work = Work(
        load=partial(load_language_model, reader.folder, device="cpu", dtype=kept),
        trained=adapt,
        optimizer=partial(torch.optim.AdamW, lr=rate, weight_decay=0.0),
        examples=examples,
        recipe=recipe,
        order=ctx.rng("order"),
        pad=pad_token(reader.tokenizer),
        seed=int(ctx.rng("dropout of processes").integers(2**31)),
        loss=word_loss if (reader.folder / CONFIG).is_file() else token_loss,
        compute="bfloat16" if ctx.dtype == "bfloat16" and not rank else "stored",
        at_once=FEW if large else 0,
        recompute=large,
        threads=ctx.threads,
    )

    def whole(folder: Path) -> Model:
        model = load_language_model(reader.folder, device="cpu", dtype=kept)
        adapt(model)
        put(model, folder)
        return spread(model.requires_grad_(requires_grad=False).eval(), ctx.devices)

    # Each look has a model of its own: beside the parts there is no room for one that stays.
    shown = None if watch is None else (lambda step, folder: watch(step, whole(folder)))
    return whole(train(work, ctx, name="finetuning", watch=shown).folder)


def _adapted(rank: int, ctx: Context) -> Callable[[Any], dict[str, nn.Parameter]]:
    """What is trained: all weights, or adapters that are drawn as on one device."""
    if not rank:
        return all_weights
    return partial(adapters, rank=rank, alpha=2.0 * rank, generator=ctx.torch_rng("lora"))
