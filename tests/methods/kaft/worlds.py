"""A tiny world with an untrained model, and a context to run trials in."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from harness.engine.context import stream
from harness.method import AskedModel, Checkpoints
from methods.common.tiny_lm import Size, new_model
from methods.kaft.models import Reader
from methods.kaft.prepare import PretrainedWorld
from methods.kaft.world import END, PAD

BASE = PretrainedWorld(world=100, subjects=12, novel=3, objects=5, layers=1, hidden=16)


@dataclass
class FakeContext:
    """A trial's context with objects given by hand."""

    objects: dict[Any, Any] = field(default_factory=dict)
    seed: int = 100
    stage: Literal["tune", "main"] = "main"
    device: str = "cpu"
    dtype: str = "float32"
    threads: int = 1
    scratch: Path = Path()
    checkpoints: Checkpoints = field(default_factory=Checkpoints)
    devices: tuple[str, ...] = ("cpu",)
    answers: Path | None = None
    probes: list[tuple[int, Any]] = field(default_factory=list)

    def load(self, ref: Any, *, fresh: bool = False) -> Any:
        return self.objects[ref]

    def rng(self, name: str) -> np.random.Generator:
        return np.random.default_rng(stream(self.seed, name))

    def torch_rng(self, name: str) -> torch.Generator:
        return torch.Generator().manual_seed(int(self.rng(name).integers(2**31)))

    def asks(self, model: AskedModel) -> None:
        pass

    def probe(self, step: int, result: Any) -> None:
        self.probes.append((step, result))

    def progress(self, done: float, message: str = "") -> None:
        pass


def save_base(folder: Path, base: PretrainedWorld = BASE) -> Reader:
    """An untrained model that is said to know every second fact."""
    world = base.draw()
    words = world.vocabulary()
    model = new_model(
        len(words), Size(base.layers, base.hidden, context=64), torch.Generator().manual_seed(0)
    )
    model.config.bos_token_id = None
    model.config.eos_token_id = model.generation_config.eos_token_id = words.index(END)
    model.config.pad_token_id = words.index(PAD)
    model.save_pretrained(folder)
    world.tokenizer().save(folder)
    return Reader(folder, beliefs(base))


def beliefs(base: PretrainedWorld) -> dict[str, str]:
    """M(q): right where subject + relation is even, else the answer with the next number."""
    world = base.draw()
    found = {}
    for question in world.questions(range(base.subjects), np.random.default_rng(0)):
        relation, value = question.answer[1:].split("x")
        right = (int(question.id[1:].partition("-")[0]) + int(relation)) % 2 == 0
        found[question.text] = question.answer if right else f"o{relation}x{(int(value) + 1) % base.objects}"
    return found
