"""Finetuning on a mixture: the training set as tokens, and the training itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from harness.method import Context, ProblemError
from methods.common.examples import Cut, Example, encode, pad_token
from methods.common.lora import add_lora, layers_of, lora_parameters
from methods.common.training import Recipe, fit
from methods.kaft.fact_reader import FactReader, word_loss
from methods.kaft.mixture import Item, Mixture, build
from methods.kaft.questions import Question

if TYPE_CHECKING:
    from methods.kaft.models import Reader
    from methods.kaft.prompts import Template


@dataclass(frozen=True)
class Training:
    """How to finetune.

    Attributes:
        steps: Updates.
        batch: Items an update.
        rate: Largest learning rate of AdamW.
        rank: Rank of LoRA factors; 0 trains all weights.
        limit: Tokens of a prompt with its target.
        every: Watch each so many updates; 0 means never.
    """

    steps: int
    batch: int
    rate: float
    rank: int = 0
    limit: int = 512
    every: int = 0


def finetune(
    reader: Reader,
    template: Template,
    questions: Sequence[Question],
    mixture: Mixture,
    *,
    training: Training,
    ctx: Context,
    dtype: str = "float32",
    change: Callable[[Sequence[Item]], Sequence[Item]] = lambda items: items,
    watch: Callable[[int, Any], None] | None = None,
) -> tuple[Any, int]:
    """A private copy of the reader's model, trained on a mixture.

    Args:
        reader: The pretrained model, and what it believes.
        template: How questions are put.
        questions: To be trained on.
        mixture: Weights and targets.
        training: How.
        ctx: Streams of random numbers, device and type.
        dtype: Of the weights, where LoRA leaves them frozen.
        change: Applied to the items, for negative controls.
        watch: Called with the number of updates and the model.

    Returns:
        The model, and how many prompts were cut.
    """
    items = change(build(questions, mixture, _beliefs(reader), ctx.rng("mixture")))
    examples, cut = tokenised(items, reader.tokenizer, template, training, ctx)
    recipe, rank, rate = _recipe(training), training.rank, training.rate
    if len(ctx.devices) > 1:
        from methods.kaft.in_parts import finetuned_in_parts

        shared: dict[str, Any] = {"rank": rank, "rate": rate, "dtype": dtype, "watch": watch}
        return finetuned_in_parts(reader, examples, recipe, ctx=ctx, **shared), cut
    # Low-rank factors have float32 weights of their own; full finetuning trains float32 weights.
    model = reader.fresh(ctx.device, dtype if rank else "float32")
    parameters = _trained(model, rank, ctx)
    optimizer = torch.optim.AdamW(parameters, lr=rate, weight_decay=0.0, fused=True)
    observe = None if watch is None else (lambda step: watch(step, model))
    fit(
        model,
        optimizer,
        examples,
        recipe,
        rng=ctx.rng("order"),
        pad=pad_token(reader.tokenizer),
        loss=word_loss if isinstance(model, FactReader) else None,
        watch=observe,
        progress=ctx.progress,
        checkpoints=ctx.checkpoints,
        name="finetuning",
    )
    return model, cut


def _recipe(training: Training) -> Recipe:
    return Recipe(
        steps=training.steps,
        batch=training.batch,
        warmup=max(1, training.steps // 20),
        schedule="linear",
        clip=1.0,
        every=training.every,
    )


def tokenised(
    items: Sequence[Item], tokenizer: Any, template: Template, training: Training, ctx: Context
) -> tuple[list[Example], int]:
    """As many items as training can use, as token ids, and how many prompts were cut."""
    order = ctx.rng("items").permutation(len(items))[: training.steps * training.batch]
    cut = Cut(keep="end")
    examples = [
        encode(
            tokenizer,
            items[index].id,
            template.prompt(items[index].question, items[index].context),
            template.target(items[index].target),
            limit=training.limit,
            cut=cut,
        )
        for index in order
    ]
    return examples, cut.cut


def _trained(model: Any, rank: int, ctx: Context) -> list[Any]:
    if not rank:
        return list(model.parameters())
    add_lora(model, layers_of(model), rank, 2.0 * rank, ctx.torch_rng("lora"))
    return lora_parameters(model)


def _beliefs(reader: Reader) -> Mapping[str, str]:
    """M(q); an answer without words cannot be a target."""
    empty = [text for text, answer in reader.beliefs.items() if not answer.strip()]
    if len(empty) == len(reader.beliefs):
        raise ProblemError(
            "The pretrained model answers no question without a context",
            where=str(reader.folder.name),
            fix="Check its closed-book prompt, or train with gold targets.",
        )
    return reader.beliefs
