"""What runs on a node: one job a Ray task, in a worker process like those of the pool.

Ray's own process for the task runs no trial: it keeps a pool of one, with the pool's hard limits, logs and
replacement of what failed. So a trial that hangs, leaks or forks meets on a cluster what it meets on one
machine, and Ray's process can be killed at any time: its worker ends with it.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from harness import cuda
from harness.cuda import VISIBLE
from harness.ends import story_of
from harness.engine.cluster.identity import differences, own_identity
from harness.engine.cluster.messages import (
    Base,
    Ended,
    Machines,
    Message,
    NodeReport,
    Order,
    Refused,
    Started,
)
from harness.engine.cluster.shipping import Place, sees
from harness.engine.forkserver import without_main
from harness.engine.job import ArtifactJob, Job, Outcome, Progress
from harness.errors import CorroborateError
from harness.processor import cpu_model
from harness.provenance import machine, usable_cores, usable_memory_gb

if TYPE_CHECKING:
    from harness.engine.pool import PoolEngine

_PATIENCE_S = 1.0
"""How often progress is passed on."""


def report(base: Base) -> NodeReport:
    """What this node is, and whether it may run the driver's jobs."""
    import ray

    os.environ.update(base.variables)
    if os.environ.get(VISIBLE) == "":
        # Ray hides the GPUs from a task that has asked for none; the node's own are meant here.
        del os.environ[VISIBLE]
    shared, gpus = sees(base.home), cuda.driver().gpus
    on_gpu = machine(base.device) if base.device.startswith("cuda") else None
    return NodeReport(
        node=ray.get_runtime_context().get_node_id(),
        host=socket.gethostname(),
        refused=_reason(base, base.device, shared=shared),
        machines=Machines(machine("cpu"), on_gpu),
        cpu=cpu_model(),
        gpu=gpus[0].name if gpus else "",
        gpu_gb=min((gpu.memory_gb for gpu in gpus), default=0.0),
        memory_gb=usable_memory_gb(),
        cores=usable_cores(),
        shared=shared,
    )


def _reason(base: Base, device: str, *, shared: bool) -> str:
    """Why this node may not run the driver's jobs on a device, or nothing."""
    if found := differences(base.identity, own_identity()):
        return f"it has not the driver's code: {'; '.join(found)}"
    if base.machines is not None and (there := machine(device)) != base.machines.on(device):
        return f"it computes otherwise: {there.processor} ({there.software})"
    if not shared and not base.store:
        return "it does not see the driver's CORROBORATE_HOME, and there is no --artifact-store"
    return ""


def run_job(order: Order) -> Iterator[Message]:
    """Execute a job here, telling how it goes; nothing is raised."""
    shared = sees(order.base.home)
    if _reason(order.base, order.device, shared=shared):
        yield Refused(report(order.base))
        return
    yield Started(socket.gethostname())
    try:
        sys.path += [entry for entry in order.base.path if entry not in sys.path]
        place = Place.here(order.base)
        job = place.localised(order)
    except CorroborateError as error:
        yield _failed(order, str(error))
        return
    except BaseException as error:  # noqa: BLE001 - unpickling a job imports foreign code
        yield _failed(order, story_of(error))
        return
    heard: list[Progress] = []
    for outcome in _executed(job, heard.append):
        for progress in heard[-1:]:  # noqa: UP028 - Ray sends values in, which no list would take
            yield progress
        heard.clear()
        if outcome is not None:
            place.forget(job, outcome)
            yield _delivered(job, outcome, place)


def _failed(order: Order, reason: str) -> Ended:
    return Ended(Outcome(id=order.id, status="failed", error=f"{reason}\n(on node {socket.gethostname()})"))


def _executed(job: Job, listener: Callable[[Progress], None]) -> Iterator[Outcome | None]:
    """The job's outcome at last, and nothing now and then before it."""
    pool = _host.pool(listener)
    ended: list[Outcome] = []
    try:
        with without_main():  # It is Ray's, and would bring Ray along.
            pool.submit(job)
        while not ended:
            ended = pool.wait(_PATIENCE_S)
            yield ended[0] if ended else None
    finally:
        if not ended:
            _host.close()  # Whoever comes next must not find this job at work.


def _delivered(job: Job, outcome: Outcome, place: Place) -> Ended:
    """The outcome, with what was built put where the driver can take it from."""
    if not isinstance(job, ArtifactJob) or outcome.status != "ok" or place.shared:
        return Ended(outcome)
    from harness.engine.cluster.store import listing_of
    from harness.resources.hashing import HashCache

    assert place.store is not None
    try:
        listing = listing_of(job.target, HashCache(place.home / "hashes.json"))
        return Ended(outcome, place.store.put(job.target, listing))
    except CorroborateError as error:
        return Ended(Outcome(id=outcome.id, status="failed", error=str(error), cost=outcome.cost))


class _Host:
    """The pool of this Ray process, which lives as long as it does."""

    def __init__(self) -> None:
        self._pool: PoolEngine | None = None
        self._seen = ""
        self._listener: Callable[[Progress], None] = lambda _progress: None

    def pool(self, listener: Callable[[Progress], None]) -> PoolEngine:
        """The pool, whose jobs tell ``listener``."""
        from harness.engine.places import Places
        from harness.engine.pool import PoolEngine

        self._listener = listener
        seen = f"{os.environ.get(VISIBLE)} {sorted(_settings().items())}"
        if seen != self._seen:
            # Ray gave this process other GPUs than before: a worker keeps those it has seen.
            self.close()
        if self._pool is None:
            self._pool, self._seen = PoolEngine(self._hear, Places(gpus=_gpus_given())), seen
        return self._pool

    def close(self) -> None:
        """End the pool with all that it runs."""
        if self._pool is not None:
            self._pool.close()
            self._pool = None

    def _hear(self, progress: Progress) -> None:
        self._listener(progress)


def _gpus_given() -> int:
    """How many GPUs Ray has given to this process; one where it does not say."""
    return max(1, len([name for name in os.environ.get(VISIBLE, "").split(",") if name.strip()]))


def _settings() -> dict[str, str]:
    """Variables that a worker takes over when it starts."""
    return {name: value for name, value in os.environ.items() if name.startswith("CORROBORATE_")}


_host = _Host()
