"""Both stages on an untrained model, on one device and in parts; and a program that is killed."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from methods.promot import tuning
from methods.promot.checkpoint import LanguageModel
from methods.promot.stage import Stage
from methods.promot.tuning import Session
from methods.promot.world import Architecture
from tests.methods.common.sharded.killing import telling
from tests.methods.promot.worlds import FakeContext, small_world, untrained

STAGE = Stage(rate=1e-3, steps=4, every=2, batch=7, keep="last")
"""Batches that two processes cannot divide evenly."""
TASKS = ("entailment", "translation")


def saved(folder: Path, architecture: Architecture) -> Path:
    untrained(architecture).save_pretrained(folder)
    return folder


def session(
    folder: Path, scratch: Path, count: int, *, tasks: tuple[str, ...] = TASKS, **more: Any
) -> Session:
    """A session on so many devices."""
    context = FakeContext({"model": LanguageModel(folder)}, scratch=scratch, devices=("cpu",) * count, **more)
    return Session.begin(small_world(targets=tasks).problem(context), context)


def both_stages(made: Session, stage: Stage, *, steps: int = 4) -> None:
    """A prompt for each task, then the model behind them."""
    stage = replace(stage, steps=steps)
    for task in made.problem.targets:
        tuning.tune_prompt(made, task, 3, replace(stage, rate=0.1))
    tuning.tune_model(made, stage)


def prompts(made: Session) -> dict[str, Tensor]:
    return {name: prompt.weight.detach() for name, prompt in made.prompts.items() if prompt is not None}


def weights(made: Session) -> dict[str, Tensor]:
    return {name: parameter.detach() for name, parameter in made.model.named_parameters()}


def program(folder: Path, scratch: Path, out: Path) -> None:
    """Twenty steps of each stage with Adafactor, the best weights kept; writes prompts and weights."""
    scratch.mkdir(parents=True)
    made = session(folder, scratch, 2, tasks=TASKS[:1], checkpoints=telling(out))
    both_stages(made, replace(STAGE, optimizer="adafactor", every=5, keep="best"), steps=20)
    torch.save({"prompts": prompts(made), "weights": weights(made)}, out / "end.pt")


if __name__ == "__main__":
    program(*map(Path, sys.argv[1:]))
