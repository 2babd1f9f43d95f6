"""Opening the engine that a run asks for, and closing it again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.engine.engines import Engine, InlineEngine
from harness.provenance import environment_key, usable_cores

if TYPE_CHECKING:
    from harness.engine.run import Display, RunRequest


@dataclass(frozen=True)
class Opened:
    """An engine at work.

    Attributes:
        environment: From a device and a number of threads to the environment key of what it executes.
        nodes: The nodes of its cluster so far, with their processor or GPU.
    """

    engine: Engine
    environment: Callable[[str, int], str] = environment_key
    nodes: Callable[[], dict[str, str]] = dict


@contextmanager
def opened_engine(request: RunRequest, display: Display, folder: Path) -> Iterator[Opened]:
    """The engine that a request names, closed at the end."""
    if request.engine == "ray" and not request.gather:
        from harness.engine.cluster.engine import ray_engine

        with ray_engine(
            display.progress,
            display.note,
            home=request.resolver.home,
            run=folder,
            device=request.device,
            address=request.address,
            workers=request.workers,
            store_url=request.artifact_store,
        ) as cluster:
            yield Opened(cluster, cluster.environment, cluster.nodes)
        return
    engine = _engine_here(request, display)
    try:
        yield Opened(engine)
    finally:
        engine.close()


def _engine_here(request: RunRequest, display: Display) -> Engine:
    if request.engine == "inline":
        return InlineEngine(display.progress)
    from harness.engine.places import Places
    from harness.engine.pool import PoolEngine

    have = request.limits.have_gb
    gpus = max(request.limits.have_gpus or 1, 1)
    places = Places(request.workers, usable_cores(), have.get("cuda"), have.get("cpu"), gpus)
    return PoolEngine(display.progress, places)
