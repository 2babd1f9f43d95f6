"""What a method or task sees of a trial, without engine or resources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from harness.method import AskedModel, Checkpoints


@dataclass
class FakeContext:
    """A trial's context, with references answered from a mapping by name or type."""

    seed: int = 100
    stage: Literal["tune", "main"] = "main"
    device: str = "cpu"
    dtype: str = "float32"
    threads: int = 1
    scratch: Path = Path()
    objects: Mapping[str, Any] = field(default_factory=dict)
    checkpoints: Checkpoints = field(default_factory=Checkpoints)
    probes: list[tuple[int, Any]] = field(default_factory=list)
    devices: tuple[str, ...] = ("cpu",)
    answers: Path | None = None
    asked: list[AskedModel] = field(default_factory=list)

    def load(self, ref: Any, *, fresh: bool = False) -> Any:
        return self.objects[getattr(ref, "name", type(ref).__name__)]

    def rng(self, name: str) -> np.random.Generator:
        return np.random.default_rng([self.seed, *name.encode()])

    def torch_rng(self, name: str) -> torch.Generator:
        return torch.Generator().manual_seed(self.seed)

    def asks(self, model: AskedModel) -> None:
        self.asked.append(model)

    def probe(self, step: int, result: Any) -> None:
        self.probes.append((step, result))

    def progress(self, done: float, message: str = "") -> None:
        assert 0 <= done <= 1
