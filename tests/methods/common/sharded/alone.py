"""A crew of one, in the test's own process: everything but sending is as in several, and takes no start."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch.distributed as dist

from methods.common.sharded import training
from methods.common.sharded.rank import Part
from methods.common.sharded.work import Work
from methods.common.sharded.wrapping import recomputing


class Alone:
    """Stands for :class:`methods.common.sharded.crew.Crew`."""

    def __init__(self, part: Part) -> None:
        self.part = part

    def all(self, name: str, *arguments: Any) -> list[Any]:
        return [getattr(self.part, name)(*arguments)]


@contextmanager
def crew_of_one(work: Work, devices: tuple[str, ...], store: Path) -> Iterator[Alone]:
    dist.init_process_group(
        "gloo",
        store=dist.FileStore(str(store), 1),  # type: ignore[attr-defined]
        rank=0,
        world_size=1,
    )
    try:
        with ExitStack() as stack:
            stack.enter_context(warnings.catch_warnings())
            warnings.filterwarnings("ignore", message="FSDP2-wrapped module")
            part = Part(work, 0, devices[:1])
            if work.recompute:
                stack.enter_context(recomputing(part.model))
            yield Alone(part)
    finally:
        dist.destroy_process_group()


def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let trainings in parts start no processes."""
    monkeypatch.setenv("GLOO_SOCKET_IFNAME", "lo")
    monkeypatch.setattr(training, "crew", crew_of_one)
