"""Trainings of tiny models, in one process and in several; and a program that is killed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from transformers.optimization import Adafactor

from methods.common.causal_lm import load_model
from methods.common.sharded.state import put
from methods.common.sharded.training import Trained, train
from methods.common.sharded.work import Work, adapters, all_weights
from methods.common.training import Recipe, fit
from tests.methods.common import models
from tests.methods.common.sharded.killing import telling
from tests.methods.context import FakeContext

RECIPE = Recipe(steps=5, batch=5, accumulate=2, warmup=2, schedule="linear", clip=1.0, smoothing=0.1)
"""Draws of five examples: two processes read three and two, three of them two, two and one."""


def adapted() -> Callable[[Any], dict[str, nn.Parameter]]:
    """Low-rank adapters, drawn anew."""
    return partial(adapters, rank=2, alpha=4.0, generator=torch.Generator().manual_seed(5))


def saved(kind: str, folder: Path) -> Path:
    """A tiny model on disk."""
    getattr(models, kind)().save_pretrained(folder / kind)
    return folder / kind


def loaded(folder: Path, *, dropout: bool = False, dtype: str = "float32") -> Any:
    """The model, without dropout: processes draw it from streams of their own."""
    model = load_model(folder, device="cpu", dtype=dtype)
    for module in model.modules():
        if isinstance(module, nn.Dropout) and not dropout:
            module.p = 0.0
        if isinstance(getattr(module, "dropout", None), float) and not dropout:
            module.dropout = 0.0
    return model


def work(folder: Path, **changes: Any) -> Work:
    """What is trained in several processes."""
    settings: dict[str, Any] = {
        "load": partial(loaded, folder),
        "trained": all_weights,
        "optimizer": partial(torch.optim.AdamW, lr=1e-3, weight_decay=0.01),
        "examples": models.examples(11),
        "recipe": RECIPE,
        "order": np.random.default_rng(3),
        "pad": 0,
        "seed": 1,
        "at_once": 2,
    }
    return Work(**settings | changes)


def adafactor(weights: list[nn.Parameter]) -> torch.optim.Optimizer:
    """As T5X runs it."""
    return Adafactor(weights, lr=1e-3, relative_step=False, scale_parameter=True, warmup_init=False)


def in_one(model: Any, asked: Work) -> list[float]:
    """The same training by one process, of which the weights change."""
    optimizer = asked.optimizer(list(asked.trained(model).items()))
    history = fit(
        model, optimizer, asked.examples, asked.recipe, rng=asked.order, pad=asked.pad, loss=asked.loss
    )
    return history.losses


def in_parts(
    model: Any, asked: Work, scratch: Path, count: int, *, watch: Any = None, **more: Any
) -> Trained:
    """The training by several processes, of which the weights go to ``model``."""
    asked.trained(model)
    found = train(asked, FakeContext(scratch=scratch, devices=("cpu",) * count, **more), watch=watch)
    put(model, found.folder)
    return found


def weights(model: Any) -> Mapping[str, Tensor]:
    return {name: parameter.detach() for name, parameter in model.named_parameters()}


def program(folder: Path, scratch: Path, out: Path) -> None:
    """Twenty steps of T5 with dropout, a checkpoint after each that is due; writes weights and losses."""
    recipe = Recipe(steps=20, batch=5, clip=1.0, schedule="cosine")
    asked = work(folder, load=partial(loaded, folder, dropout=True), recipe=recipe)
    model = loaded(folder)
    scratch.mkdir(parents=True)
    found = in_parts(model, asked, scratch, 2, checkpoints=telling(out))
    torch.save({"weights": weights(model), "losses": found.losses}, out / "end.pt")


if __name__ == "__main__":
    program(*map(Path, sys.argv[1:]))
