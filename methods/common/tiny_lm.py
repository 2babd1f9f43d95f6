"""Small transformer language models trained from scratch on a few megabytes of text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.optim.lr_scheduler import OneCycleLR

from harness.method import Checkpoints
from methods.common.draws import fill_normal, integers
from methods.common.loop import Loop, drawn, last_tenth

BOUNDARY = "<s>"
"""Stands before every text, and so also after the one before."""


@dataclass(frozen=True)
class Size:
    """Size of a decoder-only transformer (Llama architecture, tied embeddings)."""

    layers: int
    hidden: int
    heads: int = 4
    context: int = 256


@dataclass(frozen=True)
class Schedule:
    """How to train: AdamW with linear warm-up and cosine decay.

    Attributes:
        steps: Number of updates.
        batch: Sequences an update.
        length: Tokens a sequence.
        rate: Largest learning rate.
        warmup: Updates of linear warm-up.
        decay: Weight decay.
    """

    steps: int
    batch: int = 32
    length: int = 64
    rate: float = 2e-3
    warmup: int = 50
    decay: float = 0.05


def train_tokenizer(texts: Sequence[str], vocabulary: int) -> Any:
    """A byte-level BPE tokenizer with ``vocabulary`` ids, id 0 being :data:`BOUNDARY`.

    Returns:
        A ``transformers`` fast tokenizer.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary, special_tokens=[BOUNDARY], initial_alphabet=alphabet, show_progress=False
    )
    inner.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=inner, bos_token=BOUNDARY, eos_token=BOUNDARY)


def encode(tokenizer: Any, texts: Sequence[str]) -> Tensor:
    """All texts as one stream of ids, each preceded by the boundary token, shape (N,)."""
    boundary = tokenizer.bos_token_id
    pieces = tokenizer(list(texts), add_special_tokens=False)["input_ids"]
    return torch.tensor([token for piece in pieces for token in (boundary, *piece)], dtype=torch.long)


def new_model(vocabulary: int, size: Size, generator: torch.Generator) -> Any:
    """An untrained model; weights are drawn from ``generator`` with standard deviation .02."""
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=size.hidden,
        intermediate_size=4 * size.hidden,
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        max_position_embeddings=size.context,
        tie_word_embeddings=True,
        bos_token_id=0,
        eos_token_id=0,
    )
    model = LlamaForCausalLM(config)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                fill_normal(parameter, 0.0, 0.02, generator)
    return model


def train(
    model: Any,
    stream: Tensor,
    schedule: Schedule,
    generator: torch.Generator,
    report: Callable[[float, str], None],
    *,
    checkpoints: Checkpoints | None = None,
) -> float:
    """Train on random windows of a token stream.

    Args:
        model: A causal language model, changed in place.
        stream: Token ids, shape (N,).
        schedule: How to train.
        generator: Chooses the windows.
        report: Called with the share done and the loss in nats a token.
        checkpoints: Where the state is kept.

    Returns:
        The mean loss of the last tenth of the updates, in nats a token.

    Raises:
        DivergedError: If the loss is not finite.
    """
    place, warmup = torch.arange(schedule.length), min(0.5, schedule.warmup / schedule.steps)

    def windows() -> Tensor:
        starts = integers(len(stream) - schedule.length, (schedule.batch, 1), generator)
        return stream[starts + place]

    model.train()
    losses = Loop(
        torch.optim.AdamW(
            model.parameters(), lr=schedule.rate, betas=(0.9, 0.98), weight_decay=schedule.decay
        ),
        drawn(windows),
        # The model shifts the labels itself.
        lambda batch: model(input_ids=batch, labels=batch).loss,
        schedule.steps,
        schedule=partial(OneCycleLR, max_lr=schedule.rate, total_steps=schedule.steps, pct_start=warmup),
        clip=1.0,
        progress=report,
        checkpoints=checkpoints,
        name="training on windows",
        also={"windows": generator},
    ).run()
    model.eval()
    return last_tenth(losses)


def save(model: Any, tokenizer: Any, folder: Path) -> None:
    """Save weights (safetensors) and tokenizer in ``folder``."""
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
