"""Trials that do nothing, with PyTorch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from harness.method import Context, Method, param


@dataclass(frozen=True)
class TorchNoop(Method[int, int]):
    """Adds nothing to the problem."""

    problem_type: ClassVar[type] = int
    cell: int = param(0, source="ours")

    def run(self, problem: int, ctx: Context) -> int:
        """Nothing."""
        return int(torch.tensor(problem))


def own_pages(ctx: Context) -> bytes:
    """MiB of memory that no other process shares with this one, which has PyTorch and used it."""
    import psutil

    torch.ones(8, 8) @ torch.ones(8, 8)
    return str(psutil.Process().memory_full_info().uss / 2**20).encode()
