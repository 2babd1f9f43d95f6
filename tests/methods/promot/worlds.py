"""A context without an engine, and untrained models of the formal language."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from harness.method import AskedModel, Checkpoints
from methods.promot import pretraining
from methods.promot.formats import FormatWorld
from methods.promot.world import Architecture


@dataclass
class Saved:
    """A model in memory that gives private copies, as a reference does."""

    made: Any
    folder: Path | None = None

    def model(self, device: str, dtype: str) -> Any:
        import copy

        del device, dtype
        return copy.deepcopy(self.made).eval()


@dataclass
class FakeContext:
    """Just enough of :class:`harness.method.Context`."""

    objects: dict[Any, Any] = field(default_factory=dict)
    seed: int = 7
    stage: Any = "main"
    device: str = "cpu"
    dtype: str = "float32"
    threads: int = 1
    scratch: Path = Path()
    checkpoints: Checkpoints = field(default_factory=Checkpoints)
    devices: tuple[str, ...] = ("cpu",)
    answers: Path | None = None
    probed: list[tuple[int, Any]] = field(default_factory=list)

    def load(self, ref: Any, *, fresh: bool = False) -> Any:
        del fresh
        return self.objects[ref]

    def rng(self, name: str) -> np.random.Generator:
        return np.random.default_rng([self.seed, *name.encode()])

    def torch_rng(self, name: str) -> torch.Generator:
        return torch.Generator().manual_seed(self.seed + sum(name.encode()))

    def asks(self, model: AskedModel) -> None:
        pass

    def probe(self, step: int, result: Any) -> None:
        self.probed.append((step, result))

    def progress(self, done: float, message: str = "") -> None:
        assert 0 <= done <= 1, message


def untrained(architecture: Architecture = "decoder", hidden: int = 16) -> Any:
    generator = torch.Generator().manual_seed(0)
    return pretraining.new_model(architecture, 1, hidden, 2, generator).eval()


def context(architecture: Architecture = "decoder", **changes: Any) -> FakeContext:
    return FakeContext({"model": Saved(untrained(architecture))}, **changes)


def small_world(**changes: Any) -> FormatWorld:
    sizes: dict[str, Any] = {"train": 40, "validation": 8, "test": 8, "items": 3, "shots": (0, 1)}
    return FormatWorld(model="model", **{**sizes, **changes})  # type: ignore[arg-type]
