"""A context whose probes are evaluated, as the engine does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from tests.methods import context


@dataclass
class FakeContext(context.FakeContext):
    """Keeps what ``watcher`` makes of a probe, and gives each name a random stream of its own."""

    watcher: Any = None

    def torch_rng(self, name: str) -> torch.Generator:
        return torch.Generator().manual_seed(int(self.rng(name).integers(2**31)))

    def probe(self, step: int, result: Any) -> None:
        self.probes.append((step, self.watcher(result) if self.watcher else None))


def watched(task: Any, **changes: Any) -> FakeContext:
    """A context whose probes are evaluated by the task."""
    ctx = FakeContext(**changes)
    ctx.watcher = lambda result: task.evaluate(result, ctx)
    return ctx
