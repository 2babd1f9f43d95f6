"""A context without engine or resources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch


@dataclass
class FakeContext:
    """What a trial sees, with references answered from a mapping by name."""

    seed: int = 100
    stage: Literal["tune", "main"] = "main"
    device: str = "cpu"
    dtype: str = "float32"
    threads: int = 1
    scratch: Path = Path()
    objects: Mapping[str, Any] = field(default_factory=dict)
    probes: list[tuple[int, Any]] = field(default_factory=list)
    watcher: Any = None

    def load(self, ref: Any, *, fresh: bool = False) -> Any:
        return self.objects[ref.name]

    def rng(self, name: str) -> np.random.Generator:
        return np.random.default_rng([self.seed, *name.encode()])

    def torch_rng(self, name: str) -> torch.Generator:
        return torch.Generator().manual_seed(int(self.rng(name).integers(2**31)))

    def probe(self, step: int, result: Any) -> None:
        self.probes.append((step, self.watcher(result) if self.watcher else None))

    def progress(self, done: float, message: str = "") -> None:
        assert 0 <= done <= 1


def watched(task: Any, **changes: Any) -> FakeContext:
    """A context whose probes are evaluated by the task, as the engine does."""
    ctx = FakeContext(**changes)
    ctx.watcher = lambda result: task.evaluate(result, ctx)
    return ctx
