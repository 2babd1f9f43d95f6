"""Small models pretrained from scratch on episodes of the formal language."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.optim.lr_scheduler import LambdaLR

from harness.method import Checkpoints
from methods.common.draws import fill_normal
from methods.common.examples import IGNORED, Batch, Example, collate, filled
from methods.common.forward import summed_loss, target_logits
from methods.common.loop import Loop, drawn, last_tenth
from methods.promot import world
from methods.promot.world import Architecture, Segment

CONTEXT = 256


@dataclass(frozen=True)
class Pretraining:
    """How a model is pretrained: AdamW, linear warm-up, then linear decay to zero.

    Attributes:
        steps: Updates.
        batch: Episodes an update.
        length: Tokens of an episode.
        rate: Largest learning rate.
        warmup: Updates of warm-up.
    """

    steps: int
    batch: int
    length: int
    rate: float
    warmup: int = 50


def new_model(
    architecture: Architecture, layers: int, hidden: int, heads: int, generator: torch.Generator
) -> Any:
    """An untrained model with relative positions (Llama, or T5).

    For the decoder weights are drawn with standard deviation .1 and rotary frequencies are high: with
    the usual values for large models and long texts, attention learns to look back much later. The
    encoder-decoder starts as T5 does, whose attention is not scaled.
    """
    from transformers import LlamaConfig, LlamaForCausalLM, T5Config, T5ForConditionalGeneration

    model: Any
    if architecture == "decoder":
        model = LlamaForCausalLM(
            LlamaConfig(
                vocab_size=world.VOCABULARY,
                hidden_size=hidden,
                intermediate_size=4 * hidden,
                num_hidden_layers=layers,
                num_attention_heads=heads,
                max_position_embeddings=CONTEXT,
                tie_word_embeddings=True,
                rope_parameters={"rope_type": "default", "rope_theta": 100.0},
                pad_token_id=world.PAD,
                bos_token_id=None,
                eos_token_id=world.STOP,
            )
        )
    else:
        model = T5ForConditionalGeneration(
            T5Config(
                vocab_size=world.VOCABULARY,
                d_model=hidden,
                d_kv=hidden // heads,
                d_ff=4 * hidden,
                num_layers=layers,
                num_decoder_layers=layers,
                num_heads=heads,
                dropout_rate=0.0,
                pad_token_id=world.PAD,
                eos_token_id=world.STOP,
            )
        )
        model.config.decoder_start_token_id = world.PAD
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim > 1:
                spread = 0.1 if architecture == "decoder" else _t5_spread(name, parameter, heads)
                fill_normal(parameter, 0.0, spread, generator)
    return model


def _t5_spread(name: str, parameter: Tensor, heads: int) -> float:
    """Standard deviation that T5 draws a weight with: from the width of what the layer reads."""
    if name.startswith("shared"):
        return 1.0
    width = parameter.shape[1]
    if name.endswith(".q.weight"):
        return float((width * width / heads) ** -0.5)
    return float(width**-0.5)


def pretrain(
    model: Any,
    plan: Pretraining,
    rng: np.random.Generator,
    report: Callable[[float, str], None],
    checkpoints: Checkpoints | None = None,
) -> float:
    """Train in place on endless fresh episodes.

    Returns:
        The mean loss of the last tenth of the updates, in nats a known answer token.

    Raises:
        DivergedError: If the loss is not finite.
    """

    def factor(step: int) -> float:
        return min((step + 1) / plan.warmup, 1.0) * max(0.02, 1.0 - step / plan.steps)

    model.train()
    losses = Loop(
        torch.optim.AdamW(model.parameters(), lr=plan.rate, betas=(0.9, 0.98), weight_decay=0.05, fused=True),
        drawn(lambda: [world.pretraining_episode(plan.length, rng) for _ in range(plan.batch)]),
        lambda episodes: _loss(model, episodes),
        plan.steps,
        schedule=partial(LambdaLR, lr_lambda=factor),
        clip=1.0,
        progress=report,
        checkpoints=checkpoints,
        name="pretraining",
        also={"episodes": rng},
    ).run()
    model.eval()
    return last_tenth(losses)


def _loss(model: Any, episodes: Sequence[list[Segment]]) -> Tensor:
    if model.config.is_encoder_decoder:
        batch = collate([_last_known(episode) for episode in episodes], world.PAD, separate=True)
    else:
        batch = all_answers(episodes)
    return summed_loss(target_logits(model, batch), batch.gold) / len(batch.gold)


def all_answers(episodes: Sequence[list[Segment]]) -> Batch:
    """A causal batch in which every known answer of every episode is a target."""
    rows = [[t for part in episode for t in (*part.prompt, *part.answer)] for episode in episodes]
    marks = [
        [t for part in episode for t in (*(IGNORED,) * len(part.prompt), *_target(part))]
        for episode in episodes
    ]
    ids, labels = filled(rows, world.PAD), filled(marks, IGNORED)
    # A token is predicted one place before its own.
    places = np.flatnonzero(labels != IGNORED)
    owner = places // labels.shape[1]
    return Batch(
        ids=torch.from_numpy(ids),
        labels=torch.from_numpy(labels),
        mask=torch.from_numpy(filled([[1] * len(row) for row in rows], 0)),
        names=tuple(f"episode {i}" for i in range(len(episodes))),
        places=torch.from_numpy(places - 1),
        gold=torch.from_numpy(labels.reshape(-1)[places]),
        owner=torch.from_numpy(owner),
    )


def _target(part: Segment) -> tuple[int, ...]:
    return part.answer if part.known else (IGNORED,) * len(part.answer)


def _last_known(episode: list[Segment]) -> Example:
    """The last segment that can be answered, all before it being read."""
    last = max(i for i, part in enumerate(episode) if part.known or i == 0)
    before = tuple(t for part in episode[:last] for t in (*part.prompt, *part.answer))
    return Example("episode", before + episode[last].prompt, episode[last].answer)
