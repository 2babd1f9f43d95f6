"""LoRA fine-tuning of a tiny model, on one device and in parts; and a program that is killed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from methods.common import tiny_lm
from methods.common.causal_lm import load_checkpoint
from methods.lora_rite import strings
from methods.lora_rite.finetune import FineTune
from methods.lora_rite.language import StringTask
from tests.methods.common.sharded.killing import telling
from tests.methods.context import FakeContext

RANK = 3


def saved(folder: Path) -> Path:
    """A model with several rows in every matrix, of which two processes have some each."""
    size = tiny_lm.Size(2, 16, context=strings.LONGEST)
    tiny_lm.new_model(strings.VOCABULARY, size, torch.Generator().manual_seed(0)).save_pretrained(folder)
    return folder


def trained(
    folder: Path, scratch: Path, count: int, *, optimizer: str = "rite", steps: int = 8, **more: Any
) -> tuple[Any, FakeContext]:
    """The model with its adapters, and the context with its probes; batches are not divided evenly."""
    devices = ("cpu",) * count
    context = FakeContext(
        objects={"StringModel": load_checkpoint(folder)}, scratch=scratch, devices=devices, **more
    )
    task = StringTask(steps=steps, batch=7, train=64, test=20)
    method = FineTune(rank=RANK, alpha=6.0, optimizer=optimizer, rate=1e-2)
    return method.run(task.problem(context), context).model, context


def weights(model: Any) -> dict[str, Tensor]:
    return {name: parameter.detach() for name, parameter in model.named_parameters()}


def program(folder: Path, scratch: Path, out: Path) -> None:
    """Twenty steps of LoRA-RITE in two processes; writes weights and what was seen on the way."""
    scratch.mkdir(parents=True)
    model, context = trained(folder, scratch, 2, steps=20, checkpoints=telling(out))
    seen = [[step, result.moved, result.growth] for step, result in context.probes]
    torch.save({"weights": weights(model), "last": seen[-1]}, out / "end.pt")


if __name__ == "__main__":
    program(*map(Path, sys.argv[1:]))
