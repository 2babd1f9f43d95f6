"""A small world for tasks and methods: no engine, no resources from outside."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from harness.method import AskedModel, Checkpoints
from methods.ibws.generated import generated_ratings


@dataclass
class FakeContext:
    """What a trial sees, with references answered from a mapping."""

    seed: int = 200
    stage: Literal["tune", "main"] = "main"
    device: str = "cpu"
    dtype: str = "float32"
    threads: int = 1
    scratch: Path = Path()
    checkpoints: Checkpoints = field(default_factory=Checkpoints)
    devices: tuple[str, ...] = ("cpu",)
    answers: Path | None = None
    objects: Mapping[Any, Any] = field(default_factory=dict)
    probes: list[tuple[int, Any]] = field(default_factory=list)

    def load(self, ref: Any, *, fresh: bool = False) -> Any:
        found = self.objects[ref]
        return found() if isinstance(found, Callable) and not hasattr(found, "domain") else found  # type: ignore[arg-type]

    def rng(self, name: str) -> np.random.Generator:
        return np.random.default_rng([self.seed, *name.encode()])

    def torch_rng(self, name: str) -> Any:
        import torch

        return torch.Generator().manual_seed(self.seed)

    def asks(self, model: AskedModel) -> None:
        pass

    def probe(self, step: int, result: Any) -> None:
        self.probes.append((step, result))

    def progress(self, done: float, message: str = "") -> None:
        assert 0 <= done <= 1


@pytest.fixture
def rated() -> Any:
    """1,100 generated texts with 20 ratings each."""
    return generated_ratings(1100, 20, np.random.default_rng(5))
