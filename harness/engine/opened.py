"""Opening the engine that a run asks for, and closing it again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from harness.engine.engines import Engine, InlineEngine, Listener
from harness.plan.limits import Limits
from harness.provenance import environment_key, usable_cores


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


@dataclass(frozen=True, kw_only=True)
class EngineChoice:
    """What a user asks for.

    Attributes:
        name: Of the engine.
        workers: CPU threads that the pool, or a cluster of its own, gives out.
        limits: What the machine has.
        home: The cache.
        device: Of the run.
        address: Of a Ray cluster; empty starts one.
        artifact_store: URL of a place for nodes that do not see the cache.
    """

    name: Literal["inline", "pool", "ray"]
    workers: int
    limits: Limits
    home: Path
    device: str
    address: str = ""
    artifact_store: str = ""


@contextmanager
def opened_engine(
    choice: EngineChoice, folder: Path, on_progress: Listener, note: Callable[[str], None]
) -> Iterator[Opened]:
    """The engine that a user asks for, closed at the end.

    Args:
        choice: Which.
        folder: The run's.
        on_progress: Called with what running jobs report.
        note: Called with what a reader of the log should know.
    """
    if choice.name == "ray":
        from harness.engine.cluster.engine import ray_engine

        with ray_engine(
            on_progress,
            note,
            home=choice.home,
            run=folder,
            device=choice.device,
            address=choice.address,
            workers=choice.workers,
            store_url=choice.artifact_store,
        ) as cluster:
            yield Opened(cluster, cluster.environment, cluster.nodes)
        return
    engine = _engine_here(choice, on_progress)
    try:
        yield Opened(engine)
    finally:
        engine.close()


def _engine_here(choice: EngineChoice, on_progress: Listener) -> Engine:
    if choice.name == "inline":
        return InlineEngine(on_progress)
    from harness.engine.places import Places
    from harness.engine.pool import PoolEngine

    have = choice.limits.have_gb
    # A run on the CPU gives no GPU out, whatever the machine has.
    gpus = 0 if choice.device == "cpu" else max(choice.limits.have_gpus or 1, 1)
    places = Places(choice.workers, usable_cores(), have.get("cuda"), have.get("cpu"), gpus)
    pool = PoolEngine(on_progress, places)
    pool.warm()
    return pool
