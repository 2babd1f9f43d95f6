"""Pretraining on a generated world, from scratch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from harness.method import Checkpoints
from methods.common.draws import generator
from methods.common.examples import Example
from methods.common.training import Recipe, fit
from methods.kaft.fact_reader import FactReader, Size, word_loss
from methods.kaft.models import Reader
from methods.kaft.prompts import PLAIN, Asked
from methods.kaft.reading import Limits, read
from methods.kaft.word_tokens import WordTokenizer
from methods.kaft.words import strip_tag
from methods.kaft.world import END, PAD, World


@dataclass(frozen=True)
class Plan:
    """How to pretrain; see ``PretrainedWorld`` for the fields."""

    size: Size
    steps: int
    batch: int
    pool: int
    rate: float
    seed: tuple[int, ...]


def pretrain(
    world: World,
    plan: Plan,
    progress: Callable[[float, str], None],
    checkpoints: Checkpoints | None = None,
) -> tuple[Any, WordTokenizer]:
    """A model that knows the world's known facts, and its tokenizer."""
    rng = np.random.default_rng(list(plan.seed))
    vocabulary = world.vocabulary()
    model = FactReader(plan.size, generator(int(rng.integers(2**31))))
    optimizer = torch.optim.AdamW(model.parameters(), lr=plan.rate, betas=(0.9, 0.98), weight_decay=0.01)
    warmup = min(100, plan.steps // 5)
    recipe = Recipe(steps=plan.steps, batch=plan.batch, warmup=warmup, schedule="cosine", clip=1.0)
    examples = list(_examples(world, plan.pool, rng))
    pad = vocabulary.index(PAD)
    fit(
        model,
        optimizer,
        examples,
        recipe,
        rng=rng,
        pad=pad,
        loss=word_loss,
        progress=progress,
        checkpoints=checkpoints,
        name="pretraining",
    )
    return model, world.tokenizer()


def _examples(world: World, count: int, rng: np.random.Generator) -> Iterator[Example]:
    # Every word is a token, so a look-up does what the tokenizer would do much more slowly.
    index = {word: number for number, word in enumerate(world.vocabulary())}
    for number, (prompt, answer) in enumerate(world.pretraining(count, rng)):
        yield Example(str(number), tuple(index[word] for word in prompt.split()), (index[answer], index[END]))


def ask_all(world: World, folder: Path) -> dict[str, str]:
    """M(q) of every question of the world, for the model in ``folder``."""
    reader = Reader(folder)
    subjects = range(world.rules.subjects)
    questions = world.questions(subjects, np.random.default_rng(0))
    asked = {q.text: Asked(q.text, "") for q in questions}
    answers, _ = read(reader.model("cpu", "float32"), reader, PLAIN, asked, Limits(answer=1, batch=256))
    return {text: strip_tag(answer) for text, answer in answers.items()}
